"""Finds out what a file is, in a limited child process."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from media_pipeline.errors import NotAVideo, OutOfTime, PipelineError, SourceMissing
from media_pipeline.ffmpeg.diagnose import diagnose_probe
from media_pipeline.ffmpeg.run import CompletedRun, processors, run_limited
from media_pipeline.ffmpeg.sandbox import interpreter_files
from media_pipeline.limits import MIN_READ_BYTES_PER_S
from media_pipeline.planning.allowance import probe_limits
from media_pipeline.sources.source import Source, parse_probe

PACKAGE = Path(__file__).resolve().parent
# -I keeps the caller's environment and current folder out. This package is put back by its path: to look for it, the
# child would have to list the project's folder.
BOOT = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    "media_pipeline", {str(PACKAGE / "__init__.py")!r}, submodule_search_locations=[{str(PACKAGE)!r}]
)
sys.modules["media_pipeline"] = importlib.util.module_from_spec(spec)
from media_pipeline.probe_child import main
main(sys.argv[1])
"""


def probe(path: Path, *, time_limit_s: float, on_tick: Callable[[], None] = lambda: None) -> Source:
    """The facts about a file; raises the PipelineError that says why it cannot be used.

    The time limit is that of a small file: large ones get the time to be read on top.
    """
    if not path.exists():
        raise SourceMissing(detail=str(path))
    if not path.is_file():
        raise NotAVideo("This is not a file.", detail=str(path))
    finished = run_probe(path, time_limit_s + path.stat().st_size / MIN_READ_BYTES_PER_S, on_tick)
    try:
        return parse_probe(read_report(finished))
    except PipelineError as error:
        raise diagnose_probe(error, finished.returncode, finished.stderr) from error


def run_probe(path: Path, time_limit_s: float, on_tick: Callable[[], None]) -> CompletedRun:
    argv = [sys.executable, "-I", "-c", BOOT, str(path)]
    limits = probe_limits(time_limit_s, processors())
    reads = [path, PACKAGE, *interpreter_files()]
    try:
        return run_limited(
            argv, limits=limits, time_limit_s=time_limit_s, stall_s=time_limit_s, reads=reads, on_tick=on_tick
        )
    except OutOfTime as error:
        raise NotAVideo("Reading this file took too long; it is damaged or not a video.") from error


def read_report(finished: CompletedRun) -> dict[str, object]:
    if finished.returncode != 0:
        # Why, diagnose_probe tells.
        raise NotAVideo(detail=finished.stderr[-1000:])
    try:
        report: dict[str, object] = json.loads(finished.stdout)
    except ValueError as error:
        raise PipelineError(detail="the probe answered no JSON") from error
    return report
