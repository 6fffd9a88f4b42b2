"""Removes stored objects. The transaction that drops the last reference to them writes a row; a job removes them later.

A row stays until its objects are gone, so that the reaper removes what a lost job has left.
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
    """Has these objects (keys or folders) removed after `due_at`, or after the commit when there is no `due_at`.

    A later call for the same prefix replaces the time.
    """
    when = due_at or timezone.now()
    rows = [Discard(prefix=prefix, due_at=when) for prefix in prefixes]
    Discard.objects.bulk_create(rows, update_conflicts=True, unique_fields=["prefix"], update_fields=["due_at"])
    if due_at is None:
        transaction.on_commit(queue.enqueue_cleanup)


def discard_video(*, video: Video) -> None:
    """Has everything removed that was ever stored for this video."""
    discard(prefixes=[*original_prefixes(video), layout.video_prefix(video.public_id)])


def original_prefixes(video: Video) -> list[str]:
    """The prefixes, or keys, of all originals of this video.

    A direct upload that replaces the file of an existing video has a key outside the video's own folder.
    """
    own = layout.originals_prefix(video.public_id)
    keys = {video.video_file.name or "", *(run.original for run in video.runs.all())}
    return [own, *sorted(key for key in keys if key and not key.startswith(f"{own}/"))]


def discard_later(*, prefix: str) -> None:
    """Has a version removed when every signed address of it has expired: a user may be watching it."""
    discard(prefixes=[prefix], due_at=timezone.now() + timedelta(minutes=settings.OLD_VERSION_MINUTES))


def discard_unless_kept(*, prefix: str) -> None:
    """Call before the first object is stored: if the process dies before `keep`, they are removed a day later."""
    discard(prefixes=[prefix], due_at=timezone.now() + timedelta(days=1))


def keep(*, prefix: str) -> None:
    """Call in the transaction that writes the reference to the objects: they are not removed any more."""
    Discard.objects.filter(prefix=prefix).delete()


def due() -> QuerySet[Discard]:
    """The rows whose time has come, except those of objects that an unsettled upload names.

    An object that has arrived is thus kept until it is checked, however long that takes; then the upload discards it.
    """
    named = DirectUpload.objects.filter(settled_at=None).values("key")
    return Discard.objects.filter(due_at__lte=timezone.now()).exclude(prefix__in=named)


def remove_due(*, max_rows: int | None = None) -> int:
    """Removes the objects that are due, at most those of the first `max_rows` rows. Returns how many rows are done."""
    removed = 0
    for row in due().order_by("due_at")[:max_rows]:
        if not due().filter(pk=row.pk, due_at=row.due_at).exists():
            continue  # kept or postponed since the list was read
        try:
            get_store().delete_prefix(row.prefix)
        except StorageUnavailable as error:
            log.warning("%s could not be removed, it will be tried again: %s", row.prefix, error.detail)
            # The row moves behind the others, in case its object alone is the problem.
            Discard.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=timezone.now() + SECOND_TRY)
            # The rest is left to the next call: asking a storage that is away for each row would keep this worker from
            # its other jobs.
            break
        # The row stays if another process has postponed it in the meantime.
        Discard.objects.filter(pk=row.pk, due_at=row.due_at).delete()
        removed += 1
    return removed
