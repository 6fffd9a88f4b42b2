"""The cost of programs: wall and processor seconds and memory, of whole process trees."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from local.linux import descendants

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_EVERY_S = 0.25  # sampling itself takes time
POLL_S = 0.01
MAX_END_S = 60


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_s: float
    peak_bytes: int


class Meter:
    """Measures the processes that `pids` start within this context, `with_themselves` also `pids`; sets `cost`.

    The processor time of a child counts once its parent has collected it. Programs that this process runs have been
    collected when the context ends. A worker that stays may still have children then, which tidy up after a film: the
    meter waits for their end, outside of the measured time, before it reads the processors.
    """

    def __init__(self, pids: Iterable[int], *, with_themselves: bool) -> None:
        self.pids = list(pids)
        self.with_themselves = with_themselves
        self.peak_bytes = 0
        self.is_over = threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)

    def __enter__(self) -> "Meter":
        self.began_s, self.cpu_before_s = time.monotonic(), self.cpu_s()
        self.sampler.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        wall_s = time.monotonic() - self.began_s
        if self.with_themselves and error is None:
            self.wait_for_children()
        self.is_over.set()
        self.sampler.join()
        self.cost = Cost(wall_s, self.cpu_s() - self.cpu_before_s, self.peak_bytes)

    def wait_for_children(self) -> None:
        deadline = time.monotonic() + MAX_END_S
        while left := [child for pid in self.pids for child in descendants(pid)]:
            if time.monotonic() > deadline:
                raise SystemExit(f"The processes {left} have not ended within {MAX_END_S} s.")
            time.sleep(POLL_S)

    def cpu_s(self) -> float:
        return sum(cpu_s_of(pid, with_itself=self.with_themselves) for pid in self.pids)

    def sample(self) -> None:
        while not self.is_over.wait(SAMPLE_EVERY_S):
            pids = {pid for parent in self.pids for pid in descendants(parent)}
            pids |= set(self.pids if self.with_themselves else ())
            self.peak_bytes = max(self.peak_bytes, sum(resident_bytes(pid) for pid in pids))


def cpu_s_of(pid: int, *, with_itself: bool) -> float:
    """Seconds of the ended children of a process, and of itself with `with_itself`."""
    own_and_children = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, own_and_children if with_itself else own_and_children[2:])) / TICKS_A_SECOND


def resident_bytes(pid: int) -> int:
    with suppress(OSError, IndexError):  # it has ended meanwhile
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    return 0


def measure(run: Callable[[], None]) -> Cost:
    """The cost of the programs that `run` starts."""
    with Meter([os.getpid()], with_themselves=False) as meter:
        run()
    return meter.cost
