"""The chores that apps register, and the rounds in which the reaper runs each of them, whatever becomes of the others.

A chore that fails rests longer each time and says so once in a while. One that takes long goes on by itself while the
others have their turn.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections, connections
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
LONGEST_REST = 12  # intervals, a minute of them by default: what failed because the database was away is soon done
TELL_EVERY_S = 600.0
# What goes by itself, or what an operator mends; anything else is a bug, which the log shows with its traceback.
OUTSIDE = (DatabaseError, OSError, RedisError)


class Chores:
    """The functions that the reaper calls in each of its rounds, by dotted names; they take nothing.

    Apps register theirs in AppConfig.ready(). No module is imported before its chore is due for the first time.
    """

    def __init__(self) -> None:
        self._names: list[str] = []

    def register(self, *names: str) -> None:
        self._names.extend(names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)


chores = Chores()


@dataclass
class Chore:
    """One of the registered functions, by its dotted name, and how it has done lately."""

    name: str
    failures: int = 0
    """In a row."""
    rests_until: float = 0.0
    told_at: float = -math.inf
    left_alone: "Future[None] | None" = None
    """What it still does since an earlier round."""

    @property
    def goes_on(self) -> bool:
        return self.left_alone is not None and not self.left_alone.done()


@dataclass
class Round:
    """How a round went, by the names of the chores; those that rest after a failure are in `failing` too."""

    failing: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


class Housekeeping:
    """`patience_s`: how long a round waits for one chore; None to do each in the thread that asks, however long."""

    def __init__(
        self,
        names: Iterable[str],
        *,
        interval_s: float = 0,
        patience_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.chores = [Chore(name) for name in names]
        self.interval_s, self.patience_s, self.clock = interval_s, patience_s, clock
        self.thread: ThreadPoolExecutor | None = None

    def run_round(self) -> Round:
        for chore in self.chores:
            if not chore.goes_on and self.clock() >= chore.rests_until:
                self._give_a_turn(chore)
        return Round(
            failing=[chore.name for chore in self.chores if chore.failures],
            unfinished=[chore.name for chore in self.chores if chore.goes_on],
        )

    def _give_a_turn(self, chore: Chore) -> None:
        if self.patience_s is None:
            self._do(chore)
            return
        # One thread for all, so that the chores of every round share its connection to the database.
        self.thread = self.thread or ThreadPoolExecutor(1, thread_name_prefix="reaper")
        self.thread.submit(close_old_connections)  # one that broke in an earlier chore
        chore.left_alone = self.thread.submit(self._do, chore)
        try:
            chore.left_alone.result(self.patience_s)
        except NotDone:
            self._tell(chore, "the chore %s takes longer than %.0f s: the others go on", chore.name, self.patience_s)
            # The chore keeps this thread, which closes its connection and ends after it; the next one gets another.
            self.thread.submit(connections.close_all)
            self.thread.shutdown(wait=False)
            self.thread = None

    def _do(self, chore: Chore) -> None:
        try:
            import_string(chore.name)()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one chore, the others are done
            self._note_failure(chore, error)
        else:
            if chore.failures:
                log.info("the chore %s works again after %d failures", chore.name, chore.failures)
            chore.failures, chore.told_at = 0, -math.inf

    def _note_failure(self, chore: Chore, error: Exception) -> None:
        chore.failures += 1
        rest_s = self.interval_s * min(2 ** (chore.failures - 1), LONGEST_REST)
        chore.rests_until = self.clock() + rest_s
        self._tell(
            chore,
            "the chore %s failed, %d times in a row, and is tried again in %.0f s: %s: %s",
            *(chore.name, chore.failures, rest_s, type(error).__name__, error),
            traceback_of=None if isinstance(error, OUTSIDE) else error,
        )

    def _tell(self, chore: Chore, message: str, *values: object, traceback_of: Exception | None = None) -> None:
        if self.clock() >= chore.told_at + TELL_EVERY_S:
            chore.told_at = self.clock()
            log.log(logging.ERROR if traceback_of else logging.WARNING, message, *values, exc_info=traceback_of)


def reap() -> Round:
    """One round of every registered chore; safe to run anywhere, any time, several at once."""
    return Housekeeping(chores).run_round()
