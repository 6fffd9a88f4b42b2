"""What a supervised program is, and one program over all its lives."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from local.linux import descendants


@dataclass(frozen=True)
class Program:
    name: str
    argv: Sequence[str]
    is_once: bool = False
    # What the kernel sends it when the supervisor is killed and can send nothing itself.
    death_signal: signal.Signals = signal.SIGTERM
    # Seconds into the stop at which it is asked (again) to end.
    asked_at_s: Sequence[float] = (0.0,)
    # Takes its lines; by default they are printed under its name.
    on_line: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Pace:
    """How fast things are retried and given up; tests are in a hurry."""

    first_delay_s: float = 0.5
    longest_delay_s: float = 30.0
    # Who lived this long starts again at once after its next death.
    settled_s: float = 60.0
    patience_s: float = 5.0


@dataclass(eq=False)
class Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    returncode: int | None = None
    started_at: float = 0.0
    due_at: float | None = None
    delay_s: float = 0.0
    unread: bytes = field(default=b"", repr=False)

    @property
    def has_ended(self) -> bool:
        """For good: neither running nor waiting for its restart."""
        return self.process is None and self.due_at is None

    def plan_restart(self, pace: Pace) -> None:
        """Twice as late as last time, unless it had settled in between."""
        now = time.monotonic()
        has_settled = self.started_at > 0 and now - self.started_at >= pace.settled_s
        later = 0.0 if has_settled else self.delay_s * 2
        self.delay_s = min(max(later, pace.first_delay_s), pace.longest_delay_s)
        self.due_at = now + self.delay_s

    def ask_to_end(self) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)


def describe_end(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"


def next_ended() -> tuple[int, int] | None:
    """A process that ended and was not yet waited for, with its exit code (minus the signal); None if there is none."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None


def kill_all(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_trees(children: Iterable[Child]) -> None:
    """By parentage, not by group: RQ's work-horses leave the group and session of their worker."""
    for child in children:
        if child.process:
            kill_all({child.process.pid, *descendants(child.process.pid)})
