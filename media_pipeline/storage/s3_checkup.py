"""Tries everything that the platform does with a bucket, in the way that workers and browsers do it."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import urllib3

from media_pipeline.errors import PipelineError
from media_pipeline.findings import Finding, fine, wrong
from media_pipeline.storage.s3 import S3Store, s3_faults

SETUP = "run `manage.py setup_bucket` with keys that own the bucket"
CONTENT = b"videoflix checks its bucket\n"
PART_BYTES = 5 * 1024**2  # the smallest size of a part, except the last
LIFETIME_S = 60
MAX_SKEW_S = 60  # servers accept 15 minutes, but a clock that is a minute off is not synchronized
http = urllib3.PoolManager(timeout=urllib3.Timeout(10), retries=False)


def check_buckets(store: S3Store, origins: Sequence[str]) -> Iterator[Finding]:
    """The findings about every bucket: what works, or what is wrong and how to mend it."""
    for bucket in store.buckets.names:
        yield from check_bucket(store, bucket, origins)


def check_bucket(store: S3Store, bucket: str, origins: Sequence[str]) -> Iterator[Finding]:
    name = f"doctor-{uuid.uuid4().hex[:12]}"
    candidates = (f"originals/{name}/check.bin", f"videos/{name}/check.mp4", f"videos/{name}/check.jpg")
    key = next(key for key in candidates if store.buckets.bucket_of(key) == bucket)
    reached = finding_of(f"{bucket} is reached", lambda: reach(store, bucket))
    yield reached
    if not reached.is_fine:
        return  # every other check would fail for the same reason
    try:
        written = finding_of(f"{bucket} keeps what is put", lambda: put_and_read(store, key))
        yield written
        if written.is_fine:
            yield finding_of(f"{bucket} is read by signed ranges", lambda: read_signed(store, key))
            yield finding_of(f"{bucket} refuses strangers", lambda: refuse_strangers(store, key))
            for origin in origins:
                yield finding_of(f"{bucket} may be used by {origin}", partial(ask_cors, store, key, origin))
        yield finding_of(f"{bucket} takes uploads in parts", lambda: upload_parts(store, key))
    finally:
        with suppress(PipelineError):  # the findings already say why, or nothing was put
            store.delete_prefix(key)


def finding_of(name: str, check: Callable[[], str]) -> Finding:
    """`check` returns a detail of what works, and raises for what is wrong."""
    try:
        return fine(name, check())
    except PipelineError as error:
        return wrong(name, error.detail or error.sentence)
    except (urllib3.exceptions.HTTPError, CheckFailed) as error:
        return wrong(name, str(error))


class CheckFailed(Exception):
    """The sentence says what is wrong and what to do."""


def reach(store: S3Store, bucket: str) -> str:
    """Checks that the bucket can be reached, and that the clocks of both sides agree."""
    with s3_faults(bucket):
        # Unlike the answer to a HEAD, which has no body, this one says exactly what is wrong.
        answer = store.quick_client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    now = datetime.now(UTC)
    sent_at = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    skew_s = abs((now - parsedate_to_datetime(sent_at)).total_seconds()) if sent_at else 0
    if skew_s > MAX_SKEW_S:
        raise CheckFailed(f"This machine's clock and the storage's differ by {skew_s:.0f} s: set it by NTP.")
    return f"clocks agree within {max(1, round(skew_s))} s"


def put_and_read(store: S3Store, key: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder, "check")
        path.write_bytes(CONTENT)
        store.put(path, key, "application/octet-stream")
    if store.read_bytes(key) != CONTENT:
        raise CheckFailed("The storage gave back something else than was put: look at what stands in between.")
    return f"{len(CONTENT)} bytes, checked by SHA-256"


def read_signed(store: S3Store, key: str) -> str:
    url = store.signed_url(key, LIFETIME_S)
    answer = http.request("GET", url, headers={"Range": "bytes=10-15"})
    if answer.status != 206 or answer.data != CONTENT[10:16]:
        origin = "/".join(url.split("/")[:3])
        raise CheckFailed(
            f"A range at a signed address answers {answer.status}: see that browsers reach {origin} and that "
            "nothing in between changes requests."
        )
    changed = http.request("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))
    if changed.status not in (400, 401, 403):
        raise CheckFailed(f"A changed signature is not refused (it answers {changed.status}): this is no safe storage.")
    return "206; a changed signature is refused"


def refuse_strangers(store: S3Store, key: str) -> str:
    answer = http.request("GET", store.signed_url(key, LIFETIME_S).partition("?")[0])
    if answer.status not in (401, 403, 404):
        raise CheckFailed(f"Objects can be read without a signature (it answers {answer.status}): {SETUP}.")
    return f"without a signature: {answer.status}"


def ask_cors(store: S3Store, key: str, origin: str) -> str:
    """Sends what a browser sends before it uploads a part or reads a range, and looks at what pages may see."""
    url = store.signed_url(key, LIFETIME_S)
    for method in ("GET", "PUT", "DELETE"):
        preflight = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "range" if method == "GET" else "content-type",
        }
        answer = http.request("OPTIONS", url, headers=preflight)
        if answer.status >= 300 or answer.headers.get("Access-Control-Allow-Origin") not in (origin, "*"):
            raise CheckFailed(f"A {method} from its pages is not allowed (CORS): {SETUP}.")
    answer = http.request("GET", url, headers={"Origin": origin, "Range": "bytes=0-3"})
    exposed = answer.headers.get("Access-Control-Expose-Headers", "").lower()
    if missing := [name for name in ("ETag", "Content-Range") if name.lower() not in exposed]:
        raise CheckFailed(f"Its pages may not see {' and '.join(missing)} (CORS): {SETUP}.")
    return "GET, PUT and DELETE; ETag and Content-Range are exposed"


def upload_parts(store: S3Store, key: str) -> str:
    """Uploads an object in two parts, and begins an upload that it aborts."""
    bucket, client = store.buckets.bucket_of(key), store.quick_client
    began = time.monotonic()
    with s3_faults(bucket):
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        params = {"Bucket": bucket, "Key": key, "UploadId": upload}
        try:
            parts = [
                {"PartNumber": number, "ETag": client.upload_part(**params, PartNumber=number, Body=body)["ETag"]}
                for number, body in enumerate((bytes(PART_BYTES), CONTENT), start=1)
            ]
            client.complete_multipart_upload(**params, MultipartUpload={"Parts": parts})
        except BaseException:
            client.abort_multipart_upload(**params)
            raise
        if store.size(key) != PART_BYTES + len(CONTENT):
            raise CheckFailed("An upload in parts has another size than its parts: look at what stands in between.")
        aborted = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=aborted)
    return f"5 MiB in {time.monotonic() - began:.1f} s"
