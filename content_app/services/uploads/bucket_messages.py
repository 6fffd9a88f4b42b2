"""Handles the messages in which S3 says that an object has arrived in a bucket."""

import logging

from django.conf import settings

from content_app.models import DirectUpload
from content_app.services.uploads import direct_uploads
from content_app.services.uploads.s3_events import parse_message
from media_pipeline.storage.buckets import S3Connection

log = logging.getLogger(__name__)


def handle_message(body: str) -> int:
    """Notes the uploads whose objects the message reports. Returns how many are new. A message may be handled twice.

    Raises BadMessage for a message that is not a notification of S3. StorageUnavailable and database errors may pass.
    """
    connection: S3Connection | None = settings.S3_CONNECTION
    count = 0
    for arrived in parse_message(body):
        if connection is None or arrived.bucket != connection.buckets.originals:
            continue
        upload = DirectUpload.objects.filter(key=arrived.key).first()
        if upload is None:
            log.debug("%s: not an upload of this site", arrived.key)
            continue
        # False the second time: S3 may report an object more than once.
        count += direct_uploads.note_arrival(upload=upload)
    return count
