"""How passwords are hashed: slow for whoever guesses, and never so many at once that others are not served."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from background.refusals import Kind, Refusal

# Half of the cores in each of the two processes of a machine (local/gunicorn_conf.py).
AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
# Of the 32 threads of a process; the others go on with what takes milliseconds.
MOST_WAITING = 16
RETRY_AFTER_S = 2


class Busy(Refusal):
    """More people sign in than the processors can take; a moment later there is room."""

    kind = Kind.UNAVAILABLE
    sentence = "Many people are signing in at this moment. Please try again in a few seconds."
    code = "busy"
    retry_after_s = RETRY_AFTER_S


class HashingTurns:
    """So many at once, so many waiting for theirs, and whoever comes then is told to come back."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self.places = threading.BoundedSemaphore(at_once)
        self.queue = threading.BoundedSemaphore(at_once + most_waiting)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises Busy."""
        if not self.queue.acquire(blocking=False):
            raise Busy
        try:
            with self.places:
                yield
        finally:
            self.queue.release()


TURNS = HashingTurns(AT_ONCE, MOST_WAITING)


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP recommends it where memory is to be spared: 19 MiB, two passes, one lane.

    Django's own 100 MiB and eight lanes are no stronger for the time that they take, and two dozen people who sign in
    at the same moment would need gigabytes. Hashes made with other numbers are made anew at the next sign-in.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with TURNS.one():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with TURNS.one():
            return bool(super().verify(password, encoded))
