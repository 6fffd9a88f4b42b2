"""Runs ffmpeg and the probe: the only module that starts programs. None of them outlives its job.

A program is started from the thread that waits for it (its death signal fires when that thread ends), in a process
group of its own, under limits; whatever ends the wait (success, error, a hung program, a lost claim) ends the group.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_pipeline.errors import EncoderOverLimit, OutOfTime, PipelineError
from media_pipeline.ffmpeg import sandbox
from media_pipeline.ffmpeg.sandbox import Demand, SandboxMissing
from media_pipeline.limits import ChildLimits

log = logging.getLogger(__name__)

LAUNCHER = str(Path(__file__).with_name("launch.py"))
TICK_S = 0.5
STDERR_KEPT = 64 * 1024
# The allocator otherwise reserves 64 MiB for every thread, which on a machine of many processors is more address space
# than any limit that is worth its name.
MEMORY_POOLS = "2"
# Set once, when the process begins.
demand = Demand.BEST


@dataclass(frozen=True)
class CompletedRun:
    returncode: int
    stdout: bytes
    stderr: str


class Hung(PipelineError):
    code = "encoder_failed"
    permanent = False
    sentence = "The encoder stopped making progress and was ended."


def run_limited(
    argv: Sequence[str],
    *,
    limits: ChildLimits,
    time_limit_s: float,
    stall_s: float,
    reads: Sequence[Path] = (),
    writes: Sequence[Path] = (),
    on_tick: Callable[[], None] = lambda: None,
    on_line: Callable[[str], object] | None = None,
    max_stdout_bytes: int = 16 * 1024**2,
) -> CompletedRun:
    """Run a program to its end and return what it said.

    It opens the files and folders of `reads` and fills the folders of `writes`; beside them programs and libraries of
    the system are open to it, and nothing else where the kernel can refuse that.
    `on_tick` is called about twice a second and may raise to end the program. With `on_line`, stdout is passed on line
    by line and counts as progress when the callback returns something new; without, every byte of stdout does.
    Raises OutOfTime, Hung, EncoderOverLimit, SandboxMissing, or what a callback raised; a non-zero exit is the caller's
    to judge.
    """
    began, filled = time.monotonic(), bytes_in(writes)

    def tick() -> None:
        if bytes_in(writes) - filled > limits.folder_bytes:
            raise EncoderOverLimit(detail=f"more than {limits.folder_bytes:,} bytes in all")
        on_tick()

    process = start(argv, limits, reads, writes)
    try:
        return Conversation(process, time_limit_s, stall_s, tick, on_line, max_stdout_bytes).until_end()
    finally:
        end_group(process)
        code, seconds = process.poll(), time.monotonic() - began
        log.info("%s ended with %s after %.1f s", Path(argv[0]).name, code, seconds)


def bytes_in(folders: Sequence[Path]) -> int:
    return sum(file.stat(follow_symlinks=False).st_size for folder in folders for file in folder.iterdir())


def processors() -> int:
    """Those that this process and its children may run on, by which they choose their numbers of threads."""
    return len(os.sched_getaffinity(0))


def start(
    argv: Sequence[str], limits: ChildLimits, reads: Sequence[Path], writes: Sequence[Path]
) -> subprocess.Popen[bytes]:
    program = shutil.which(argv[0]) or argv[0]
    closed_off = sandbox_for(program, limits, reads, writes)
    orders = json.dumps({"parent": os.getpid(), **limits.__dict__, "sandbox": closed_off})
    sandbox.keep_own_memory()
    return subprocess.Popen(
        [sys.executable, "-I", "-S", LAUNCHER, orders, program, *argv[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={"LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1", "MALLOC_ARENA_MAX": MEMORY_POOLS},
    )


def sandbox_for(
    program: str, limits: ChildLimits, reads: Sequence[Path], writes: Sequence[Path]
) -> dict[str, Any] | None:
    """What the launcher is to close off; raises SandboxMissing."""
    if demand is Demand.OFF:
        return None
    means = sandbox.means_here()
    if demand is Demand.REQUIRED and not means.is_whole:
        raise SandboxMissing
    return sandbox.orders_for(program, reads, writes, means, may_start_programs=limits.may_start_programs)


def end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


class Conversation:
    """Listens to both pipes of one program until it ends, with an eye on the clock."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        time_limit_s: float,
        stall_s: float,
        on_tick: Callable[[], None],
        on_line: Callable[[str], object] | None,
        max_stdout_bytes: int,
    ) -> None:
        self.process = process
        self.deadline = time.monotonic() + time_limit_s
        self.stall_s = stall_s
        self.on_tick = on_tick
        self.on_line = on_line
        self.max_stdout_bytes = max_stdout_bytes
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.last_progress: object = None
        self.moved_at = time.monotonic()
        self.next_tick_at = self.moved_at

    def until_end(self) -> CompletedRun:
        assert self.process.stdout
        assert self.process.stderr
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ, self.hear_stdout)
            selector.register(self.process.stderr, selectors.EVENT_READ, self.hear_stderr)
            while selector.get_map():
                for key, _ in selector.select(TICK_S):
                    self.read(selector, key)
                self.tick()
        self.wait()
        return CompletedRun(self.process.returncode, bytes(self.stdout), self.stderr.decode(errors="replace"))

    def read(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        pipe = key.fileobj
        assert not isinstance(pipe, int)
        data = os.read(pipe.fileno(), 65536)
        if data:
            key.data(data)
        else:
            selector.unregister(pipe)

    def hear_stdout(self, data: bytes) -> None:
        self.stdout += data
        if self.on_line is None:
            self.moved_at = time.monotonic()
            if len(self.stdout) > self.max_stdout_bytes:
                raise PipelineError(detail="the program printed more than it may")
            return
        *lines, rest = bytes(self.stdout).split(b"\n")
        self.stdout = bytearray(rest[-4096:])
        for line in lines:
            self.note_progress(self.on_line(line.decode(errors="replace")))

    def hear_stderr(self, data: bytes) -> None:
        """Only the end is kept: a broken file can make ffmpeg complain by the gigabyte."""
        self.stderr = (self.stderr + data)[-STDERR_KEPT:]

    def note_progress(self, progress: object) -> None:
        if progress is not None and progress != self.last_progress:
            self.last_progress = progress
            self.moved_at = time.monotonic()

    def tick(self) -> None:
        """However much the program prints, callers hear of it at their own pace."""
        now = time.monotonic()
        if now >= self.next_tick_at:
            self.next_tick_at = now + TICK_S
            self.on_tick()
        self.watch_clock(now)

    def watch_clock(self, now: float) -> None:
        if now > self.deadline:
            raise OutOfTime(detail=self.stderr.decode(errors="replace")[-500:])
        if now - self.moved_at > self.stall_s:
            raise Hung(detail=self.stderr.decode(errors="replace")[-500:])

    def wait(self) -> None:
        """The pipes are closed; the program itself may still linger."""
        while True:
            try:
                self.process.wait(TICK_S)
                return
            except subprocess.TimeoutExpired:
                self.tick()
