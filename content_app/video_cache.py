"""A cache of video rows in Redis. Entries live for an hour, and are dropped when a change is committed.

The key of an entry contains the generation of its video, and each change begins a new generation. A request that reads
the row before a change and stores it afterwards therefore writes under a key that no later request reads.

Without Redis every read goes to the database. Changes cannot reach the cache during that time, so every entry is
dropped when Redis is back.
"""

import logging
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from functools import cache as cache_result

import django
from django.core.cache import cache
from redis.exceptions import RedisError

from content_app.models import CacheDoubt, Category, Rendition, Video

log = logging.getLogger(__name__)

ENTRY_LIFETIME_S = 3600
PAUSE_S = 5.0
# Begins anew when something changes that many videos show, such as the name of a category.
GENERATION_OF_ALL = "videos:generation"
Ref = int | uuid.UUID


class CacheBreaker:
    """Keeps this process from asking Redis for PAUSE_S after a failure, and drops all entries once Redis is back.

    Without the pause, a Redis that hangs would cost every request its timeout.
    """

    def __init__(self) -> None:
        self.paused_until = 0.0
        self.is_doubtful = False

    def is_paused(self) -> bool:
        return time.monotonic() < self.paused_until

    def pause(self, error: RedisError) -> None:
        if not self.is_doubtful:
            log.warning("the cache cannot be reached, everything goes on without it: %s", error)
        self.paused_until, self.is_doubtful = time.monotonic() + PAUSE_S, True

    def resume(self) -> None:
        """Call before each use of the cache: after a failure it first drops all entries. Raises RedisError."""
        if self.is_doubtful:
            cache.set(GENERATION_OF_ALL, uuid.uuid4().hex, timeout=None)
            self.is_doubtful = False
            CacheDoubt.objects.all().delete()


breaker = CacheBreaker()


def get_or_load(ref: Ref, load: Callable[[], Video | None]) -> Video | None:
    """Returns the video with this id or public id from the cache, or else from `load`, whose result is then cached."""
    if breaker.is_paused():
        return load()
    try:
        breaker.resume()
        # The generations are read before the row: see the module's docstring.
        own = generation_key(ref)
        generations = cache.get_many([GENERATION_OF_ALL, own])
        key = f"video:{columns_checksum()}:{ref}:{generations.get(GENERATION_OF_ALL, 0)}:{generations.get(own, 0)}"
        video: Video | None = cache.get(key)
        if video is None and (video := load()) is not None:
            cache.set(key, video, ENTRY_LIFETIME_S)
    except RedisError as error:
        breaker.pause(error)
        return load()
    return video


@cache_result
def columns_checksum() -> str:
    """A part of each key: another release of the code, with other columns, must not unpickle these rows."""
    names = [
        django.__version__,
        *(field.attname for model in (Video, Rendition, Category) for field in model._meta.concrete_fields),
    ]
    return f"{zlib.crc32(','.join(names).encode()):x}"


def generation_key(ref: Ref) -> str:
    return f"video-generation:{ref}"


def forget_videos(refs: Iterable[Ref]) -> None:
    """Drops the entries of these videos. Call after the commit of a change."""
    renew_generations([generation_key(ref) for ref in refs])


def forget_all() -> None:
    renew_generations([GENERATION_OF_ALL])


def renew_generations(keys: list[str]) -> None:
    try:
        if not breaker.is_paused():
            breaker.resume()
            # Random, not counted: a counter that Redis evicts would begin again and bring old entries back.
            cache.set_many({key: uuid.uuid4().hex for key in keys}, timeout=None)
            return
    except RedisError as error:
        breaker.pause(error)
    # In the database, because this process may have ended before the cache is back.
    CacheDoubt.objects.get_or_create(pk=1)


def watch_cache() -> None:
    """A chore of the reaper: drops all entries after an outage.

    This process may have met the outage itself, or a process that has ended since may have left a CacheDoubt.
    """
    if not breaker.is_paused():
        breaker.is_doubtful = breaker.is_doubtful or CacheDoubt.objects.exists()
        try:
            breaker.resume()
            # Any request will do: it shows whether Redis answers now.
            cache.get(GENERATION_OF_ALL)
        except RedisError as error:
            breaker.pause(error)
