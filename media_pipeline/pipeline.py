"""From a file to a finished version in a folder: probe, plan, encode, package, verify."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, Truncated
from media_pipeline.ffmpeg import args
from media_pipeline.ffmpeg.diagnose import diagnose
from media_pipeline.ffmpeg.progress import Progress, parse_frame
from media_pipeline.ffmpeg.run import ChildLimits, run_limited
from media_pipeline.package import Package, package
from media_pipeline.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.poster import choose_poster, split_thumbs
from media_pipeline.probe import probe
from media_pipeline.source import Source
from media_pipeline.verify import verify

POSTER_TIME_LIMIT_S = 60
Report = Callable[[Progress | None], None]


@dataclass(frozen=True)
class Job:
    """One source and where its version is made.

    `report` is called at least about once a second whatever goes on (None: nothing new to tell) and may raise to stop.
    """

    source: Path
    work: Path  # scratch; the caller removes it
    out: Path  # holds exactly the version's files afterwards
    ffmpeg: str
    settings: PlanSettings
    report: Report

    def tick(self) -> None:
        self.report(None)


@dataclass(frozen=True)
class Made:
    source: Source
    plan: EncodePlan
    package: Package


def process(job: Job) -> Made:
    """Make a whole version of one source; raises PipelineError, or what `report` raised."""
    job.tick()
    source = probe(job.source, time_limit_s=job.settings.limits.probe_s, on_tick=job.tick)
    plan = plan_encode(source, job.settings)
    encode(job, plan)
    made = package(plan, job.work, job.out, on_segment=job.tick)
    make_poster(job, plan, made)
    verify(job.out, made)
    return Made(source, plan, made)


def encode(job: Job, plan: EncodePlan) -> None:
    """Run the one ffmpeg that makes every rung."""
    began, frames = time.monotonic(), 0

    def hear(line: str) -> int | None:
        nonlocal frames
        frame = parse_frame(line)
        frames = frames if frame is None else frame
        return frame

    finished = run_limited(
        args.encode_args(job.ffmpeg, plan, job.source, job.work),
        limits=ChildLimits(),
        time_limit_s=plan.time_limit_s,
        stall_s=job.settings.limits.stall_s,
        on_tick=lambda: job.report(Progress(frames, plan.frames, time.monotonic() - began)),
        on_line=hear,
    )
    if finished.returncode != 0:
        raise diagnose(finished.returncode, finished.stderr)


def make_poster(job: Job, plan: EncodePlan, made: Package) -> None:
    """The frame that stands for the film, taken from the best rung (our own file: nothing untrusted is read again)."""
    thumbs = split_thumbs(args.thumbs_path(job.work).read_bytes())
    frame = min(choose_poster(thumbs) * plan.poster_step, made.frames - 1)
    best = job.out / layout.rendition_file(made.videos[-1].name)
    poster = job.out / layout.POSTER
    finished = run_limited(
        args.poster_args(job.ffmpeg, best, frame / Fraction(plan.frame_rate), poster),
        limits=ChildLimits(),
        time_limit_s=POSTER_TIME_LIMIT_S,
        stall_s=POSTER_TIME_LIMIT_S,
        on_tick=job.tick,
    )
    if finished.returncode != 0 or not poster.exists():
        raise EncoderFailed(detail=finished.stderr[-1000:]) if made.frames else Truncated()
