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
    """The store when it is one that browsers read from themselves, by addresses it signs."""
    connection: S3Connection | None = settings.S3_CONNECTION
    return connected(connection, os.getpid()) if connection else None


@lru_cache(maxsize=2)
def connected(connection: S3Connection, process_id: int) -> "S3Store":
    """One for each process: connections do not survive a fork."""
    # boto3 takes half a second and 30 MB: only installations with a bucket pay for it.
    from media_pipeline.storage.s3 import S3Store

    return S3Store(connection)


def is_in_bucket() -> bool:
    """The same question without loading what talks to the bucket."""
    return settings.S3_CONNECTION is not None


def media_origins() -> tuple[str, ...]:
    """Where pages get media from beside this site."""
    connection: S3Connection | None = settings.S3_CONNECTION
    return connection.origins if connection else ()
