"""What nobody else looks after: expired claims, lost jobs, objects to remove, scratch left by killed workers."""

import logging
import time
from pathlib import Path

from django.conf import settings

from content_app import metadata, queue
from content_app.services import discards, encoding, processing, room, scratch, sources, tus, uploads
from users_app.queue import enqueue_lost
from users_app.services import mail, registration, trail

log = logging.getLogger(__name__)

ABANDONED_S = 24 * 3600
# Of a form that is still to bring something, for which room is kept.
SILENT_S = 3600


def reap() -> None:
    """One round; safe to run anywhere, any time, several at once."""
    processing.take_back_expired()
    enqueue_waiting()
    tus.sweep()
    uploads.look_after()
    mail.look_after()
    registration.drop_unconfirmed()
    trail.drop_old()
    metadata.look_after()
    discards.remove_due()
    encoding.sweep_scratch()
    scratch.sweep_brief_folders()
    sources.drop_kept()
    sweep_incoming()


def enqueue_waiting() -> int:
    """Enqueue every pending video that has no job waiting: after a lost or flushed Redis the database knows them."""
    waiting = processing.waiting_ids() if settings.TRANSCODER == "internal" else []
    return enqueue_lost(waiting, queued=queue.videos_waiting, enqueue_one=queue.enqueue_processing, what="videos")


def sweep_incoming() -> int:
    """Remove what a web process that was killed in mid-upload left half-received; how many files."""
    old = [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir() if is_abandoned(path)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def is_abandoned(path: Path) -> bool:
    try:
        most_s = SILENT_S if room.unwritten_bytes(path) else ABANDONED_S
        return time.time() - path.stat().st_mtime > most_s
    except FileNotFoundError:
        return False  # stored or dropped just now
