"""From a file to a finished version in a folder: probe, plan, encode, package, verify."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, PipelineError
from media_pipeline.ffmpeg.diagnose import diagnose, has_succeeded
from media_pipeline.ffmpeg.progress import Progress, parse_frame
from media_pipeline.ffmpeg.run import CompletedRun, processors, run_limited
from media_pipeline.limits import ChildLimits
from media_pipeline.packaging.package import Package, package
from media_pipeline.packaging.verify import verify_version
from media_pipeline.pictures.poster import choose_posters, split_looks
from media_pipeline.planning import ffmpeg_args
from media_pipeline.planning.allowance import encoder_limits
from media_pipeline.planning.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.planning.storyboard import storyboard_vtt
from media_pipeline.probe import probe
from media_pipeline.sources.source import Source

log = logging.getLogger(__name__)

SHORT_STEP_LIMIT_S = 600
Report = Callable[[Progress | None], None]


@dataclass(frozen=True)
class Job:
    """One source and where its version is made.

    `report` is called about once a second or more often during every step (with None when there is no progress to
    tell) and may raise to stop the job. `facts`: what an earlier probe of this source found, if there was one.
    """

    source: Path
    work: Path  # scratch files; the caller removes the folder
    out: Path  # holds exactly the version's files afterwards
    ffmpeg: str
    settings: PlanSettings
    report: Report
    facts: Source | None = None

    def tick(self) -> None:
        self.report(None)


@dataclass(frozen=True)
class Made:
    """A finished version. `seconds` is the time that making it took."""

    source: Source
    plan: EncodePlan
    package: Package
    posters: int  # to choose from, the poster itself included
    seconds: float


def process(job: Job) -> Made:
    """Makes a whole version of one source. Raises PipelineError, or what `report` raised."""
    began = time.monotonic()
    job.tick()
    source = job.facts or probe(job.source, time_limit_s=job.settings.limits.probe_s, on_tick=job.tick)
    plan = plan_encode(source, job.settings)
    encode(job, plan)
    extract_captions(job, plan)
    packaged = package(plan, job.work, job.out, on_segment=job.tick)
    posters = move_posters(job)
    make_storyboard(job, plan, packaged)
    verify_version(job.out, packaged)
    return Made(source, plan, packaged, posters, time.monotonic() - began)


def encode(job: Job, plan: EncodePlan) -> None:
    """Runs the one ffmpeg that makes every rung."""
    began, frames = time.monotonic(), 0

    def note_frame(line: str) -> int | None:
        nonlocal frames
        frame = parse_frame(line)
        frames = frames if frame is None else frame
        return frame

    finished = run_limited(
        ffmpeg_args.encode_args(job.ffmpeg, plan, job.source, job.work),
        limits=encoder_limits(plan, processors()),
        time_limit_s=plan.time_limit_s,
        stall_s=job.settings.limits.stall_s,
        reads=[job.source],
        writes=[job.work],
        on_tick=lambda: job.report(Progress(frames, plan.frames, time.monotonic() - began)),
        on_line=note_frame,
    )
    if not has_succeeded(finished.returncode, finished.stderr):
        raise diagnose(finished.returncode, finished.stderr)


def move_posters(job: Job) -> int:
    """Moves the best poster candidates into the version, the best first; returns how many there are."""
    chosen = choose_posters(split_looks(ffmpeg_args.thumbs_path(job.work).read_bytes()))
    try:
        for number, candidate in enumerate(chosen, start=1):
            name = layout.poster_file(number)
            ffmpeg_args.poster_path(job.work, candidate).replace(job.out / name)
            ffmpeg_args.small_poster_path(job.work, candidate).replace(job.out / layout.small_poster_file(name))
    except FileNotFoundError as error:
        raise EncoderFailed(detail=f"the encoder left out a picture: {error}") from error
    return len(chosen)


def make_storyboard(job: Job, plan: EncodePlan, packaged: Package) -> None:
    """Draws the sheet from the encoder's tiles, and writes its cues for the frames that were packaged."""
    sheet = job.work / layout.STORYBOARD
    finished = run_short(job, ffmpeg_args.storyboard_args(job.ffmpeg, plan.storyboard, job.work, sheet))
    if finished.returncode != 0 or not sheet.exists():
        raise EncoderFailed(detail=finished.stderr[-1000:])
    sheet.replace(job.out / layout.STORYBOARD)
    cues = storyboard_vtt(plan.storyboard, layout.STORYBOARD, packaged.frames, plan.frame_rate)
    (job.out / layout.STORYBOARD_CUES).write_text(cues)


def extract_captions(job: Job, plan: EncodePlan) -> None:
    """Writes the planned subtitles as WebVTT into the work folder, and logs what ffmpeg complains of."""
    if not plan.captions:
        return
    try:
        complaint = run_short(job, ffmpeg_args.captions_args(job.ffmpeg, plan, job.source, job.work)).stderr
    except PipelineError as error:
        # A broken subtitle track must not fail the film.
        complaint = str(error)
    if complaint:
        log.warning("reading the subtitles: %s", complaint[-500:])


def run_short(job: Job, argv: list[str]) -> CompletedRun:
    """Runs a step that takes a moment for most films, and minutes at the most."""
    return run_limited(
        argv,
        limits=ChildLimits(),
        time_limit_s=SHORT_STEP_LIMIT_S,
        stall_s=SHORT_STEP_LIMIT_S,
        reads=[job.source],
        writes=[job.work],
        on_tick=job.tick,
    )
