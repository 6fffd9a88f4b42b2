"""What is done about a message that says that an object has arrived in a bucket."""

import logging

from django.conf import settings

from content_app.models import DirectUpload
from content_app.services.uploads import direct_uploads
from content_app.services.uploads.s3_events import Arrived, parse_message
from media_pipeline.storage.buckets import S3Connection

log = logging.getLogger(__name__)


def handle_message(body: str) -> int:
    """How many uploads have arrived by it; the same message again changes nothing.

    Raises BadMessage for what is no notification, StorageUnavailable and database errors for what may pass.
    """
    return sum(handle_arrival(arrived) for arrived in parse_message(body))


def handle_arrival(arrived: Arrived) -> bool:
    """Once for each upload, though S3 may tell of one object twice, and of its last part as well."""
    connection: S3Connection | None = settings.S3_CONNECTION
    if connection is None or arrived.bucket != connection.buckets.originals:
        return False
    upload = DirectUpload.objects.filter(key=arrived.key).first()
    if upload is None:
        log.debug("%s: not one of our uploads", arrived.key)
        return False
    return direct_uploads.note_arrival(upload=upload)
