"""Proves what the platform needs of a bucket by doing it, through the same doors as workers and browsers."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from media_pipeline.errors import PipelineError
from media_pipeline.findings import Finding, fine, wrong
from media_pipeline.storage.s3 import S3Store, s3_faults

SETUP = "run `manage.py setup_bucket` with keys that own the bucket"
CONTENT = b"videoflix checks its bucket\n"
PART_BYTES = 5 * 1024**2  # the least that a part may have which is not the last
LIFETIME_S = 60
MOST_SKEW_S = 60  # servers accept a quarter of an hour; whoever is a minute off has no working NTP
http = urllib3.PoolManager(timeout=urllib3.Timeout(10), retries=False)


def check_buckets(store: S3Store, origins: Sequence[str]) -> Iterator[Finding]:
    """What was proved, or what is wrong and how to mend it, bucket by bucket."""
    for bucket in store.buckets.names:
        yield from examine_bucket(store, bucket, origins)


def examine_bucket(store: S3Store, bucket: str, origins: Sequence[str]) -> Iterator[Finding]:
    key = check_key(store, bucket)
    reached = finding_of(f"{bucket} is reached", lambda: reach(store, bucket))
    yield reached
    if not reached.is_fine:
        return  # the rest would say the same
    with removed_afterwards(store, key):
        written = finding_of(f"{bucket} keeps what is put", lambda: put_and_read(store, key))
        yield written
        if written.is_fine:
            yield finding_of(f"{bucket} is read by signed ranges", lambda: read_signed(store, key))
            yield finding_of(f"{bucket} refuses strangers", lambda: refuse_strangers(store, key))
            for origin in origins:
                yield finding_of(f"{bucket} may be used by {origin}", partial(ask_cors, store, key, origin))
        yield finding_of(f"{bucket} takes uploads in parts", lambda: upload_parts(store, key))


def check_key(store: S3Store, bucket: str) -> str:
    """One that lies in this bucket."""
    name = f"doctor-{uuid.uuid4().hex[:12]}"
    candidates = (f"originals/{name}/check.bin", f"videos/{name}/check.mp4", f"videos/{name}/check.jpg")
    return next(key for key in candidates if store.buckets.bucket_of(key) == bucket)


def finding_of(name: str, prove: Callable[[], str]) -> Finding:
    try:
        return fine(name, prove())
    except PipelineError as error:
        return wrong(name, error.detail or error.sentence)
    except (urllib3.exceptions.HTTPError, ProofFailed) as error:
        return wrong(name, str(error))


class ProofFailed(Exception):
    """A proof that failed; says what to do."""


@contextmanager
def removed_afterwards(store: S3Store, key: str) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(PipelineError):  # what could not be removed was not put, or is said already
            store.delete_prefix(key)


def reach(store: S3Store, bucket: str) -> str:
    """The bucket, and the clock: answers carry the server's."""
    with s3_faults(bucket):
        # Unlike HEAD, whose answer has no body, this says exactly what is wrong.
        answer = store.quick_client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    skew_s = abs((datetime.now(UTC) - server_time(answer)).total_seconds())
    if skew_s > MOST_SKEW_S:
        raise ProofFailed(f"This machine's clock and the storage's differ by {skew_s:.0f} s: set it by NTP.")
    return f"clocks agree within {max(1, round(skew_s))} s"


def server_time(answer: Any) -> datetime:
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC)


def put_and_read(store: S3Store, key: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder, "check")
        path.write_bytes(CONTENT)
        store.put(path, key, "application/octet-stream")
    if store.read_bytes(key) != CONTENT:
        raise ProofFailed("The storage gave back something else than was put: look at what stands in between.")
    return f"{len(CONTENT)} bytes, checked by SHA-256"


def read_signed(store: S3Store, key: str) -> str:
    url = store.signed_url(key, LIFETIME_S)
    answer = http.request("GET", url, headers={"Range": "bytes=10-15"})
    if answer.status != 206 or answer.data != CONTENT[10:16]:
        raise ProofFailed(
            f"A range at a signed address answers {answer.status}: see that browsers reach {origin_of(url)} and that "
            "nothing in between changes requests."
        )
    broken = http.request("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))
    if broken.status not in (400, 401, 403):
        raise ProofFailed(f"A changed signature is not refused (it answers {broken.status}): this is no safe storage.")
    return "206; a changed signature is refused"


def refuse_strangers(store: S3Store, key: str) -> str:
    answer = http.request("GET", store.signed_url(key, LIFETIME_S).partition("?")[0])
    if answer.status not in (401, 403, 404):
        raise ProofFailed(f"Objects can be read without a signature (it answers {answer.status}): {SETUP}.")
    return f"without a signature: {answer.status}"


def ask_cors(store: S3Store, key: str, origin: str) -> str:
    """What a browser asks before it uploads a part or reads a range, and what it may see of the answer."""
    url = store.signed_url(key, LIFETIME_S)
    for method in ("GET", "PUT", "DELETE"):
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "range" if method == "GET" else "content-type",
        }
        answer = http.request("OPTIONS", url, headers=asked)
        if answer.status >= 300 or answer.headers.get("Access-Control-Allow-Origin") not in (origin, "*"):
            raise ProofFailed(f"A {method} from its pages is not allowed (CORS): {SETUP}.")
    answer = http.request("GET", url, headers={"Origin": origin, "Range": "bytes=0-3"})
    exposed = answer.headers.get("Access-Control-Expose-Headers", "").lower()
    if missing := [name for name in ("ETag", "Content-Range") if name.lower() not in exposed]:
        raise ProofFailed(f"Its pages may not see {' and '.join(missing)} (CORS): {SETUP}.")
    return "GET, PUT and DELETE; ETag and Content-Range are exposed"


def upload_parts(store: S3Store, key: str) -> str:
    """In two parts, put together; and one that is given up leaves nothing."""
    bucket, client = store.buckets.bucket_of(key), store.quick_client
    began = time.monotonic()
    with s3_faults(bucket):
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        named = {"Bucket": bucket, "Key": key, "UploadId": upload}
        try:
            parts = [
                {"PartNumber": number, "ETag": client.upload_part(**named, PartNumber=number, Body=body)["ETag"]}
                for number, body in enumerate((bytes(PART_BYTES), CONTENT), start=1)
            ]
            client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
        except BaseException:
            client.abort_multipart_upload(**named)
            raise
        if store.size(key) != PART_BYTES + len(CONTENT):
            raise ProofFailed("An upload in parts has another size than its parts: look at what stands in between.")
        given_up = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=given_up)
    return f"5 MiB in {time.monotonic() - began:.1f} s"


def origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])
