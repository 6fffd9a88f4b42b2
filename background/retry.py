"""Retry as a value: how long to wait between tries, and how many there are."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Tries that wait longer each time."""

    first_s: float
    factor: float = 2
    max_s: float = math.inf
    tries: int | None = None
    """None: without an end."""

    def wait_s(self, failed: int) -> float:
        """Seconds between the try that was the `failed`-th to fail in a row (from 1) and the next one."""
        return min(self.first_s * self.factor ** (failed - 1), self.max_s)

    def is_over(self, failed: int) -> bool:
        """True when no further try follows the `failed`-th that failed."""
        return self.tries is not None and failed >= self.tries
