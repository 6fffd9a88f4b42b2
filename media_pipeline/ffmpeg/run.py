"""Runs ffmpeg and the probe: the only module that starts programs. None of them outlives its job.

A program is started from the thread that waits for it, because its death signal fires when that thread ends. It runs
under limits, in a process group of its own; whatever ends the wait (success, error, a hung program, a lost claim) ends
the group.
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
# Only the end of stderr is kept: a broken file can make ffmpeg complain by the gigabyte.
STDERR_KEPT = 64 * 1024
# The same for a line of stdout that never ends.
LINE_KEPT = 4096
# The allocator otherwise reserves 64 MiB for every thread. On a machine with many processors that is more address space
# than any useful limit leaves.
MEMORY_POOLS = "2"
# What the operator demands of the sandbox. Set once, when the process begins.
demand = Demand.BEST


@dataclass(frozen=True)
class CompletedRun:
    returncode: int
    stdout: bytes
    stderr: str  # the end of it


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
    """Runs a program to its end and returns its output.

    The program may open the files and folders of `reads`, fill the folders of `writes`, and open programs and libraries
    of the system. Where the kernel can refuse everything else, it does.
    `on_tick` is called about twice a second and may raise to end the program. With `on_line`, stdout is passed on line
    by line and counts as progress when the callback returns something new; without it, every byte of stdout does.
    Raises OutOfTime, Hung, EncoderOverLimit, SandboxMissing, or what a callback raised. A non-zero exit status is for
    the caller to judge.
    """
    began, bytes_before = time.monotonic(), bytes_in(writes)

    def tick() -> None:
        # Many files, each within its limit, could fill the disk together.
        if bytes_in(writes) - bytes_before > limits.folder_bytes:
            raise EncoderOverLimit(detail=f"more than {limits.folder_bytes:,} bytes in all")
        on_tick()

    process = start(argv, limits, reads, writes)
    try:
        return ProcessMonitor(process, time_limit_s, stall_s, tick, on_line, max_stdout_bytes).wait()
    finally:
        # Whatever ended the wait, the program and everything that it started end now.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        log.info("%s ended with %s after %.1f s", Path(argv[0]).name, code, time.monotonic() - began)


def bytes_in(folders: Sequence[Path]) -> int:
    return sum(file.stat(follow_symlinks=False).st_size for folder in folders for file in folder.iterdir())


def processors() -> int:
    """The number of processors that this process and its children may use, for which programs start threads."""
    return len(os.sched_getaffinity(0))


def start(
    argv: Sequence[str], limits: ChildLimits, reads: Sequence[Path], writes: Sequence[Path]
) -> subprocess.Popen[bytes]:
    """Starts a program through the launcher. Raises SandboxMissing when the operator demands more than there is."""
    program = shutil.which(argv[0]) or argv[0]
    orders: dict[str, Any] = {"parent": os.getpid(), **limits.__dict__, "sandbox": None}
    if demand is not Demand.OFF:
        means = sandbox.means_here()
        if demand is Demand.REQUIRED and not means.is_whole:
            raise SandboxMissing
        orders["sandbox"] = sandbox.orders_for(
            program, reads, writes, means, may_start_programs=limits.may_start_programs
        )
    sandbox.keep_own_memory()
    return subprocess.Popen(
        [sys.executable, "-I", "-S", LAUNCHER, json.dumps(orders), program, *argv[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A process group of its own, which is ended as a whole.
        start_new_session=True,
        # None of the worker's variables, which hold its secrets. LC_ALL=C keeps messages in the words that `diagnose`
        # knows.
        env={"LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1", "MALLOC_ARENA_MAX": MEMORY_POOLS},
    )


class ProcessMonitor:
    """Reads both pipes of one program until it ends, and enforces its time limits."""

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

    def wait(self) -> CompletedRun:
        assert self.process.stdout
        assert self.process.stderr
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ, self.on_stdout)
            selector.register(self.process.stderr, selectors.EVENT_READ, self.on_stderr)
            while selector.get_map():
                for key, _ in selector.select(TICK_S):
                    if data := os.read(key.fd, 65536):
                        key.data(data)
                    else:
                        selector.unregister(key.fileobj)
                self.tick()
        # The program may go on after it has closed its pipes.
        while self.process.poll() is None:
            self.tick()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(TICK_S)
        return CompletedRun(self.process.returncode, bytes(self.stdout), self.stderr.decode(errors="replace"))

    def on_stdout(self, data: bytes) -> None:
        self.stdout += data
        if self.on_line is None:
            self.moved_at = time.monotonic()
            if len(self.stdout) > self.max_stdout_bytes:
                raise PipelineError(detail="the program printed more than it may")
            return
        *lines, rest = bytes(self.stdout).split(b"\n")
        self.stdout = bytearray(rest[-LINE_KEPT:])
        for line in lines:
            progress = self.on_line(line.decode(errors="replace"))
            # ffmpeg goes on printing while it hangs: only a new value is progress.
            if progress is not None and progress != self.last_progress:
                self.last_progress = progress
                self.moved_at = time.monotonic()

    def on_stderr(self, data: bytes) -> None:
        self.stderr = (self.stderr + data)[-STDERR_KEPT:]

    def tick(self) -> None:
        now = time.monotonic()
        # The callback has a pace of its own, however much the program prints.
        if now >= self.next_tick_at:
            self.next_tick_at = now + TICK_S
            self.on_tick()
        if now > self.deadline:
            raise OutOfTime(detail=self.stderr.decode(errors="replace")[-500:])
        if now - self.moved_at > self.stall_s:
            raise Hung(detail=self.stderr.decode(errors="replace")[-500:])
