"""The chores that apps register, and the rounds in which the reaper runs each of them, even when others fail.

A chore that fails rests longer after each failure, and the failure is logged once in LOG_EVERY_S. A chore that takes
long continues in a thread of its own while the others have their turn.
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

from background.retry import Retry

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
MAX_REST = 12  # in intervals, so a minute by default: no chore waits longer after an outage of the database
LOG_EVERY_S = 600.0
# Faults of other services, which pass or which an operator repairs; anything else is a bug, logged with its traceback.
OUTSIDE = (DatabaseError, OSError, RedisError)


class Chores:
    """The dotted names of the functions that the reaper calls in each of its rounds, without arguments.

    Apps register theirs in AppConfig.ready(). The module of a chore is imported when the chore is first due.
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
    """A registered function, by its dotted name, and the outcome of its last runs."""

    name: str
    failures: int = 0  # in a row
    rests_until: float = 0.0
    logged_at: float = -math.inf
    last_run: "Future[None] | None" = None  # in a thread; it may outlast the round that started it

    @property
    def is_running(self) -> bool:
        return self.last_run is not None and not self.last_run.done()


@dataclass
class Round:
    """The names of the chores that failed, also while they rest, and of those that still run."""

    failing: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


class Housekeeping:
    """Runs chores in rounds.

    `patience_s`: how long a round waits for one chore; None runs each chore to its end, in the calling thread.
    """

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
            if chore.is_running or self.clock() < chore.rests_until:
                continue
            if self.patience_s is None:
                self._do(chore)
            else:
                self._do_in_a_thread(chore, self.patience_s)
        return Round(
            failing=[chore.name for chore in self.chores if chore.failures],
            unfinished=[chore.name for chore in self.chores if chore.is_running],
        )

    def _do_in_a_thread(self, chore: Chore, patience_s: float) -> None:
        # One thread for all, so that the chores of every round share its connection to the database.
        self.thread = self.thread or ThreadPoolExecutor(1, thread_name_prefix="reaper")
        self.thread.submit(close_old_connections)  # a connection that broke in an earlier chore
        chore.last_run = self.thread.submit(self._do, chore)
        try:
            chore.last_run.result(patience_s)
        except NotDone:
            self._log(chore, "the chore %s takes longer than %.0f s: the others go on", chore.name, patience_s)
            # The slow chore keeps this thread, which then closes its connection and ends; the next chore gets another.
            self.thread.submit(connections.close_all)
            self.thread.shutdown(wait=False)
            self.thread = None

    def _do(self, chore: Chore) -> None:
        try:
            import_string(chore.name)()
        except Exception as error:  # noqa: BLE001 - a bug in one chore must not stop the others
            self._note_failure(chore, error)
        else:
            if chore.failures:
                log.info("the chore %s works again after %d failures", chore.name, chore.failures)
            chore.failures, chore.logged_at = 0, -math.inf

    def _note_failure(self, chore: Chore, error: Exception) -> None:
        chore.failures += 1
        rest_s = Retry(first_s=self.interval_s, max_s=MAX_REST * self.interval_s).wait_s(chore.failures)
        chore.rests_until = self.clock() + rest_s
        self._log(
            chore,
            "the chore %s failed, %d times in a row, and is tried again in %.0f s: %s: %s",
            *(chore.name, chore.failures, rest_s, type(error).__name__, error),
            traceback_of=None if isinstance(error, OUTSIDE) else error,
        )

    def _log(self, chore: Chore, message: str, *values: object, traceback_of: Exception | None = None) -> None:
        if self.clock() >= chore.logged_at + LOG_EVERY_S:
            chore.logged_at = self.clock()
            log.log(logging.ERROR if traceback_of else logging.WARNING, message, *values, exc_info=traceback_of)


def reap() -> Round:
    """Runs one round of every registered chore; safe at any time, in several processes at once."""
    return Housekeeping(chores).run_round()
