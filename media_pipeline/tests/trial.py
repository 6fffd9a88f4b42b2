"""Runs one file through the pipeline in a process of its own, and measures its cost.

A process of its own, because the memory of children is known only when all of them have ended.

`python -m media_pipeline.tests.trial <ffmpeg> <source> <folder>` prints one JSON object.
"""

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from media_pipeline.errors import PipelineError
from media_pipeline.limits import Limits
from media_pipeline.pipeline import Job, process
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import PlanSettings

# Small limits: a hostile file must not need more.
SETTINGS = PlanSettings(
    ladder=parse_ladder(("120p", "240p")),
    limits=Limits(stall_s=60, probe_s=30, min_encode_s=80, encode_s_per_s=0.01),
)
TIMEOUT_S = 200
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trial:
    """The outcome of a trial. When the file was refused, `frames` is 0, and `code` and `sentence` say why."""

    code: str
    sentence: str
    detail: str
    frames: int
    rungs: tuple[tuple[int, int], ...]
    has_sound: bool
    seconds: float  # of processor time
    peak_mib: int  # of the largest child
    written_bytes: int


def tried(folder: Path, source: Path, ffmpeg: str) -> Trial:
    """Tries the file in a process of its own, which leaves its files in `out` and `work` below the folder."""
    argv = [sys.executable, "-m", __name__, ffmpeg, str(source), str(folder)]
    finished = subprocess.run(argv, check=True, cwd=PROJECT, capture_output=True, timeout=TIMEOUT_S)
    answer = json.loads(finished.stdout)
    return Trial(**{**answer, "rungs": tuple(map(tuple, answer["rungs"]))})


def main(ffmpeg: str, source: str, folder: str) -> None:
    work, out = Path(folder, "work"), Path(folder, "out")
    code, sentence, detail, frames, has_sound = "", "", "", 0, False
    rungs: tuple[tuple[int, int], ...] = ()
    try:
        made = process(Job(Path(source), work, out, ffmpeg, SETTINGS, report=lambda progress: None))
        frames, has_sound = made.package.frames, bool(made.plan.audio)
        rungs = tuple((rung.width, rung.height) for rung in made.plan.rungs)
    except PipelineError as error:
        code, sentence, detail = error.code, error.sentence, error.detail
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak_mib = used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
    written = sum(path.stat().st_size for each in (work, out) for path in each.iterdir())
    json.dump(asdict(Trial(code, sentence, detail, frames, rungs, has_sound, seconds, peak_mib, written)), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
