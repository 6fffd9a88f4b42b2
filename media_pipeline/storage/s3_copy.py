"""Copies objects within an S3 server; their bytes do not pass through this machine."""

from collections.abc import Iterable
from typing import Any

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
        wait_for([start_copy(manager, store, bucket, source, target) for source, target in keys], on_tick)


def start_copy(manager: Any, store: S3Store, bucket: str, source: str, target: str) -> tuple[Any, str]:
    place = store.buckets.bucket_of(target)
    extra = {
        "MetadataDirective": "REPLACE",
        "ContentType": layout.content_type(target),
        "CacheControl": cache_control(target),
    }
    return manager.copy({"Bucket": bucket, "Key": source}, place, target, extra_args=extra), place
