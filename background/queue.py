"""Puts jobs on the queue, by dotted name, and reads what waits there. This module alone knows RQ, no app does.

While the queue is down, callers go on without it, and the reaper enqueues later from the database.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Protocol

import django_rq
import structlog
from redis.exceptions import RedisError
from rq import Worker, get_current_job

log = logging.getLogger(__name__)

HOUSEKEEPING = "default"
FAILURE_TTL_S = 24 * 3600
LOCK_S = 2  # a lock ends after this time even if its holder was killed, and others wait for it as long


class JobQueue(Protocol):
    """Where jobs wait for a worker. Every method raises RedisError when the queue cannot be reached."""

    def put(self, queue_name: str, function: str, key: int, *, timeout_s: int) -> None:
        """`function`: the dotted name of the job. `key`: the id that it takes, 0 for a job that takes none."""

    def keys_waiting(self, queue_name: str, job: str) -> set[int]:
        """The keys of the waiting jobs of this name, which is the last part of the dotted name."""

    def lock(self, name: str) -> AbstractContextManager[object]:
        """Held by one caller at a time, in all processes."""

    def ping(self) -> bool: ...
    def worker_count(self, queue_name: str) -> int: ...


class RqQueue:
    """The queues of RQ in Redis."""

    def put(self, queue_name: str, function: str, key: int, *, timeout_s: int) -> None:
        django_rq.get_queue(queue_name).enqueue_call(
            function,
            args=(key,) if key else (),
            # keys_waiting reads the name and the key from it.
            job_id=f"{function.rpartition('.')[2]}-{key}-{uuid.uuid4().hex[:12]}",
            timeout=timeout_s,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
            meta={"origin": structlog.contextvars.get_contextvars()},
        )

    def keys_waiting(self, queue_name: str, job: str) -> set[int]:
        job_ids: list[str] = django_rq.get_queue(queue_name).get_job_ids()
        return {int(parts[1]) for job_id in job_ids if (parts := job_id.split("-"))[0] == job}

    def lock(self, name: str) -> AbstractContextManager[object]:
        connection = django_rq.get_queue(HOUSEKEEPING).connection
        lock: AbstractContextManager[object] = connection.lock(
            f"videoflix:{name}", timeout=LOCK_S, blocking_timeout=LOCK_S
        )
        return lock

    def ping(self) -> bool:
        return bool(django_rq.get_queue(HOUSEKEEPING).connection.ping())

    def worker_count(self, queue_name: str) -> int:
        return int(Worker.count(queue=django_rq.get_queue(queue_name)))


_queue: JobQueue = RqQueue()


@contextmanager
def using(queue: JobQueue) -> Iterator[None]:
    """This process uses `queue` within the context: tests hand in one that needs no Redis."""
    global _queue
    before, _queue = _queue, queue
    try:
        yield
    finally:
        _queue = before


def enqueue(queue_name: str, function: str, key: int, *, timeout_s: int) -> bool:
    """Puts the job on the queue; returns False when it cannot be reached. `key`: 0 for a job that takes none."""
    try:
        _queue.put(queue_name, function, key, timeout_s=timeout_s)
    except RedisError as error:
        log.warning("the queue cannot be reached, the reaper will enqueue later: %s", error)
        return False
    return True


def enqueue_once(queue_name: str, function: str, *, timeout_s: int) -> bool:
    """Enqueues this job, which takes no key, unless one of its name is waiting; False when the queue is down."""
    job = function.rpartition(".")[2]
    try:
        # Asked without the lock first: where a thousand callers come at once, only the first ones wait for each other,
        # and none loses the lock for so long that it gives up.
        if _queue.keys_waiting(queue_name, job):
            return True
        with _queue.lock(f"enqueue_once:{function}"):
            return bool(_queue.keys_waiting(queue_name, job)) or enqueue(queue_name, function, 0, timeout_s=timeout_s)
    except RedisError as error:
        log.warning("the queue cannot be reached, the reaper will do it: %s", error)
        return False


def keys_waiting(queue_name: str, job: str) -> set[int]:
    """The keys of the waiting jobs of this name; raises RedisError when the queue cannot be reached."""
    return _queue.keys_waiting(queue_name, job)


def enqueue_lost(
    ids: Iterable[int], *, queued: Callable[[], set[int]], enqueue_one: Callable[[int], bool], what: str
) -> int:
    """Enqueues those of `ids` that are not on the queue, as after a flush of Redis; returns how many."""
    known = list(ids)
    if not known:
        return 0
    try:
        waiting = queued()
    except RedisError as error:
        log.warning("%d %s wait, but the queue cannot be reached: %s", len(known), what, error)
        return 0
    return sum(enqueue_one(key) for key in known if key not in waiting)


def ping() -> bool:
    try:
        return _queue.ping()
    except RedisError:
        return False


def worker_count(queue_name: str) -> int | None:
    """The number of workers that serve this queue; None when it cannot be reached."""
    try:
        return _queue.worker_count(queue_name)
    except RedisError:
        return None


def logged_with_its_origin(job: Callable[..., None]) -> Callable[..., None]:
    """Adds the id of the job, and of the request that led to it, to every line that the job logs."""

    @wraps(job)
    def run(*args: int) -> None:
        running = get_current_job()  # None where the job is called as a plain function
        origin = {} if running is None else {**running.meta.get("origin", {}), "job_id": running.id}
        with structlog.contextvars.bound_contextvars(**origin):
            job(*args)

    return run
