"""Runs small programs, and looks for processes that they leave."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from media_pipeline.ffmpeg.run import CompletedRun, run_limited
from media_pipeline.ffmpeg.sandbox import interpreter_files
from media_pipeline.limits import ChildLimits

LIMITS = ChildLimits(memory_bytes=1024**3, cpu_s=30, nice=0, may_start_programs=True)
MIB = 1024**2


def run(*argv: str, **options: Any) -> CompletedRun:
    return run_limited(list(argv), **{"limits": LIMITS, "time_limit_s": 20, "stall_s": 20, **options})


def run_shell(script: str, **options: Any) -> CompletedRun:
    return run("sh", "-c", script, **options)


def run_python(script: str, *arguments: str, **options: Any) -> CompletedRun:
    """Runs a program in Python, which may also read the folders of Python."""
    options["reads"] = [*options.get("reads", ()), *interpreter_files()]
    return run(sys.executable, "-I", "-c", script, *arguments, **options)


def processes_with(marker: str) -> list[int]:
    """Living processes that have this text among their arguments."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_alive = folder.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
            if is_alive and marker in folder.joinpath("cmdline").read_text():
                pids.append(int(folder.name))
        except OSError:
            continue  # it has just ended
    return pids


def wait_until(is_true: Callable[[], bool], *, at_most_s: float) -> bool:
    deadline = time.monotonic() + at_most_s
    while time.monotonic() < deadline:
        if is_true():
            return True
        time.sleep(0.02)
    return is_true()
