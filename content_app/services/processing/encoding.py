"""Takes a run through the pipeline: fetch the original, encode, publish, mark ready."""

import logging
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from background.leases import LeaseLost
from content_app.input_rules import MEGABYTE
from content_app.models import Caption, Chunk, Rendition, Run, Version, Video
from content_app.services.processing import lifecycle, preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.lifecycle import Published
from content_app.services.processing.preflight import speed_here
from content_app.services.storage import discards, disk_space, work_folder
from content_app.services.storage.disk_space import NoRoom
from content_app.services.storage.stores import bucket_store, get_store
from media_pipeline import layout
from media_pipeline.errors import PipelineError, StorageUnavailable
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.ffmpeg.progress import Progress
from media_pipeline.packaging import playlists
from media_pipeline.packaging.publish import publish
from media_pipeline.pipeline import Job, Made, process
from media_pipeline.planning.plan import PlanSettings, is_current, plan_encode
from media_pipeline.probe import read_report
from media_pipeline.report.estimate import corrected_s, estimate
from media_pipeline.sources.source import Source, parse_probe
from media_pipeline.storage.store import Tick, can_link

log = logging.getLogger(__name__)

COPIES = 2  # the encoder's files, and the version that is packaged from them
NO_ROOM = "There is no room left on the disk to process this film. Make room, then try again."
REPORT_INTERVAL = timedelta(seconds=1)
# More than an encoder writes between two checks of the disk.
MARGIN_BYTES = 8 * MEGABYTE
Watcher = Callable[[int, int | None], None]


class WorkerStopping(BaseException):
    """The worker has to end now. Not an Exception, so that no handler for errors along the way swallows it."""


def make_version(*, run: Run, watch: Watcher = lambda percent, time_left_s: None) -> None:
    """Makes a version of the video and publishes it; on any error, fails the video or leaves it to another worker.

    `watch` is called with the percent done and the seconds left (for a command line).
    """
    folder = uuid.uuid4().hex[:16]
    scratch = settings.WORK_DIR / str(run.lease_token)
    log.info("video %s: processing, attempt %d", run.video_id, run.attempts)
    try:
        try:
            make_and_publish(run, folder, scratch, Reporter(run, watch))
        finally:
            # Before the handlers below write to the database, which on a full disk may need the room.
            shutil.rmtree(scratch, ignore_errors=True)
    except LeaseLost:
        log.info("video %s: deleted, replaced or taken over; leaving it", run.video_id)
        discard_version(run, folder)
    except WorkerStopping:
        log.info("video %s: handed back, the worker ends", run.video_id)
        with suppress(LeaseLost):
            lifecycle.hand_back(run=run)
        discard_version(run, folder)
    except PipelineError as error:
        give_up(run, folder, error)
    except NoRoom as error:
        give_up(run, folder, StorageUnavailable(NO_ROOM, detail=str(error)))
    except OSError as error:  # the scratch folder: full, read-only, gone
        give_up(run, folder, StorageUnavailable("The work folder cannot be written to.", detail=str(error)))


def make_and_publish(run: Run, folder: str, scratch: Path, report: "Reporter") -> None:
    sweep_scratch()
    work_folder.drop_kept()
    source, work, out = scratch / "source", scratch / "work", scratch / "out"
    for each in (work, out):
        each.mkdir(parents=True)
    tick = partial(report, None)  # renews the lease where there is no progress to report
    work_folder.fetch_original(run.original, source, tick, run.etag)
    facts, settings_of_plan = examine_for(run, source, tick)
    plan = plan_encode(facts, settings_of_plan)
    cost = estimate(plan, speed_here(), source_bytes=source.stat().st_size)
    report.expect(cost.seconds)
    report.chunk = lifecycle.take_chunk(run=run, segments=plan.segments)
    work_folder.require_scratch_space(cost.bytes * COPIES)
    made = process(Job(source, work, out, find_ffmpeg(settings.FFMPEG_BIN), settings_of_plan, report, facts))
    report.chunk.release(encoded_at=timezone.now())
    report.chunk = None
    lifecycle.expect_version(run=run, folder=folder)
    require_room_to_publish(out)
    size_bytes = publish(out, get_store(), layout.version_prefix(run.video.public_id, folder), tick)
    lifecycle.mark_ready(run=run, published=published_encode(folder, made, size_bytes, out))
    log.info("video %s: ready", run.video_id)


