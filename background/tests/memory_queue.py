"""A queue in the test's own process, without Redis and without workers."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from redis.exceptions import ConnectionError as RedisDown


class MemoryQueue:
    """Keeps the jobs that are put on it. They wait until the test takes all of them up."""

    def __init__(self) -> None:
        self.put_keys: defaultdict[str, list[int]] = defaultdict(list)
        """The keys of all jobs that were ever put here, in order, by the name of the job."""
        self.waiting: defaultdict[str, set[int]] = defaultdict(set)
        self.on_put: dict[str, Callable[[int], object]] = {}
        """By the name of a job, a function that is called with the key when a worker could take the job."""
        self.workers = 1
        self.is_reachable = True

    def put(self, queue_name: str, function: str, key: int, *, timeout_s: int) -> None:
        self._require_reachable()
        job = function.rpartition(".")[2]
        self.put_keys[job].append(key)
        self.waiting[job].add(key)
        if job in self.on_put:
            self.on_put[job](key)

    def take_all(self) -> None:
        """Takes up all waiting jobs, as workers do, without running them."""
        self.waiting.clear()

    def keys_waiting(self, queue_name: str, job: str) -> set[int]:
        self._require_reachable()
        return set(self.waiting[job])

    def lock(self, name: str) -> AbstractContextManager[object]:
        self._require_reachable()
        return nullcontext()

    def ping(self) -> bool:
        self._require_reachable()
        return True

    def worker_count(self, queue_name: str) -> int:
        self._require_reachable()
        return self.workers

    def _require_reachable(self) -> None:
        if not self.is_reachable:
            raise RedisDown("no queue in this test")
