"""The store of objects in buckets of Amazon S3, or of another server with its protocol and Signature Version 4."""

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
from boto3.exceptions import S3UploadFailedError
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
PART_BYTES = 16 * MIB  # an upload has at most 10,000 parts, so 160 GB
# The threads of one transfer. Four fill a fast network, and a worker has other work too.
PARALLEL = 4
POLL_S = 0.1
DOWNLOAD_ATTEMPTS = 3  # for a part that breaks off in the middle; the client itself repeats failed requests
MAX_SIGNED_S = 7 * 24 * 3600  # Signature Version 4 allows no more
# The validity of a signature by temporary credentials that do not say when they end. Those of a role last an hour or
# more, and are renewed a quarter of an hour before they end.
UNKNOWN_END_S = 15 * 60
QUICK_ATTEMPTS = 2
QUICK_TIMEOUT_S = 5.0
CHECK_EVERY_S = 10.0
DELETE_BATCH = 1000  # the most that one request may name


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
        # Stopping an upload waits until its parts are removed, and it is often stopped because the storage hangs.
        self.client.abort_multipart_upload = self.quick_client.abort_multipart_upload
        self.checking = threading.Lock()
        self.checked_until = 0.0
        self.check_problem: PipelineError | None = None

    def put(self, path: Path, key: str, content_type: str) -> None:
        self.put_all([NewObject(path, key, content_type)])

    def put_all(self, objects: Sequence[NewObject], on_tick: Tick = lambda: None) -> None:
        """Put several objects at once, large ones in parts; `on_tick` is called meanwhile and may raise to stop.

        The SHA-256 of every part is signed, so the server refuses bytes that arrive changed. An upload that is stopped
        leaves no object behind; the parts of a killed process are removed by the lifecycle rule of the bucket.
        """
        with self.transfers() as manager:
            uploads = []
            for new in objects:
                bucket = self.buckets.bucket_of(new.key)
                headers = {"ContentType": new.content_type, "CacheControl": cache_control(new.key)}
                uploads.append((manager.upload(str(new.path), bucket, new.key, extra_args=headers), bucket))
            wait_for(uploads, on_tick)

    def fetch(self, key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
        """Download the object to `path`, in parallel parts. Raises SourceMissing, and OSError when there is no room.

        With `etag`, raises SourceExchanged when the object has another one, or is exchanged during the download.
        """
        bucket = self.buckets.bucket_of(key)
        pinned = [Pinned(etag, self.size(key))] if etag else []
        with self.transfers() as manager:
            wait_for([(manager.download(bucket, key, str(path), subscribers=pinned), bucket)], on_tick)

    @contextmanager
    def transfers(self) -> Iterator[Any]:
        """A transfer manager; an exception in the block cancels its transfers."""
        with create_transfer_manager(self.client, transfer_config()) as manager:
            yield manager

    def read_bytes(self, key: str) -> bytes:
        """The content of the object. Raises SourceMissing."""
        return self.read_from(self.buckets.bucket_of(key), key)

    def read_from(self, bucket: str, key: str) -> bytes:
        with s3_faults(bucket):
            body: bytes = self.quick_client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def read_part(self, bucket: str, key: str, offset: int, length: int) -> bytes:
        """`length` bytes of the object from `offset`. Raises SourceMissing."""
        with s3_faults(bucket):
            answer = self.client.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-{offset + length - 1}")
            body: bytes = answer["Body"].read()
        return body

    def size(self, key: str) -> int:
        """The size of the object in bytes. Raises SourceMissing."""
        bucket = self.buckets.bucket_of(key)
        with self.head_faults(bucket):
            return int(self.quick_client.head_object(Bucket=bucket, Key=key)["ContentLength"])

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The keys below `prefix`, each with its size in bytes."""
        for bucket in self.buckets.below(prefix):
            yield from self.sizes_in(bucket, prefix)

    def sizes_in(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        with s3_faults(bucket):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    # `prefix` is a folder or a key; S3 also lists keys that only begin with the same characters.
                    if item["Key"] == prefix or item["Key"].startswith(f"{prefix}/"):
                        yield item["Key"], int(item["Size"])

    def delete_prefix(self, prefix: str) -> int:
        """Remove an object, or a folder of objects. Returns how many there were; none is no error."""
        count = 0
        for bucket in self.buckets.below(prefix):
            keys = [key for key, _ in self.sizes_in(bucket, prefix)]
            for start in range(0, len(keys), DELETE_BATCH):
                self.delete(bucket, keys[start : start + DELETE_BATCH])
            count += len(keys)
        return count

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        request = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        with s3_faults(bucket):
            errors = self.client.delete_objects(Bucket=bucket, Delete=request).get("Errors", ())
        if errors:
            code, message = errors[0].get("Code", ""), errors[0].get("Message", "")
            raise StorageUnavailable(detail=fault_sentence(code, message, bucket))

    def check(self) -> None:
        """Raises StorageUnavailable when a bucket cannot be reached."""
        # Any client may ask for the health of the site: one request checks at a time, and the others get its result,
        # which is kept for some seconds.
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
        """As `s3_faults`, around a HEAD, whose answer has no body: a missing bucket looks like a missing object."""
        with s3_faults(bucket):
            try:
                yield
            except ClientError:
                self.quick_client.list_objects_v2(Bucket=bucket, MaxKeys=1)  # raises the real reason, if there is one
                raise

    # --- signed addresses ---

    def signed_url(self, key: str, lifetime_s: int) -> str:
        """An address that reads this object for `lifetime_s`, or until the credentials end."""
        bucket = self.buckets.bucket_of(key)
        with s3_faults(bucket):
            url: str = self.signer.generate_presigned_url(
                "get_object",
                Params={"Bucket": bucket, "Key": key},
                ExpiresIn=self.capped(lifetime_s),
            )
        return url

    def capped(self, lifetime_s: int) -> int:
        """The lifetime of an address in seconds: at least 1, and no longer than its signature is valid."""
        return max(1, min(lifetime_s, self.max_signature_s()))

    def max_signature_s(self) -> int:
        """How long a signature made now is valid, in seconds: it ends with the credentials that made it."""
        credentials = self.session.get_credentials()
        if credentials is None:
            return MAX_SIGNED_S  # signing raises the reason
        is_temporary = bool(credentials.get_frozen_credentials().token)  # this renews credentials that are about to end
        end = getattr(credentials, "_expiry_time", None)  # botocore has no public name for it
        if isinstance(end, datetime):
            return min(MAX_SIGNED_S, int((end - datetime.now(UTC)).total_seconds()))
        return UNKNOWN_END_S if is_temporary else MAX_SIGNED_S


class Pinned(BaseSubscriber):  # type: ignore[misc]  # has no types
    """Makes a download ask for every part with this ETag, instead of the one that the object has at its beginning."""

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
    config = client_config(connection, is_patient=is_patient)
    return session.client("s3", endpoint_url=connection.endpoint_url or None, config=config)


def client_config(connection: S3Connection, *, is_patient: bool = True) -> Config:
    """`is_patient`: retry for half a minute, as workers do; else retry at once, because a person waits."""
    return Config(
        signature_version="s3v4",
        connect_timeout=connection.timeout_s,
        read_timeout=connection.timeout_s,
        # "legacy" waits up to 1, 2, 4, 8 and 16 s, long enough for a server that restarts. "standard" waits a twentieth
        # of that, and after some dozens of failures it stops retrying.
        retries={"mode": "legacy" if is_patient else "standard", "total_max_attempts": connection.attempts},
        max_pool_connections=PARALLEL * 4,
        # Every server checks the signed SHA-256; the newer checksums are unknown to many.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": True, "addressing_style": "path" if connection.endpoint_url else "virtual"},
    )


def transfer_config() -> TransferConfig:
    return TransferConfig(
        multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=PARALLEL,
        num_download_attempts=DOWNLOAD_ATTEMPTS, preferred_transfer_client="classic",
    )  # fmt: skip


# --- waiting and failing ---------------------------------------------------------------------------------------------


def wait_for(transfers: Sequence[tuple[TransferFuture, str]], on_tick: Callable[[], None]) -> None:
    """Wait until all transfers are done. An error of one, or one of `on_tick`, cancels the others and is raised."""
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
            with suppress(Exception):  # the first error is the one to raise
                future.result()
        raise


@contextmanager
def s3_faults(bucket: str) -> Iterator[None]:
    """Raises errors of boto3 as StorageUnavailable, SourceMissing or SourceExchanged."""
    try:
        yield
    except ClientError as error:
        raise as_pipeline_error(error, bucket) from error
    except S3UploadFailedError as error:
        # boto3's upload_file raises it in place of a ClientError, which stays its context.
        if not isinstance(error.__context__, ClientError):
            raise
        raise as_pipeline_error(error.__context__, bucket) from error
    except RetriesExceededError as error:
        raise StorageUnavailable(detail=f"The storage broke off again and again: {error.last_exception}") from error
    except S3DownloadFailedError as error:
        raise SourceExchanged(detail=str(error)) from error  # s3transfer raises it for PreconditionFailed
    except ParamValidationError as error:
        raise StorageUnavailable(detail=fault_sentence("InvalidBucketName", "", bucket)) from error
    except BotoCoreError as error:
        raise StorageUnavailable(detail=f"The storage cannot be reached: {error}") from error


def as_pipeline_error(error: ClientError, bucket: str) -> PipelineError:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", ""))
    if code in EXCHANGED:
        return SourceExchanged(detail=bucket)
    if code in MISSING and error.operation_name != "HeadBucket":
        return SourceMissing(detail=f"{bucket}: {code}")
    if code in MISSING:
        code = "NoSuchBucket"
    return StorageUnavailable(detail=fault_sentence(code, str(answer.get("Message", "")), bucket))
