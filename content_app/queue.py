"""Puts jobs on the queue, by dotted name, and asks how the queue is; the only module here that knows RQ."""

import logging

import django_rq
from redis.exceptions import RedisError
from rq import Queue, Worker

from users_app.queue import HOUSEKEEPING, enqueue, keys_waiting

log = logging.getLogger(__name__)

MEDIA = "media"
# The pipeline has limits of its own, told in seconds of film; this one ends a job that they did not.
PROCESSING_TIMEOUT_S = 48 * 3600
CLEANUP_TIMEOUT_S = 3600
LOCK_S = 2
INSPECTION_TIMEOUT_S = 3600


def enqueue_processing(video_id: int) -> bool:
    return enqueue(MEDIA, "content_app.jobs.process_video", video_id, timeout_s=PROCESSING_TIMEOUT_S)


def enqueue_inspection(video_id: int) -> bool:
    return enqueue(HOUSEKEEPING, "content_app.jobs.inspect_video", video_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_check(upload_id: int) -> bool:
    return enqueue(HOUSEKEEPING, "content_app.jobs.check_upload", upload_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_cleanup() -> bool:
    """Whether a cleanup is on the queue: one at a time, which removes whatever is due when it runs."""
    try:
        with _queue().connection.lock("videoflix:enqueue_cleanup", timeout=LOCK_S, blocking_timeout=LOCK_S):
            if keys_waiting(HOUSEKEEPING, "remove_discards"):
                return True
            return enqueue(HOUSEKEEPING, "content_app.jobs.remove_discards", 0, timeout_s=CLEANUP_TIMEOUT_S)
    except RedisError as error:
        log.warning("the queue cannot be reached, the reaper will clean up: %s", error)
        return False


def videos_waiting() -> set[int]:
    """The videos whose job waits on the queue; raises RedisError when it cannot be reached."""
    return keys_waiting(MEDIA, "process_video")


def checks_waiting() -> set[int]:
    """The uploads whose check waits on the queue; raises RedisError when it cannot be reached."""
    return keys_waiting(HOUSEKEEPING, "check_upload")


def ping() -> bool:
    try:
        return bool(_queue().connection.ping())
    except RedisError:
        return False


def worker_count() -> int | None:
    """How many workers serve films; None when the queue cannot be reached."""
    try:
        return int(Worker.count(queue=_queue()))
    except RedisError:
        return None


def _queue() -> Queue:
    return django_rq.get_queue(MEDIA)
