"""`STORAGES["default"]` for the settings. Importing this module loads neither boto3 nor django-storages."""

from typing import Any

from media_pipeline.storage.buckets import S3Connection

MAX_MEMORY_BYTES = 2_500_000  # of an opened file; a larger one is downloaded to the disk


def file_storage(connection: S3Connection | None, *, url_lifetime_s: int) -> dict[str, Any]:
    """The storage of Django's file fields: MEDIA_ROOT or, with a connection, the bucket of the originals.

    The options are those of django-storages, all from the connection that the pipeline's store uses too. Options left
    out here (the client's retries, timeouts and checksums) are in `BucketStorage.get_default_settings`.
    """
    if connection is None:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    return {
        "BACKEND": "content_app.services.storage.form_storage.BucketStorage",
        "OPTIONS": {
            "bucket_name": connection.buckets.originals,
            "region_name": connection.region,
            "endpoint_url": connection.endpoint_url or None,
            # None: the role of the machine signs.
            "access_key": connection.access_key_id or None,
            "secret_key": connection.secret_access_key or None,
            "security_token": connection.session_token or None,
            "session_profile": None,
            "default_acl": None,  # the bucket alone says who may read
            "querystring_auth": True,
            "querystring_expire": url_lifetime_s,
            # Names are random (models.video.original_key), so asking whether one is taken would be a wasted request.
            "file_overwrite": True,
            "max_memory_size": MAX_MEMORY_BYTES,
        },
    }
