"""Which requests of an upload into the bucket are signed, and within which bounds."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from background.refusals import Kind
from content_app.models import DirectUpload
from content_app.rules import MEGABYTE, too_large_sentence
from content_app.services.storage.stores import bucket_store
from content_app.services.uploads import direct_uploads
from content_app.services.uploads.direct_uploads import UploadRefused
from media_pipeline.errors import SourceMissing

if TYPE_CHECKING:
    from media_pipeline.storage.s3 import S3Store
    from media_pipeline.storage.s3_uploads import Form

LEAST_PART_BYTES = 5 * MEGABYTE  # of S3: only the last part may be smaller
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Wanted:
    """One request that a client wants to send to the bucket. Without an upload id it begins something."""

    method: str
    upload_id: str = ""
    part_number: int | None = None
    lifetime_s: int | None = None


@dataclass(frozen=True)
class Signed:
    url: str
    key: str
    fields: dict[str, str] = field(default_factory=dict)


def bucket() -> "S3Store":
    """Raises UploadRefused where media lie in a folder."""
    store = bucket_store()
    if store is None:
        raise UploadRefused(
            "Media of this site do not lie in a bucket: upload by tus at /api/v1/upload/tus/.", code="not_in_bucket"
        )
    return store


def lifetime_s(wanted_s: int | None = None) -> int:
    most = settings.UPLOAD_URL_MINUTES * 60
    return min(wanted_s or most, most)


def max_upload_bytes() -> int:
    return int(settings.MAX_UPLOAD_MB) * MEGABYTE


def sign_put(upload: DirectUpload) -> str:
    """Raises UploadRefused or StorageUnavailable, as do the others."""
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_uploads

    return s3_uploads.signed_put(
        bucket(), upload.key, upload.content_type, size_bytes=upload.declared_bytes, lifetime_s=lifetime_s()
    )


def sign_form(upload: DirectUpload, *, most: int | None = None) -> "Form":
    from media_pipeline.storage import s3_uploads

    return s3_uploads.signed_form(
        bucket(), upload.key, upload.content_type, most_bytes=most or max_upload_bytes(), lifetime_s=lifetime_s()
    )


def presign(upload: DirectUpload, wanted: Wanted) -> Signed:
    """One request of this upload, and of no other."""
    from media_pipeline.storage import s3_uploads

    if wanted.method == "PUT" and not wanted.upload_id:
        form = sign_form(upload)
        return Signed(form.url, upload.key, dict(form.fields))
    operation = s3_uploads.OPERATIONS.get((wanted.method, bool(wanted.upload_id), wanted.part_number is not None))
    if operation is None:
        raise UploadRefused("This request is none of an upload in parts.", code="not_signable", kind=Kind.INVALID)
    params: dict[str, Any] = {"UploadId": wanted.upload_id} if wanted.upload_id else {}
    if wanted.part_number is not None:
        params["PartNumber"] = allowed_part(wanted.part_number)
        direct_uploads.extend_expiry(upload=upload)
    if operation == "complete_multipart_upload":
        refuse_too_large(upload, wanted.upload_id)
    url = s3_uploads.signed(bucket(), operation, upload.key, params, lifetime_s=lifetime_s(wanted.lifetime_s))
    return Signed(url, upload.key)


def allowed_part(number: int) -> int:
    if not 1 <= number <= min(MOST_PARTS, -(-max_upload_bytes() // LEAST_PART_BYTES)):
        raise UploadRefused(too_large_sentence(settings.MAX_UPLOAD_MB), code="too_large", kind=Kind.TOO_LARGE)
    return number


def refuse_too_large(upload: DirectUpload, upload_id: str) -> None:
    """Parts are signed without knowing their sizes; before they are put together, the storage knows them."""
    from media_pipeline.storage import s3_uploads

    try:
        size_bytes = s3_uploads.uploaded_bytes(bucket(), upload.key, upload_id)
    except SourceMissing as gone:
        raise UploadRefused("This upload in parts is over or was given up.", code="upload_gone") from gone
    if size_bytes > max_upload_bytes():
        direct_uploads.abort_parts(upload)
        raise UploadRefused(too_large_sentence(settings.MAX_UPLOAD_MB), code="too_large", kind=Kind.TOO_LARGE)
