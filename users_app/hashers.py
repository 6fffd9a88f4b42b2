"""Password hashing: slow for an attacker, and limited, so that many sign-ins at once do not stop other requests."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from background.refusals import Kind, Refusal

# Each of the two processes of a machine (local/gunicorn_conf.py) hashes on half of the cores.
MAX_RUNNING = max(1, (os.cpu_count() or 1) // 2)
# Half of the 32 threads of a process; the others go on with requests that take milliseconds.
MAX_WAITING = 16
RETRY_AFTER_S = 2


class Busy(Refusal):
    """More people sign in at once than the processors can take."""

    kind = Kind.UNAVAILABLE
    sentence = "Many people are signing in right now. Please try again in a few seconds."
    code = "busy"
    retry_after_s = RETRY_AFTER_S


class HashingTurns:
    """At most `max_running` threads hash at once and `max_waiting` more wait for a turn; the next one is refused."""

    def __init__(self, max_running: int, max_waiting: int) -> None:
        self.places = threading.BoundedSemaphore(max_running)
        self.queue = threading.BoundedSemaphore(max_running + max_waiting)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn and hold it; raises Busy when the queue is full."""
        if not self.queue.acquire(blocking=False):
            raise Busy
        try:
            with self.places:
                yield
        finally:
            self.queue.release()


TURNS = HashingTurns(MAX_RUNNING, MAX_WAITING)


class Argon2(Argon2PasswordHasher):
    """Argon2id with the numbers that OWASP recommends where memory is scarce: 19 MiB, two passes, one lane.

    Hashes with other numbers are made anew at the next sign-in.
    """

    # Django's own 100 MiB and eight lanes are no stronger for the time they take, and two dozen people who sign in at
    # the same moment would need gigabytes.
    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with TURNS.one():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with TURNS.one():
            return bool(super().verify(password, encoded))
