"""Reads the facts about a file, in a limited child process."""

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
from media_pipeline.planning.plan import STORED_FORMAT
from media_pipeline.sources.source import Source, parse_probe

PACKAGE = Path(__file__).resolve().parent
# -I keeps the caller's environment and current folder out of the child, and with them this package. It is added again
# by its path, because the sandbox does not let the child list the project's folder to find it.
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
    """The facts about a file, as `read_report` and `parse_probe` find them."""
    return parse_probe(read_report(path, time_limit_s=time_limit_s, on_tick=on_tick))


def read_report(path: Path, *, time_limit_s: float, on_tick: Callable[[], None] = lambda: None) -> dict[str, object]:
    """The report on a file that `parse_probe` accepts: a JSON object, which may be stored.

    Raises the PipelineError that says why the file cannot be used. `time_limit_s` is for a small file: a large one gets
    the time that reading it takes on top.
    """
    if not path.exists():
        raise SourceMissing(detail=str(path))
    if not path.is_file():
        raise NotAVideo("This is not a file.", detail=str(path))
    time_limit_s += path.stat().st_size / MIN_READ_BYTES_PER_S
    try:
        finished = run_limited(
            [sys.executable, "-I", "-c", BOOT, str(path)],
            limits=probe_limits(time_limit_s, processors()),
            time_limit_s=time_limit_s,
            # The child prints once, when it has read everything: until then no progress can be seen.
            stall_s=time_limit_s,
            reads=[path, PACKAGE, *interpreter_files()],
            on_tick=on_tick,
        )
    except OutOfTime as error:
        raise NotAVideo("Reading this file took too long; it is damaged or not a video.") from error
    try:
        report = parse_report(finished)
        parse_probe(report)
    except PipelineError as error:
        raise diagnose_probe(error, finished.returncode, finished.stderr) from error
    return {"format": STORED_FORMAT, **report}


def parse_report(finished: CompletedRun) -> dict[str, object]:
    if finished.returncode != 0:
        # Only a first answer: diagnose_probe finds out what happened.
        raise NotAVideo(detail=finished.stderr[-1000:])
    try:
        report: dict[str, object] = json.loads(finished.stdout)
    except ValueError as error:
        raise PipelineError(detail="the probe did not answer in JSON") from error
    return report
