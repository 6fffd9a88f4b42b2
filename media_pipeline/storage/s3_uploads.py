"""Signed requests by which a browser uploads a file into a bucket: each for one operation and one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from media_pipeline.storage.s3 import S3Store, s3_faults

# The operations that a client may have signed for its own upload, by (method, has upload id, has part number).
OPERATIONS: Mapping[tuple[str, bool, bool], str] = {
    ("POST", False, False): "create_multipart_upload",
    ("PUT", True, True): "upload_part",
    ("GET", True, False): "list_parts",
    ("POST", True, False): "complete_multipart_upload",
    ("DELETE", True, False): "abort_multipart_upload",
}


@dataclass(frozen=True)
class Stat:
    size_bytes: int
    etag: str


@dataclass(frozen=True)
class Form:
    """A POST of multipart/form-data: `fields` come first, the file last."""

    url: str
    fields: Mapping[str, str]


def stat(store: S3Store, key: str) -> Stat:
    """The size and ETag of an object. Raises SourceMissing."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        head = store.quick_client.head_object(Bucket=bucket, Key=key)
    return Stat(int(head["ContentLength"]), str(head["ETag"]))


def signed_put(store: S3Store, key: str, content_type: str, *, size_bytes: int | None, lifetime_s: int) -> str:
    """The address of a PUT of this type and, when `size_bytes` is known, of exactly this size."""
    params: dict[str, Any] = {"ContentType": content_type}
    if size_bytes is not None:
        params["ContentLength"] = size_bytes
    return signed(store, "put_object", key, params, lifetime_s=lifetime_s)


def signed_form(store: S3Store, key: str, content_type: str, *, max_bytes: int, lifetime_s: int) -> Form:
    """A form with a POST policy: the storage refuses an empty file, more than `max_bytes`, and another type."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        signed = store.signer.generate_presigned_post(
            bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=store.capped(lifetime_s),
        )
    return Form(str(signed["url"]), dict(signed["fields"]))


def signed(store: S3Store, operation: str, key: str, params: Mapping[str, Any], *, lifetime_s: int) -> str:
    """The address of one request (`operation` is boto3's name). Raises StorageUnavailable without credentials."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        url: str = store.signer.generate_presigned_url(
            operation, Params={"Bucket": bucket, "Key": key, **params}, ExpiresIn=store.capped(lifetime_s)
        )
    return url


def uploaded_bytes(store: S3Store, key: str, upload_id: str) -> int:
    """The size of the parts that have arrived so far. Raises SourceMissing when there is no such upload."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        pages = store.quick_client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
        return sum(int(part["Size"]) for page in pages for part in page.get("Parts", ()))


def abort_unfinished(store: S3Store, key: str) -> int:
    """Abort every upload in parts of this key. Returns how many there were."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        uploads = store.quick_client.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", ())
        for upload in uploads:
            store.quick_client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return len(uploads)
