"""Puts this app's jobs on the queue, and tells which of them wait there."""

from background import queue
from background.queue import HOUSEKEEPING, enqueue, enqueue_once, keys_waiting
from background.queue import ping as ping

MEDIA = "media"
# The pipeline has its own limits, which depend on the length of the film; this one ends a job that they did not end.
PROCESSING_TIMEOUT_S = 48 * 3600
CLEANUP_TIMEOUT_S = 3600
INSPECTION_TIMEOUT_S = 3600


def enqueue_processing(video_id: int) -> bool:
    return enqueue(MEDIA, "content_app.jobs.process_video", video_id, timeout_s=PROCESSING_TIMEOUT_S)


def enqueue_inspection(video_id: int) -> bool:
    return enqueue(HOUSEKEEPING, "content_app.jobs.inspect_video", video_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_check(upload_id: int) -> bool:
    return enqueue(HOUSEKEEPING, "content_app.jobs.check_upload", upload_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_cleanup() -> bool:
    """Returns whether a cleanup is on the queue. One at a time is enough: it removes all objects that are due."""
    return enqueue_once(HOUSEKEEPING, "content_app.jobs.remove_discards", timeout_s=CLEANUP_TIMEOUT_S)


def videos_waiting() -> set[int]:
    """Returns the ids of the videos whose job waits on the queue. Raises RedisError when Redis does not answer."""
    return keys_waiting(MEDIA, "process_video")


def checks_waiting() -> set[int]:
    """Returns the ids of the uploads whose check waits on the queue. Raises RedisError when Redis does not answer."""
    return keys_waiting(HOUSEKEEPING, "check_upload")


def worker_count() -> int | None:
    """Returns how many workers process films; None when Redis does not answer."""
    return queue.worker_count(MEDIA)
