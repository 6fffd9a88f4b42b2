"""The jobs of this app on the queue."""

from background import queue
from background.queue import HOUSEKEEPING, enqueue, enqueue_once, keys_waiting
from background.queue import ping as ping

MEDIA = "media"
# The pipeline has limits of its own, told in seconds of film; this one ends a job that they did not.
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
    """Whether a cleanup is on the queue: one at a time, which removes all objects that are due when it runs."""
    return enqueue_once(HOUSEKEEPING, "content_app.jobs.remove_discards", timeout_s=CLEANUP_TIMEOUT_S)


def videos_waiting() -> set[int]:
    """The videos whose job waits on the queue; raises RedisError when it cannot be reached."""
    return keys_waiting(MEDIA, "process_video")


def checks_waiting() -> set[int]:
    """The uploads whose check waits on the queue; raises RedisError when it cannot be reached."""
    return keys_waiting(HOUSEKEEPING, "check_upload")


def worker_count() -> int | None:
    """How many workers serve films; None when the queue cannot be reached."""
    return queue.worker_count(MEDIA)
