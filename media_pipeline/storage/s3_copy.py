"""Copies objects within an S3 server; their bytes do not pass through this machine."""

from collections.abc import Iterable

from boto3.s3.transfer import TransferConfig, create_transfer_manager

from media_pipeline import layout
from media_pipeline.storage.buckets import cache_control
from media_pipeline.storage.s3 import S3Store, wait_for
from media_pipeline.storage.store import Tick

PARALLEL = 16  # more than for transfers: these requests carry no bytes


def copy_all(store: S3Store, bucket: str, keys: Iterable[tuple[str, str]], on_tick: Tick) -> None:
    """Copy objects of `bucket`, named by pairs of keys (source, target). Raises SourceMissing or StorageUnavailable."""
    config = TransferConfig(max_concurrency=PARALLEL, preferred_transfer_client="classic")
    with create_transfer_manager(store.client, config) as manager:
        copies = []
        for source, target in keys:
            target_bucket = store.buckets.bucket_of(target)
            headers = {
                "MetadataDirective": "REPLACE",
                "ContentType": layout.content_type(target),
                "CacheControl": cache_control(target),
            }
            future = manager.copy({"Bucket": bucket, "Key": source}, target_bucket, target, extra_args=headers)
            copies.append((future, target_bucket))
        wait_for(copies, on_tick)