def examine_for(run: Run, source: Path, tick: Tick) -> tuple[Source, PlanSettings]:
    """Returns what the plan follows from: as the run has it, or else from the file itself, and then the run keeps it.

    Raises LeaseLost, or the PipelineError that says why the file cannot be processed.
    """
    known, settings_of_plan = run.settings, plan_settings()
    limit_s = settings_of_plan.limits.probe_s
    report = run.report if is_current(run.report) else read_report(source, time_limit_s=limit_s, on_tick=tick)
    if is_current(known):
        return parse_probe(report), PlanSettings.from_json(known)
    findings, error = preflight.findings_of(report, settings_of_plan, size_bytes=source.stat().st_size)
    if error:
        raise error
    lifecycle.note_plan(run=run, findings=findings)
    return parse_probe(report), settings_of_plan


def require_room_to_publish(out: Path) -> None:
    """Raises NoRoom when the version in `out` does not fit into the media folder."""
    # On the same disk as the work folder a version is stored by hard links, which need no room.
    if not bucket_store() and not can_link(out, settings.MEDIA_ROOT):
        disk_space.require_free(settings.MEDIA_ROOT, sum(path.stat().st_size for path in out.iterdir()))


def published_encode(folder: str, made: Made, size_bytes: int, out: Path) -> Published:
    best = made.package.videos[-1]
    rows = []
    for video in made.package.videos:
        peak, average = playlists.bandwidths(video, made.package.audios)
        rows.append(
            Rendition(
                name=video.name,
                width=video.width,
                height=video.height,
                frame_rate=str(video.frame_rate),
                codecs=",".join([video.codec, *(audio.codec for audio in made.package.audios[:1])]),
                peak_bps=peak,
                average_bps=average,
                size_bytes=(out / layout.rendition_file(video.name)).stat().st_size,
                frames=made.package.frames,
            )
        )
    version = Version(
        folder=folder,
        duration_s=float(made.package.duration_s),
        width=best.width,
        height=best.height,
        size_bytes=size_bytes,
        poster_choices=made.posters,
        has_small_choices=True,
        has_storyboard=True,
    )
    captions = [
        Caption(language=one.language, label=one.label, folder=folder, is_uploaded=False)
        for one in made.package.captions
    ]
    return Published(version, rows, captions, work_pixels=made.plan.work_pixels, work_s=made.seconds)


def give_up(run: Run, folder: str, error: PipelineError) -> None:
    with suppress(LeaseLost):
        state = lifecycle.mark_failed(run=run, error=error)
        log.warning("video %s: %s, now %s", run.video_id, error, state)
    discard_version(run, folder)


def discard_version(run: Run, folder: str) -> None:
    # SIGTERM may arrive just after mark_ready has committed: then this version plays already, and stays.
    if Video.objects.filter(pk=run.video_id, version__folder=folder).exists():
        return
    discards.discard(prefixes=[layout.version_prefix(run.video.public_id, folder)])


class Reporter:
    """Writes progress and the time left to the database about once a second, which also renews the lease.

    The estimate begins with what the plan says, and is corrected with each report of the encoder. Calling the reporter
    raises LeaseLost when another worker holds the video, and NoRoom before the work disk runs into its reserve.
    """

    def __init__(self, run: Run, watch: Watcher) -> None:
        self.run = run
        self.chunk: Chunk | None = None
        self.watch = watch
        self.next_at = timezone.now()
        self.percent = 0
        self.planned_at = 0.0
        self.expected_s: float | None = None
        self.total_s: float | None = None

    def expect(self, seconds: float) -> None:
        """Starts the estimate: the plan will take this long, counted from now."""
        self.planned_at, self.expected_s, self.total_s = time.monotonic(), seconds, seconds

    def __call__(self, progress: Progress | None) -> None:
        disk_space.require_free(settings.WORK_DIR, MARGIN_BYTES)
        if timezone.now() < self.next_at:
            return
        if progress:
            self.percent = min(99, progress.percent)  # 100 is for mark_ready: only then it can be watched
        if progress and self.expected_s is not None:
            self.total_s = corrected_s(self.expected_s, progress.elapsed_s, progress.share)
        time_left_s = estimate_s = None
        if self.total_s is not None:
            elapsed_s = time.monotonic() - self.planned_at
            time_left_s = max(1, round(self.total_s - elapsed_s))
            estimate_s = max(1, round(max(self.total_s, elapsed_s)))
        if self.chunk:
            self.chunk.renew()
        lifecycle.record_progress(run=self.run, percent=self.percent, time_left_s=time_left_s, estimate_s=estimate_s)
        self.watch(self.percent, time_left_s)
        self.next_at = timezone.now() + REPORT_INTERVAL


def sweep_scratch() -> int:
    """Removes the scratch folders that killed workers left on this machine. Returns how many."""
    swept = 0
    for folder in settings.WORK_DIR.iterdir():
        try:
            token = uuid.UUID(folder.name)
        except ValueError:
            continue  # not a scratch folder
        if not lifecycle.is_live_claim(token=token):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
