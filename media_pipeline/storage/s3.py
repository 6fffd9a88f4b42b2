"""Objects in buckets of an S3 server: Amazon's, or another one that speaks its protocol with Signature Version 4."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError
from s3transfer.futures import TransferFuture
from s3transfer.subscribers import BaseSubscriber

from media_pipeline.errors import PipelineError, SourceExchanged, SourceMissing, StorageUnavailable
from media_pipeline.storage.buckets import S3Connection, cache_control
from media_pipeline.storage.s3_faults import EXCHANGED, MISSING, fault_sentence
from media_pipeline.storage.store import NewObject, Tick

log = logging.getLogger(__name__)

MIB = 1024**2
PART_BYTES = 16 * MIB  # 10,000 parts are the most: 160 GB
# Threads of one transfer, each with a part in memory. A fast network is filled by four; a worker has other work too.
PARALLEL = 4
POLL_S = 0.1
DOWNLOAD_ATTEMPTS = 3  # of each part, when it breaks off in its middle; asking for it is tried as often as all requests
LONGEST_SIGNED_S = 7 * 24 * 3600  # Signature Version 4 allows no more
# Of credentials whose end nobody tells: a role's last an hour at least, and are renewed a quarter before they end.
UNKNOWN_END_S = 15 * 60
QUICK_ATTEMPTS = 2
QUICK_TIMEOUT_S = 5.0
CHECK_EVERY_S = 10.0
DELETED_AT_ONCE = 1000


class S3Store:
    """Objects by key, in the buckets of the connection. Safe to share between threads, not across a fork."""

    def __init__(self, connection: S3Connection) -> None:
        self.connection = connection
        self.buckets = connection.buckets
        self.session = make_session(connection)
        # Workers wait for a storage that comes back; people who wait for a page do not.
        self.client = make_client(self.session, connection)
        public = replace(connection, endpoint_url=connection.public_endpoint_url or connection.endpoint_url)
        self.signer = make_client(self.session, public)
        quick = replace(
            connection,
            timeout_s=min(QUICK_TIMEOUT_S, connection.timeout_s),
            attempts=min(QUICK_ATTEMPTS, connection.attempts),
        )
        self.quick_client = make_client(self.session, quick, is_patient=False)
        # Who stops an upload, often because the storage hangs, waits for the removal of its parts.
        self.client.abort_multipart_upload = self.quick_client.abort_multipart_upload
        self.checking = threading.Lock()
        self.checked_until = 0.0
        self.check_problem: PipelineError | None = None

    def put(self, path: Path, key: str, content_type: str) -> None:
        self.put_all([NewObject(path, key, content_type)])

    def put_all(self, objects: Sequence[NewObject], on_tick: Tick = lambda: None) -> None:
        """Several at once, large ones in parts; `on_tick` is called all the while and may raise to stop.

        Every part's SHA-256 is signed, so what arrives is what was sent. What is stopped leaves no object behind; the
        parts of a process that was killed are removed by the bucket's lifecycle rule.
        """
        with self.transfers() as manager:
            wait_for([self.start_upload(manager, one) for one in objects], on_tick)

    def start_upload(self, manager: Any, one: NewObject) -> tuple[TransferFuture, str]:
        extra = {"ContentType": one.content_type, "CacheControl": cache_control(one.key)}
        bucket = self.buckets.bucket_of(one.key)
        return manager.upload(str(one.path), bucket, one.key, extra_args=extra), bucket

    def fetch(self, key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
        """Put the object at `path`, in parallel parts; raises SourceMissing, and OSError when there is no room.

        With an ETag only the object that had it, even if it is exchanged meanwhile: raises SourceExchanged.
        """
        bucket = self.buckets.bucket_of(key)
        pinned = [Pinned(etag, self.size(key))] if etag else []
        with self.transfers() as manager:
            wait_for([(manager.download(bucket, key, str(path), subscribers=pinned), bucket)], on_tick)

    @contextmanager
    def transfers(self) -> Iterator[Any]:
        """A manager whose transfers are cancelled when the block is left by an exception."""
        config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=PARALLEL,
            num_download_attempts=DOWNLOAD_ATTEMPTS, preferred_transfer_client="classic",
        )  # fmt: skip
        with create_transfer_manager(self.client, config) as manager:
            yield manager

    def read_bytes(self, key: str) -> bytes:
        """The whole object; raises SourceMissing when there is none."""
        return self.read_from(self.buckets.bucket_of(key), key)

    def read_from(self, bucket: str, key: str) -> bytes:
        with s3_faults(bucket):
            body: bytes = self.quick_client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def read_part(self, bucket: str, key: str, offset: int, length: int) -> bytes:
        """Raises SourceMissing when there is none."""
        with s3_faults(bucket):
            got = self.client.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-{offset + length - 1}")
            body: bytes = got["Body"].read()
        return body

    def size(self, key: str) -> int:
        """In bytes; raises SourceMissing when there is no such object."""
        bucket = self.buckets.bucket_of(key)
        with self.head_faults(bucket):
            return int(self.quick_client.head_object(Bucket=bucket, Key=key)["ContentLength"])

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The keys below `prefix` with the bytes of each."""
        for bucket in self.buckets.below(prefix):
            yield from self.sizes_in(bucket, prefix)

    def sizes_in(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        with s3_faults(bucket):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    # A prefix is a folder or one key; what only begins alike is neither.
                    if item["Key"] == prefix or item["Key"].startswith(f"{prefix}/"):
                        yield item["Key"], int(item["Size"])

    def delete_prefix(self, prefix: str) -> int:
        """Remove one object or a folder of them; how many there were. Nothing there is fine."""
        count = 0
        for bucket in self.buckets.below(prefix):
            keys = [key for key, _ in self.sizes_in(bucket, prefix)]
            for first in range(0, len(keys), DELETED_AT_ONCE):
                self.delete(bucket, keys[first : first + DELETED_AT_ONCE])
            count += len(keys)
        return count

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        with s3_faults(bucket):
            refused = self.client.delete_objects(Bucket=bucket, Delete=wanted).get("Errors", ())
        if refused:
            code, message = refused[0].get("Code", ""), refused[0].get("Message", "")
            raise StorageUnavailable(detail=fault_sentence(code, message, bucket))

    def check(self) -> None:
        """Prove that every bucket can be reached.

        By one caller at a time, and again after some seconds only: strangers may ask, and many of them.
        """
        with self.checking:
            if time.monotonic() >= self.checked_until:
                self.check_problem = self.find_problem()
                self.checked_until = time.monotonic() + CHECK_EVERY_S
            problem = self.check_problem
        if problem:
            raise problem

    def find_problem(self) -> PipelineError | None:
        try:
            for bucket in self.buckets.names:
                with self.head_faults(bucket):
                    self.quick_client.head_bucket(Bucket=bucket)
        except PipelineError as error:
            return error
        return None

    @contextmanager
    def head_faults(self, bucket: str) -> Iterator[None]:
        """Asks for what a HEAD cannot tell: its answer has no body, so a missing bucket looks like a missing object."""
        with s3_faults(bucket):
            try:
                yield
            except ClientError:
                self.quick_client.list_objects_v2(Bucket=bucket, MaxKeys=1)  # fails with the reason, if there is one
                raise

    # --- signed addresses ---

    def signed_url(self, key: str, lifetime_s: int) -> str:
        """An address that reads this object until `lifetime_s` from now, or for as long as our credentials last."""
        bucket = self.buckets.bucket_of(key)
        with s3_faults(bucket):
            url: str = self.signer.generate_presigned_url(
                "get_object",
                Params={"Bucket": bucket, "Key": key},
                ExpiresIn=self.capped(lifetime_s),
            )
        return url

    def capped(self, lifetime_s: int) -> int:
        return max(1, min(lifetime_s, self.longest_signature_s()))

    def longest_signature_s(self) -> int:
        """A signature ends with the credentials that made it, whatever it says itself."""
        credentials = self.session.get_credentials()
        if credentials is None:
            return LONGEST_SIGNED_S  # signing says why it cannot
        is_temporary = bool(credentials.get_frozen_credentials().token)  # renews those that are about to end
        end = getattr(credentials, "_expiry_time", None)  # botocore tells it nowhere else
        if isinstance(end, datetime):
            return min(LONGEST_SIGNED_S, int((end - datetime.now(UTC)).total_seconds()))
        return UNKNOWN_END_S if is_temporary else LONGEST_SIGNED_S


class Pinned(BaseSubscriber):  # type: ignore[misc]  # has no types
    """Every part is asked for with this ETag, which otherwise would be that of whatever lies there first."""

    def __init__(self, etag: str, size_bytes: int) -> None:
        self.etag = etag
        self.size_bytes = size_bytes

    def on_queued(self, future: TransferFuture, **_: Any) -> None:
        future.meta.provide_object_etag(self.etag)
        future.meta.provide_transfer_size(self.size_bytes)


# --- connecting ------------------------------------------------------------------------------------------------------


def make_session(connection: S3Connection) -> Any:
    keys: dict[str, str | None] = {}
    if connection.access_key_id:
        keys = {
            "aws_access_key_id": connection.access_key_id,
            "aws_secret_access_key": connection.secret_access_key,
            "aws_session_token": connection.session_token or None,
        }
    return boto3.session.Session(region_name=connection.region, **keys)


def make_client(session: Any, connection: S3Connection, *, is_patient: bool = True) -> Any:
    config = Config(
        signature_version="s3v4",
        connect_timeout=connection.timeout_s,
        read_timeout=connection.timeout_s,
        # "legacy" waits up to 1, 2, 4, 8, 16 s, enough for a server that restarts; "standard" a twentieth of that, and
        # after some dozens of failures it tries nothing again at all.
        retries={"mode": "legacy" if is_patient else "standard", "total_max_attempts": connection.attempts},
        max_pool_connections=PARALLEL * 4,
        # Signed SHA-256 sums are understood by every server; newer kinds of checksum are not.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": True, "addressing_style": "path" if connection.endpoint_url else "virtual"},
    )
    return session.client("s3", endpoint_url=connection.endpoint_url or None, config=config)


# --- waiting and failing ---------------------------------------------------------------------------------------------


def wait_for(transfers: Sequence[tuple[TransferFuture, str]], on_tick: Callable[[], None]) -> None:
    """Until all are done; the first that fails, or `on_tick`, ends the others."""
    waiting = list(transfers)
    try:
        while waiting:
            on_tick()
            done = [one for one in waiting if one[0].done()]
            for future, bucket in done:
                with s3_faults(bucket):
                    future.result()
            waiting = [one for one in waiting if one not in done]
            time.sleep(POLL_S if waiting else 0)
        on_tick()
    except BaseException:
        for future, _ in transfers:
            future.cancel()
        for future, _ in transfers:
            with suppress(Exception):  # what ended the wait is what counts
                future.result()
        raise


@contextmanager
def s3_faults(bucket: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise as_pipeline_error(error, bucket) from error
    except RetriesExceededError as error:
        raise StorageUnavailable(detail=f"The storage broke off again and again: {error.last_exception}") from error
    except S3DownloadFailedError as error:
        raise SourceExchanged(detail=str(error)) from error  # what s3transfer makes of PreconditionFailed
    except ParamValidationError as error:
        raise StorageUnavailable(detail=fault_sentence("InvalidBucketName", "", bucket)) from error
    except BotoCoreError as error:
        raise StorageUnavailable(detail=f"The storage cannot be reached: {error}") from error


def as_pipeline_error(error: ClientError, bucket: str) -> PipelineError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    if code in EXCHANGED:
        return SourceExchanged(detail=bucket)
    if code in MISSING and error.operation_name != "HeadBucket":
        return SourceMissing(detail=f"{bucket}: {code}")
    if code in MISSING:
        code = "NoSuchBucket"
    return StorageUnavailable(detail=fault_sentence(code, str(said.get("Message", "")), bucket))
