"""Videos that wait for a worker although no job of theirs is on the queue."""

from django.conf import settings

from background.queue import enqueue_lost
from content_app import queue
from content_app.services.processing import lifecycle


def enqueue_waiting() -> int:
    """Enqueue every pending video that has no job waiting: after a lost or flushed Redis the database knows them."""
    waiting = lifecycle.waiting_ids() if settings.TRANSCODER == "internal" else []
    return enqueue_lost(waiting, queued=queue.videos_waiting, enqueue_one=queue.enqueue_processing, what="videos")
