"""What lets a browser bring a file into a bucket by itself: one signed request at a time, for one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from media_pipeline.storage.s3 import S3Store, s3_faults

# What a client may ask to have signed for its own upload: method, and which of the two numbers it names.
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
    """A POST of multipart/form-data: these fields first, the file last."""

    url: str
    fields: Mapping[str, str]


def stat(store: S3Store, key: str) -> Stat:
    """Raises SourceMissing."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        head = store.quick_client.head_object(Bucket=bucket, Key=key)
    return Stat(int(head["ContentLength"]), str(head["ETag"]))


def signed_put(store: S3Store, key: str, content_type: str, *, size_bytes: int | None, lifetime_s: int) -> str:
    """Puts one object of this type and, if it is told, of exactly this size."""
    params: dict[str, Any] = {"ContentType": content_type}
    if size_bytes is not None:
        params["ContentLength"] = size_bytes
    return signed(store, "put_object", key, params, lifetime_s=lifetime_s)


def signed_form(store: S3Store, key: str, content_type: str, *, most_bytes: int, lifetime_s: int) -> Form:
    """A POST policy: the storage itself refuses what is empty or larger, or of another type."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        signed = store.signer.generate_presigned_post(
            bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, most_bytes]],
            ExpiresIn=store.capped(lifetime_s),
        )
    return Form(str(signed["url"]), dict(signed["fields"]))


def signed(store: S3Store, operation: str, key: str, params: Mapping[str, Any], *, lifetime_s: int) -> str:
    """Of `operation` as boto3 names it. Raises StorageUnavailable when there are no credentials to sign with."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        url: str = store.signer.generate_presigned_url(
            operation, Params={"Bucket": bucket, "Key": key, **params}, ExpiresIn=store.capped(lifetime_s)
        )
    return url


def uploaded_bytes(store: S3Store, key: str, upload_id: str) -> int:
    """Of the parts that have arrived so far. Raises SourceMissing when there is no such upload."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        pages = store.quick_client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
        return sum(int(part["Size"]) for page in pages for part in page.get("Parts", ()))


def abort_unfinished(store: S3Store, key: str) -> int:
    """Give up every upload in parts of this key; how many there were."""
    bucket = store.buckets.bucket_of(key)
    with s3_faults(bucket):
        found = store.quick_client.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", ())
        for upload in found:
            store.quick_client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return len(found)
