"""What is known of a video, remembered in Redis for an hour and forgotten when a change is committed.

An entry belongs to a generation of its video, which each change ends: whoever read the row before a change and
remembers it afterwards does so where nobody looks any more. Without Redis every question goes to the database; and as
nobody can be told of changes meanwhile, everything is forgotten when it is back.
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

KEPT_FOR_S = 3600
# A Redis that hangs costs its timeout once in a while, not every request.
PAUSE_S = 5.0
ALL = "videos:generation"  # ended when something changes that many videos show, such as the name of a category
Ref = int | uuid.UUID


class CacheConnection:
    """Of this process to the cache: after a failure nobody asks for a while, and then nothing old is believed."""

    def __init__(self) -> None:
        self.closed_until = 0.0
        self.is_doubtful = False

    def is_closed(self) -> bool:
        return time.monotonic() < self.closed_until

    def close(self, error: RedisError) -> None:
        if not self.is_doubtful:
            log.warning("the cache cannot be reached, everything goes on without it: %s", error)
        self.closed_until, self.is_doubtful = time.monotonic() + PAUSE_S, True

    def open(self) -> None:
        """Before anything is asked. Raises RedisError."""
        if self.is_doubtful:
            cache.set(ALL, uuid.uuid4().hex, timeout=None)
            self.is_doubtful = False
            CacheDoubt.objects.all().delete()


connection = CacheConnection()


def remembered(ref: Ref, load: Callable[[], Video | None]) -> Video | None:
    """The video by its id or public id, from the cache or `load`, whose answer is remembered if there is one."""
    if connection.is_closed():
        return load()
    try:
        connection.open()
        key = key_of(ref)
        video: Video | None = cache.get(key)
        if video is None and (video := load()) is not None:
            cache.set(key, video, KEPT_FOR_S)
    except RedisError as error:
        connection.close(error)
        return load()
    return video


def key_of(ref: Ref) -> str:
    """With the generations of now."""
    own = generation_of(ref)
    found = cache.get_many([ALL, own])
    return f"video:{shape()}:{ref}:{found.get(ALL, 0)}:{found.get(own, 0)}"


@cache_result
def shape() -> str:
    """Changes with the columns that are kept, so that another version of the code does not find what it cannot read."""
    names = [
        django.__version__,
        *(field.attname for model in (Video, Rendition, Category) for field in model._meta.concrete_fields),
    ]
    return f"{zlib.crc32(','.join(names).encode()):x}"


def generation_of(ref: Ref) -> str:
    return f"video-generation:{ref}"


def forget_videos(refs: Iterable[Ref]) -> None:
    """After a commit. Each generation has a name of its own, so that none comes back."""
    renew_generations([generation_of(ref) for ref in refs])


def forget_all() -> None:
    renew_generations([ALL])


def renew_generations(generations: list[str]) -> None:
    try:
        if not connection.is_closed():
            connection.open()
            cache.set_many({name: uuid.uuid4().hex for name in generations}, timeout=None)
            return
    except RedisError as error:
        connection.close(error)
    # This process may be gone before the cache is back.
    CacheDoubt.objects.get_or_create(pk=1)


def watch_cache() -> None:
    """For a process that lives long: notices when the cache was away, for it or for one that has ended since."""
    if not connection.is_closed():
        connection.is_doubtful = connection.is_doubtful or CacheDoubt.objects.exists()
        try:
            connection.open()
            cache.get(ALL)
        except RedisError as error:
            connection.close(error)
