"""A program to supervise, and its process through all restarts."""

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
    # The signal that the kernel sends it when the supervisor is killed.
    death_signal: signal.Signals = signal.SIGTERM
    # Seconds after the beginning of the stop at which it gets SIGTERM (again).
    asked_at_s: Sequence[float] = (0.0,)
    # Called with each line of its output; by default lines are printed with its name.
    on_line: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Timing:
    """The pauses before restarts and the patience at the end; tests use shorter ones."""

    first_delay_s: float = 0.5
    max_delay_s: float = 30.0
    # A program that ran this long is restarted at once after its next end.
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
        """True when it neither runs nor waits for its restart."""
        return self.process is None and self.due_at is None

    def plan_restart(self, timing: Timing) -> None:
        """Sets the time of the restart: twice the last delay, unless the program had settled since."""
        now = time.monotonic()
        has_settled = self.started_at > 0 and now - self.started_at >= timing.settled_s
        later = 0.0 if has_settled else self.delay_s * 2
        self.delay_s = min(max(later, timing.first_delay_s), timing.max_delay_s)
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
    """The pid and exit code (minus the signal) of an ended child that was not collected yet; None without one."""
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
    """Kills these children and all their descendants. RQ's work-horses have left the process group of their worker."""
    for child in children:
        if child.process:
            kill_all({child.process.pid, *descendants(child.process.pid)})
