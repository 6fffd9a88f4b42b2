"""The store that the settings describe: a folder of this machine, or buckets of an S3 server."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from media_pipeline.storage.buckets import S3Connection
from media_pipeline.storage.store import LocalStore, Store

if TYPE_CHECKING:
    from media_pipeline.storage.s3 import S3Store


def get_store() -> Store:
    return bucket_store() or LocalStore(settings.MEDIA_ROOT)


def bucket_store() -> "S3Store | None":
    """Returns the store when media lie in buckets, which browsers read by the addresses that it signs; else None."""
    connection: S3Connection | None = settings.S3_CONNECTION
    return connected(connection, os.getpid()) if connection else None


@lru_cache(maxsize=2)
def connected(connection: S3Connection, process_id: int) -> "S3Store":
    """Returns the store of this process. A forked one gets its own, because connections do not survive a fork."""
    # boto3 takes half a second and 30 MB: only installations with a bucket pay for it.
    from media_pipeline.storage.s3 import S3Store

    return S3Store(connection)


def is_in_bucket() -> bool:
    """True when media lie in buckets; unlike `bucket_store` this does not load boto3."""
    return settings.S3_CONNECTION is not None


def media_origins() -> tuple[str, ...]:
    """Returns the origins that pages load media from, beside this site."""
    connection: S3Connection | None = settings.S3_CONNECTION
    return connection.origins if connection else ()
