"""Numbers that count for a while, in Redis for all processes; while it is away, in each process for itself.

Whatever counts must never take the site down: a Redis that fails is not asked again for some seconds.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

PAUSE_S = 5.0
TIMEOUT_S = 0.5  # of a Redis that hangs, once in every pause
MOST_LOCAL = 50_000  # entries; whoever sends from more addresses than that is counted anew
T = TypeVar("T")


class CounterStore(Protocol):
    def hit(self, current: str, previous: str, ttl_s: int) -> tuple[int, int]:
        """Add one to the first; both afterwards."""

    def take_back(self, key: str) -> None: ...

    def add(self, key: str, ttl_s: int) -> int:
        """One more; it counts for so long after the last one."""

    def hold(self, key: str, seconds: int) -> None: ...

    def held_s(self, *keys: str) -> float:
        """How long the one lasts that lasts longest; 0 when none does."""

    def drop(self, *keys: str) -> None: ...


class RedisStore:
    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def hit(self, current: str, previous: str, ttl_s: int) -> tuple[int, int]:
        pipe = self.redis.pipeline(transaction=False)
        pipe.incr(current)
        pipe.expire(current, ttl_s)
        pipe.get(previous)
        count, _, before = pipe.execute()
        return int(count), int(before or 0)

    def take_back(self, key: str) -> None:
        self.redis.decr(key)

    def add(self, key: str, ttl_s: int) -> int:
        pipe = self.redis.pipeline(transaction=False)
        pipe.incr(key)
        pipe.expire(key, ttl_s)
        return int(pipe.execute()[0])

    def hold(self, key: str, seconds: int) -> None:
        self.redis.set(key, 1, ex=seconds)

    def held_s(self, *keys: str) -> float:
        pipe = self.redis.pipeline(transaction=False)
        for key in keys:
            pipe.pttl(key)
        return max(0.0, *(float(left) / 1000 for left in pipe.execute()))

    def drop(self, *keys: str) -> None:
        self.redis.delete(*keys)


class LocalCounterStore:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: dict[str, tuple[int, float]] = {}  # number, until when it counts

    def hit(self, current: str, previous: str, ttl_s: int) -> tuple[int, int]:
        with self.lock:
            return self._increase(current, ttl_s), self._number(previous)

    def take_back(self, key: str) -> None:
        with self.lock:
            number, until = self.entries.get(key, (0, 0.0))
            self.entries[key] = (max(0, number - 1), until)

    def add(self, key: str, ttl_s: int) -> int:
        with self.lock:
            return self._increase(key, ttl_s)

    def hold(self, key: str, seconds: int) -> None:
        with self.lock:
            self.entries[key] = (1, time.monotonic() + seconds)

    def held_s(self, *keys: str) -> float:
        with self.lock:
            return max(0.0, *(self.entries.get(key, (0, 0.0))[1] - time.monotonic() for key in keys))

    def drop(self, *keys: str) -> None:
        with self.lock:
            for key in keys:
                self.entries.pop(key, None)

    def _number(self, key: str) -> int:
        number, until = self.entries.get(key, (0, 0.0))
        return number if until > time.monotonic() else 0

    def _increase(self, key: str, ttl_s: int) -> int:
        if len(self.entries) >= MOST_LOCAL:
            self._make_room()
        number = self._number(key) + 1
        self.entries[key] = (number, time.monotonic() + ttl_s)
        return number

    def _make_room(self) -> None:
        now = time.monotonic()
        self.entries = {key: entry for key, entry in self.entries.items() if entry[1] > now}
        if len(self.entries) >= MOST_LOCAL:
            self.entries = {}


class Counters:
    """Redis as long as it answers, else this process."""

    def __init__(self, shared: CounterStore) -> None:
        self.shared = shared
        self.local = LocalCounterStore()
        self.closed_until = 0.0

    def ask(self, question: Callable[[CounterStore], T]) -> T:
        """The answer of whichever store counts now."""
        if time.monotonic() >= self.closed_until:
            try:
                return question(self.shared)
            except RedisError as error:
                log.warning("Redis cannot be reached, each process counts for itself: %s", error)
                self.closed_until = time.monotonic() + PAUSE_S
        return question(self.local)


@cache
def counters() -> Counters:
    """Those of this process."""
    redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)
    return Counters(RedisStore(redis))
