"""The prepared JSON of films, kept under the revisions that it was made of: in this process first, behind it in Redis.

Nothing is ever dropped because it became wrong: a film that changes gets another revision, and with it another key. An
empty Redis, or none at all, costs time only.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from content_app.services.storage.object_cache import RecentlyUsed

log = logging.getLogger(__name__)

MAX_BYTES = 40 * 1024**2  # in each process: about twelve thousand films
OBJECT_BYTES = 700  # of one film, beside its texts
LIFETIME_S = 3600  # in Redis, where the entries of former revisions stay until then
PAUSE_S = 5.0
TIMEOUT_S = 0.5
BATCH = 500  # films in one exchange with Redis
SEPARATOR = b"\n"  # JSON escapes it in texts


# The shape of the JSON (the code that makes it, and the address of the site), the id of the film, its revision and that
# of its category. A plain tuple, because a list makes hundreds of them.
Key = tuple[str, int, int, int]


class PreparedFilm(NamedTuple):
    """The JSON of a film in two pieces, of which the second is chosen for the person.

    The ends are empty for a film whose end depends on the moment (queries.is_live): it is made for each answer.
    """

    head: bytes  # begins with the brace
    end_for_others: bytes  # begins with a comma, and ends with the brace
    end_for_changers: bytes  # for the owner and for admins
    owner_id: int

    def pack(self) -> bytes:
        return SEPARATOR.join([self.head, self.end_for_others, self.end_for_changers, b"%d" % self.owner_id])

    @classmethod
    def unpack(cls, text: bytes) -> "PreparedFilm":
        """Raises ValueError for a text that `pack` did not write."""
        head, end_for_others, end_for_changers, owner_id = text.split(SEPARATOR)
        return cls(head, end_for_others, end_for_changers, int(owner_id))

    @property
    def size_bytes(self) -> int:
        return len(self.head) + len(self.end_for_others) + len(self.end_for_changers) + OBJECT_BYTES


class ProcessStore(RecentlyUsed[Key, PreparedFilm]):
    """Keeps the films for this process."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes, size_of=lambda film: film.size_bytes)


class RedisStore:
    """Keeps the films for all processes. After a failure it pauses: a Redis that hangs costs its timeout once."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis
        self.paused_until = 0.0
        self.is_reported = False

    def get_many(self, keys: Sequence[Key]) -> dict[Key, PreparedFilm]:
        found: dict[Key, PreparedFilm] = {}
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            texts = self.ask([("GET", redis_key(key)) for key in batch])
            found |= {key: film for key, text in zip(batch, texts, strict=False) if (film := unpacked(text))}
        return found

    def put_many(self, films: Mapping[Key, PreparedFilm]) -> None:
        keys = list(films)
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            self.ask([("SET", redis_key(key), films[key].pack(), "EX", LIFETIME_S) for key in batch])

    def ask(self, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[object]:
        """Returns an answer for each command, or none at all while Redis is away."""
        if time.monotonic() < self.paused_until:
            return []
        try:
            pipe = self.redis.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # redis annotates only parts of itself
            answers: list[object] = pipe.execute()
        except RedisError as error:
            if not self.is_reported:
                log.warning("Redis cannot be reached, each process prepares its lists by itself: %s", error)
            self.paused_until, self.is_reported = time.monotonic() + PAUSE_S, True
            return []
        self.is_reported = False
        return answers


def redis_key(key: Key) -> str:
    shape, pk, revision, category_revision = key
    return f"film:{shape}:{pk}:{revision}:{category_revision}"


def unpacked(text: object) -> PreparedFilm | None:
    try:
        return PreparedFilm.unpack(text) if isinstance(text, bytes) else None
    except ValueError:
        return None


class PreparedFilms:
    def __init__(self, process: ProcessStore, shared: RedisStore) -> None:
        self.process = process
        self.shared = shared

    def find(self, keys: Sequence[Key], *, shared: bool) -> list[PreparedFilm | None]:
        """Returns the film under each key, None where it has to be prepared. Asks Redis only with `shared`."""
        films = self.process.get_many(keys)
        if None not in films or not shared:
            return films
        found = self.shared.get_many([key for key, film in zip(keys, films, strict=True) if film is None])
        self.process.put_many(found)
        return [film or found.get(key) for key, film in zip(keys, films, strict=True)]

    def keep(self, films: Mapping[Key, PreparedFilm], *, shared: bool) -> None:
        self.process.put_many(films)
        if shared:
            self.shared.put_many(films)


@cache
def prepared_films() -> PreparedFilms:
    """Returns the films that this process has prepared; its threads share them."""
    redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)
    return PreparedFilms(ProcessStore(max_bytes=MAX_BYTES), RedisStore(redis))
