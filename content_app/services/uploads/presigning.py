"""Signs the requests of an upload into the bucket, within the limits for uploads."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from background.refusals import Kind
from content_app.input_rules import MEGABYTE, too_large_sentence
from content_app.models import DirectUpload
from content_app.services.storage.stores import bucket_store
from content_app.services.uploads import direct_uploads
from content_app.services.uploads.direct_uploads import UploadRefused
from media_pipeline.errors import SourceMissing

if TYPE_CHECKING:
    from media_pipeline.storage.s3 import S3Store
    from media_pipeline.storage.s3_uploads import Form

MIN_PART_BYTES = 5 * MEGABYTE  # of S3; only the last part may be smaller
MAX_PARTS = 10_000


@dataclass(frozen=True)
class Wanted:
    """A request that a client wants to send to the bucket. Without an upload id it begins an upload."""

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
    """Returns the store in which media lie. Raises UploadRefused where they lie in a folder."""
    store = bucket_store()
    if store is None:
        raise UploadRefused(
            "This site does not keep media in a bucket: upload by tus at /api/v1/upload/tus/.", code="not_in_bucket"
        )
    return store


def lifetime_s(asked_s: int | None = None) -> int:
    """Returns how long a signed request is valid: as long as the client asks, at most UPLOAD_URL_MINUTES."""
    max_s = settings.UPLOAD_URL_MINUTES * 60
    return min(asked_s or max_s, max_s)


def max_upload_bytes() -> int:
    return int(settings.MAX_UPLOAD_MB) * MEGABYTE


def sign_put(upload: DirectUpload) -> str:
    """Returns the signed address of a PUT. Raises UploadRefused or StorageUnavailable."""
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_uploads

    return s3_uploads.signed_put(
        bucket(), upload.key, upload.content_type, size_bytes=upload.declared_bytes, lifetime_s=lifetime_s()
    )


def sign_form(upload: DirectUpload, *, max_bytes: int | None = None) -> "Form":
    """Returns a signed form, for which the storage enforces `max_bytes`. Raises UploadRefused or StorageUnavailable."""
    from media_pipeline.storage import s3_uploads

    return s3_uploads.signed_form(
        bucket(), upload.key, upload.content_type, max_bytes=max_bytes or max_upload_bytes(), lifetime_s=lifetime_s()
    )


def presign(upload: DirectUpload, wanted: Wanted) -> Signed:
    """Signs one request of this upload. Raises UploadRefused or StorageUnavailable."""
    from media_pipeline.storage import s3_uploads

    if wanted.method == "PUT" and not wanted.upload_id:
        form = sign_form(upload)
        return Signed(form.url, upload.key, dict(form.fields))
    operation = s3_uploads.OPERATIONS.get((wanted.method, bool(wanted.upload_id), wanted.part_number is not None))
    if operation is None:
        raise UploadRefused("This request is not part of an upload in parts.", code="not_signable", kind=Kind.INVALID)
    params: dict[str, Any] = {"UploadId": wanted.upload_id} if wanted.upload_id else {}
    if wanted.part_number is not None:
        # No more parts than the largest allowed file has when each is as small as S3 takes them.
        if not 1 <= wanted.part_number <= min(MAX_PARTS, -(-max_upload_bytes() // MIN_PART_BYTES)):
            raise UploadRefused(too_large_sentence(settings.MAX_UPLOAD_MB), code="too_large", kind=Kind.TOO_LARGE)
        params["PartNumber"] = wanted.part_number
        direct_uploads.extend_expiry(upload=upload)
    if operation == "complete_multipart_upload":
        refuse_too_large(upload, wanted.upload_id)
    url = s3_uploads.signed(bucket(), operation, upload.key, params, lifetime_s=lifetime_s(wanted.lifetime_s))
    return Signed(url, upload.key)


def refuse_too_large(upload: DirectUpload, upload_id: str) -> None:
    """Raises UploadRefused when the parts that have arrived are too large, and removes them.

    Parts are signed without their sizes, so only now can the sizes be added up.
    """
    from media_pipeline.storage import s3_uploads

    try:
        size_bytes = s3_uploads.uploaded_bytes(bucket(), upload.key, upload_id)
    except SourceMissing as gone:
        raise UploadRefused("This upload in parts was completed or cancelled.", code="upload_gone") from gone
    if size_bytes > max_upload_bytes():
        direct_uploads.abort_parts(upload)
        raise UploadRefused(too_large_sentence(settings.MAX_UPLOAD_MB), code="too_large", kind=Kind.TOO_LARGE)
