"""Proves that a file is refused quickly and leaves nothing behind."""

import resource
import time
from pathlib import Path

import pytest

from media_pipeline.errors import PipelineError
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.pipeline import Job, process
from media_pipeline.planning.plan import PlanSettings
from media_pipeline.tests.processes import processes_with

QUICK_S = 20
# Time on the clock: long enough for a busy machine, too short for a request that waits for its answer.
HUNG_S = 60
NOISE = bytes((number * 7919 + number // 3 * 104729) % 251 for number in range(200_000))
FTYP = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


def carry_through(folder: Path, source: Path, ffmpeg: str = "") -> None:
    ffmpeg = ffmpeg or find_ffmpeg()
    process(Job(source, folder / "work", folder / "out", ffmpeg, PlanSettings(), report=lambda progress: None))


def refusal(folder: Path, source: Path) -> PipelineError:
    """The error with which the file is refused, after proof that nothing else happened."""
    began, before_s = time.monotonic(), children_s()
    with pytest.raises(PipelineError) as refused:
        carry_through(folder, source)
    assert children_s() - before_s < QUICK_S
    assert time.monotonic() - began < HUNG_S
    assert list((folder / "out").iterdir()) == []
    assert processes_with(str(source)) == []
    error = refused.value
    assert error.sentence.endswith(".")
    assert str(source) not in error.sentence
    return error


def children_s() -> float:
    """Processor time of ended programs that this process started. It is the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
