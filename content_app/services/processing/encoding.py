"""Takes a claimed video through the pipeline: fetch the original, encode, publish, mark ready."""

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

from content_app.input_rules import MEGABYTE
from content_app.models import Caption, Rendition, Video
from content_app.services.processing import lifecycle, preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.lifecycle import Claim, ClaimLost, Published
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
from media_pipeline.planning.plan import EncodePlan
from media_pipeline.report.estimate import Speed, corrected_s, estimate
from media_pipeline.sources.source import Source
from media_pipeline.storage.store import can_link

log = logging.getLogger(__name__)

COPIES = 2  # the encoder's files, and the version that is packaged from them
NO_ROOM = "There is no room left on the disk to process this film. Make room, then try again."
REPORT_INTERVAL = timedelta(seconds=1)
# More than an encoder writes between two checks of the disk.
MARGIN_BYTES = 8 * MEGABYTE
Watcher = Callable[[int, int | None], None]


class WorkerStopping(BaseException):
    """The worker has to end now. Not an Exception, so that no handler for errors along the way swallows it."""


def run_claim(*, claim: Claim, watch: Watcher = lambda percent, time_left_s: None) -> None:
    """Makes a version of the video and publishes it; on any error, fails the video or leaves it to another worker.

    `watch` is called with the percent done and the seconds left (for a command line).
    """
    version = uuid.uuid4().hex[:16]
    scratch = settings.WORK_DIR / str(claim.token)
    log.info("video %s: processing, attempt %d", claim.video_id, claim.attempt)
    try:
        try:
            make_and_publish(claim, version, scratch, Reporter(claim, watch))
        finally:
            # Before the handlers below write to the database, which on a full disk may need the room.
            shutil.rmtree(scratch, ignore_errors=True)
    except ClaimLost:
        log.info("video %s: deleted, replaced or taken over; leaving it", claim.video_id)
        discard_version(claim, version)
    except WorkerStopping:
        log.info("video %s: handed back, the worker ends", claim.video_id)
        with suppress(ClaimLost):
            lifecycle.hand_back(claim=claim)
        discard_version(claim, version)
    except PipelineError as error:
        give_up(claim, version, error)
    except NoRoom as error:
        give_up(claim, version, StorageUnavailable(NO_ROOM, detail=str(error)))
    except OSError as error:  # the scratch folder: full, read-only, gone
        give_up(claim, version, StorageUnavailable("The work folder cannot be written to.", detail=str(error)))


def make_and_publish(claim: Claim, version: str, scratch: Path, report: "Reporter") -> None:
    sweep_scratch()
    work_folder.drop_kept()
    source, work, out = scratch / "source", scratch / "work", scratch / "out"
    for folder in (work, out):
        folder.mkdir(parents=True)
    tick = partial(report, None)  # renews the lease where there is no progress to report
    work_folder.fetch_original(claim.original, source, tick, claim.etag)
    source_bytes = source.stat().st_size

    def accept_plan(facts: Source, plan: EncodePlan) -> None:
        """The pipeline calls this before it encodes. Raises StorageUnavailable when the result would not fit."""
        report.expect(preflight.note_plan(facts, plan, claim=claim, size_bytes=source_bytes))
        cost = estimate(plan, Speed(), source_bytes=source_bytes)  # only for its bytes, which any speed gives
        work_folder.require_scratch_space(cost.bytes * COPIES)

    made = process(Job(source, work, out, find_ffmpeg(settings.FFMPEG_BIN), plan_settings(), report, accept_plan))
    lifecycle.expect_version(claim=claim, version=version)
    require_room_to_publish(out)
    size_bytes = publish(out, get_store(), layout.version_prefix(claim.public_id, version), tick)
    lifecycle.mark_ready(claim=claim, published=published_encode(claim, version, made, size_bytes, out))
    log.info("video %s: ready", claim.video_id)


def require_room_to_publish(out: Path) -> None:
    """Raises NoRoom when the version in `out` does not fit into the media folder."""
    # On the same disk as the work folder a version is stored by hard links, which need no room.
    if not bucket_store() and not can_link(out, settings.MEDIA_ROOT):
        disk_space.require_free(settings.MEDIA_ROOT, sum(path.stat().st_size for path in out.iterdir()))


def published_encode(claim: Claim, version: str, made: Made, size_bytes: int, out: Path) -> Published:
    best = made.package.videos[-1]
    rows = []
    for video in made.package.videos:
        peak, average = playlists.bandwidths(video, made.package.audios)
        rows.append(
            Rendition(
                video_id=claim.video_id,
                version=version,
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
    return Published(
        version=version,
        duration_s=float(made.package.duration_s),
        width=best.width,
        height=best.height,
        size_bytes=size_bytes,
        renditions=rows,
        captions=[
            Caption(video_id=claim.video_id, language=one.language, label=one.label, folder=version, is_uploaded=False)
            for one in made.package.captions
        ],
        poster_choices=made.posters,
        work_pixels=made.plan.work_pixels,
        work_s=made.seconds,
    )


def give_up(claim: Claim, version: str, error: PipelineError) -> None:
    with suppress(ClaimLost):
        state = lifecycle.mark_failed(claim=claim, error=error)
        log.warning("video %s: %s, now %s", claim.video_id, error, state)
    discard_version(claim, version)


def discard_version(claim: Claim, version: str) -> None:
    # SIGTERM may arrive just after mark_ready has committed: then this version plays already, and stays.
    if Video.objects.filter(pk=claim.video_id, version=version).exists():
        return
    discards.discard(prefixes=[layout.version_prefix(claim.public_id, version)])


class Reporter:
    """Writes progress and the time left to the database about once a second, which also renews the lease.

    The estimate begins with what the plan says, and is corrected with each report of the encoder. Calling the reporter
    raises ClaimLost when another worker holds the video, and NoRoom before the work disk runs into its reserve.
    """

    def __init__(self, claim: Claim, watch: Watcher) -> None:
        self.claim = claim
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
        lifecycle.record_progress(
            claim=self.claim, percent=self.percent, time_left_s=time_left_s, estimate_s=estimate_s
        )
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
