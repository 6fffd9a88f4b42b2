"""Puts jobs on the queue, by dotted name, and asks how the queue is; the only module here that knows RQ.

A queue that is down costs nothing but time: the caller goes on, and the reaper enqueues from the database later.
"""

import logging
import uuid
from typing import Any

import django_rq
import structlog
from redis.exceptions import RedisError
from rq import Queue, Worker, get_current_job

log = logging.getLogger(__name__)

MEDIA = "media"
HOUSEKEEPING = "default"
FAILURE_TTL_S = 24 * 3600
# The pipeline has limits of its own, told in seconds of film; this one ends a job that they did not.
PROCESSING_TIMEOUT_S = 48 * 3600
CLEANUP_TIMEOUT_S = 3600
INSPECTION_TIMEOUT_S = 3600


def enqueue_processing(video_id: int) -> bool:
    return _enqueue(MEDIA, "content_app.jobs.process_video", video_id, timeout_s=PROCESSING_TIMEOUT_S)


def enqueue_inspection(video_id: int) -> bool:
    return _enqueue(HOUSEKEEPING, "content_app.jobs.inspect_video", video_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_check(upload_id: int) -> bool:
    return _enqueue(HOUSEKEEPING, "content_app.jobs.check_upload", upload_id, timeout_s=INSPECTION_TIMEOUT_S)


def enqueue_cleanup() -> bool:
    return _enqueue(HOUSEKEEPING, "content_app.jobs.remove_discards", 0, timeout_s=CLEANUP_TIMEOUT_S)


def _enqueue(queue_name: str, function: str, key: int, *, timeout_s: int) -> bool:
    """Whether the job is on the queue; False when the queue cannot be reached."""
    try:
        django_rq.get_queue(queue_name).enqueue_call(
            function,
            args=(key,) if key else (),
            job_id=f"{function.rpartition('.')[2]}-{key}-{uuid.uuid4().hex[:12]}",
            timeout=timeout_s,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
            meta={"origin": structlog.contextvars.get_contextvars()},
        )
    except RedisError as error:
        log.warning("the queue cannot be reached, the reaper will enqueue later: %s", error)
        return False
    return True


def origin_of_job() -> dict[str, Any]:
    """What was known where the job that runs here was put on the queue (the id of a request), and its own id."""
    job = get_current_job()
    return {} if job is None else {**job.meta.get("origin", {}), "job_id": job.id}


def videos_waiting() -> set[int]:
    """The videos whose job waits on the queue; raises RedisError when it cannot be reached."""
    job_ids: list[str] = _queue().get_job_ids()
    return {int(parts[1]) for job_id in job_ids if len(parts := job_id.split("-")) == 3 and parts[1].isdigit()}


def checks_waiting() -> set[int]:
    """The uploads whose check waits on the queue; raises RedisError when it cannot be reached."""
    job_ids: list[str] = django_rq.get_queue(HOUSEKEEPING).get_job_ids()
    return {int(parts[1]) for job_id in job_ids if (parts := job_id.split("-"))[0] == "check_upload"}


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
