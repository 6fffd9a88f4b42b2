"""One round of the reaper, and those of its chores that belong to no other service."""

import time
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from content_app import queue
from content_app.models import ReaperRound
from content_app.services import processing, room
from users_app.queue import enqueue_lost
from users_app.registry import chores
from users_app.services.housekeeping import Housekeeping, Round

JUST_MADE_S = 60


def reap() -> Round:
    """One round of every chore that the apps have registered; safe to run anywhere, any time, several at once."""
    return Housekeeping(chores).run_round()


def note_round() -> None:
    """The last chore of a round: the other ones have had their turn, which `manage.py doctor` asks for."""
    ReaperRound.objects.update_or_create(pk=1, defaults={"ended_at": timezone.now()})


def enqueue_waiting() -> int:
    """Enqueue every pending video that has no job waiting: after a lost or flushed Redis the database knows them."""
    waiting = processing.waiting_ids() if settings.TRANSCODER == "internal" else []
    return enqueue_lost(waiting, queued=queue.videos_waiting, enqueue_one=queue.enqueue_processing, what="videos")


def sweep_incoming() -> int:
    """Remove what a web process that was killed in mid-upload left half-received; how many files.

    A file that cannot be removed keeps none of the others; its OSError is raised after them.
    """
    removed, problem = 0, None
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir():
        try:
            if is_abandoned(path):
                path.unlink(missing_ok=True)
                removed += 1
        except OSError as error:
            problem = error
    if problem is not None:
        raise problem
    return removed


def is_abandoned(path: Path) -> bool:
    """No process receives it. One that was made a moment ago may not be held yet."""
    try:
        return time.time() - path.stat().st_mtime > JUST_MADE_S and not room.is_held(path)
    except FileNotFoundError:
        return False  # stored or dropped just now
