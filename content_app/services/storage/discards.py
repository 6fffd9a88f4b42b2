"""Lets go of stored objects: a row in the transaction that lets go, the removal after commit by a job.

What a lost job leaves, the reaper finds: the rows stay until the objects are gone.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from content_app import queue
from content_app.models import DirectUpload, Discard, Video
from content_app.services.storage.stores import get_store
from media_pipeline import layout
from media_pipeline.errors import StorageUnavailable

log = logging.getLogger(__name__)

SECOND_TRY = timedelta(minutes=1)


def discard(*, prefixes: Iterable[str], due_at: datetime | None = None) -> None:
    """Remove these objects (keys or folders) once `due_at` has passed; at once without it."""
    when = due_at or timezone.now()
    rows = [Discard(prefix=prefix, due_at=when) for prefix in prefixes]
    Discard.objects.bulk_create(rows, update_conflicts=True, unique_fields=["prefix"], update_fields=["due_at"])
    if due_at is None:
        transaction.on_commit(queue.enqueue_cleanup)


def discard_video(*, video: Video) -> None:
    """Everything that was ever stored for this video."""
    discard(prefixes=[*video.original_prefixes, layout.video_prefix(video.public_id)])


def discard_later(*, prefix: str) -> None:
    """What somebody may still be looking at goes when every address of it has expired."""
    discard(prefixes=[prefix], due_at=timezone.now() + timedelta(minutes=settings.OLD_VERSION_MINUTES))


def discard_unless_kept(*, prefix: str) -> None:
    """Before the first object is stored: if whoever stores them dies, they are removed a day later."""
    discard(prefixes=[prefix], due_at=timezone.now() + timedelta(days=1))


def keep(*, prefix: str) -> None:
    """What was expected is there, and something refers to it."""
    Discard.objects.filter(prefix=prefix).delete()


def due() -> QuerySet[Discard]:
    """Not what an upload still names: an object that has arrived is kept until it was looked at, however long that
    takes, and the upload itself lets go of it in the end.
    """
    named = DirectUpload.objects.filter(settled_at=None).values("key")
    return Discard.objects.filter(due_at__lte=timezone.now()).exclude(prefix__in=named)


def remove_due(*, most: int | None = None) -> int:
    """Remove what is due, or the first `most` of it; how many prefixes went.

    One that cannot be removed is tried again after the others. A storage that is away is not asked for each of them:
    the worker that removes has other work.
    """
    removed = 0
    for row in due().order_by("due_at")[:most]:
        if not due().filter(pk=row.pk, due_at=row.due_at).exists():
            continue  # kept or postponed since the list was read
        try:
            get_store().delete_prefix(row.prefix)
        except StorageUnavailable as error:
            log.warning("%s could not be removed, it will be tried again: %s", row.prefix, error.detail)
            Discard.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=timezone.now() + SECOND_TRY)
            break
        # Only if nobody postponed it meanwhile.
        Discard.objects.filter(pk=row.pk, due_at=row.due_at).delete()
        removed += 1
    return removed
