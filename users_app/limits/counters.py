"""Counters that expire: in Redis for all processes; while Redis is away, in each process for itself.

Counting must never take the site down: after a failure Redis is not asked again for PAUSE_S.
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
TIMEOUT_S = 0.5  # a Redis that hangs costs this once in every pause
MAX_LOCAL_ENTRIES = 50_000  # bounds the memory: a client with more addresses than that is counted anew
T = TypeVar("T")


class CounterStore(Protocol):
    def hit(self, current: str, previous: str, ttl_s: int) -> tuple[int, int]:
        """Add one to `current`, which then lives for `ttl_s`; returns the numbers of both keys."""

    def take_back(self, key: str) -> None:
        """Subtract one."""

    def add(self, key: str, ttl_s: int) -> int:
        """Add one and return the number; it is forgotten `ttl_s` after the last addition."""

    def hold(self, key: str, seconds: int) -> None:
        """Set a key that expires by itself."""

    def held_s(self, *keys: str) -> float:
        """Return the longest remaining time of the keys; 0 when all have expired."""

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
        self.entries: dict[str, tuple[int, float]] = {}  # number, time of its expiry

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
        now = time.monotonic()
        if len(self.entries) >= MAX_LOCAL_ENTRIES:
            self.entries = {name: entry for name, entry in self.entries.items() if entry[1] > now}
        # Still full of counters that live: all clients are counted anew, because the memory must not grow.
        if len(self.entries) >= MAX_LOCAL_ENTRIES:
            self.entries = {}
        number = self._number(key) + 1
        self.entries[key] = (number, now + ttl_s)
        return number


class Counters:
    """Counts in Redis while it answers, otherwise in this process."""

    def __init__(self, shared: CounterStore) -> None:
        self.shared = shared
        self.local = LocalCounterStore()
        self.closed_until = 0.0

    def ask(self, question: Callable[[CounterStore], T]) -> T:
        """Call `question` with the store that counts at the moment."""
        if time.monotonic() >= self.closed_until:
            try:
                return question(self.shared)
            except RedisError as error:
                log.warning("Redis cannot be reached, each process counts for itself: %s", error)
                self.closed_until = time.monotonic() + PAUSE_S
        return question(self.local)


@cache
def counters() -> Counters:
    """Return the counters of this process; its threads share them."""
    redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)
    return Counters(RedisStore(redis))
