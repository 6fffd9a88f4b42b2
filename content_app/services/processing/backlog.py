"""Enqueues videos that wait for a worker but have no job on the queue."""

from django.conf import settings

from background.queue import enqueue_lost
from content_app import queue
from content_app.services.processing import lifecycle


def enqueue_waiting() -> int:
    """Enqueues every pending video that has no job, for example after Redis has lost its data. Returns how many."""
    waiting = lifecycle.waiting_ids() if settings.TRANSCODER == "internal" else []
    return enqueue_lost(waiting, queued=queue.videos_waiting, enqueue_one=queue.enqueue_processing, what="videos")
