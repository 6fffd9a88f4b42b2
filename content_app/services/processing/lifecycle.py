"""The only writer of runs, and of what they make of a film: its state, its version and its original.

A worker holds a run by a lease: each of its writes names the lease and renews it, and raises LeaseLost once another
worker has the run. A move that changes the film too first locks the film's row, so that two moves of one film follow
each other, and no two of them wait for each other.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from background.leases import LeaseLost
from background.retry import Retry
from content_app import queue
from content_app.models import ORIGINAL_FIELDS, Caption, Chunk, Rendition, Run, Version, Video
from content_app.models.run import of_kept_film
from content_app.services.storage import discards
from content_app.states import LIVE_RUNS, RunState, State, sources_of
from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, PipelineError
from users_app import audit

log = logging.getLogger(__name__)

FIRST_RETRY_S = 5
FRESH: dict[str, Any] = {"progress": 0, "time_left_s": None}


@dataclass(frozen=True)
class Original:
    """A file in the storage. `etag`: of the object that was checked; empty for files that came by a form or by tus."""

    key: str
    name: str
    size_bytes: int
    etag: str = ""


@dataclass(frozen=True)
class Findings:
    """What an examination of an original found. `report` and `settings` are None when the file was refused."""

    verdict: Mapping[str, object]
    report: Mapping[str, object] | None = None
    settings: Mapping[str, object] | None = None

    def fields(self) -> dict[str, Any]:
        cost = self.verdict.get("cost")
        estimate_s = cost["seconds"] if isinstance(cost, Mapping) else None
        return {"verdict": self.verdict, "report": self.report, "settings": self.settings, "estimate_s": estimate_s}


@dataclass(frozen=True)
class Published:
    """A finished version, all objects of which are stored, as unsaved rows that do not name their version yet."""

    version: Version
    renditions: Sequence[Rendition]
    captions: Sequence[Caption]
    work_pixels: int = 0
    work_s: float = 0


# --- originals -------------------------------------------------------------------------------------------------------


def accept_saved_original(*, video: Video) -> bool:
    """Accepts the file that a save() of this instance has brought, and shows the instance what came of it."""
    original = Original(video.video_file.name or "", video.original_name, video.original_bytes)
    is_new = accept_original(video_id=video.pk, original=original)
    if is_new:
        video.refresh_from_db(fields=["state", "run", "refusal", "updated_at", *ORIGINAL_FIELDS])
    return is_new


def accept_original(*, video_id: int, original: Original, findings: Findings | None = None) -> bool:
    """Starts a run for a new original, and enqueues its jobs on commit. `findings`: where it was examined already.

    If a version plays, it keeps its original until the new run is done. A run that is still live is dropped, with its
    file. Returns False when this original has been accepted already, or the video is gone.
    """
    with transaction.atomic():
        video = _locked(video_id)
        if video is None or Run.objects.filter(video=video_id, original=original.key).exists():
            return False
        _drop_live_run(video)
        played = _published_original(video)
        # An original that plays nothing and is not processed any more: that of a run that failed, or was dropped.
        if video.run and video.run.original not in ("", played):
            discards.discard(prefixes=[video.run.original])
        run = _start_run(video, original, findings.fields() if findings else {})
        shown = _shown_original(video.version.run if video.version else run)
        _move(video, State.PENDING, run=run, refusal=None, updated_at=timezone.now(), **shown)
        _enqueue_on_commit(video_id, is_examined=findings is not None)
    return True


def refuse_first_upload(*, video_id: int, name: str, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """Fails a video whose first original was refused. Returns False when the video has an original already."""
    with transaction.atomic():
        # Deleted videos included: they may be restored.
        video = _locked(video_id)
        if video is None or video.state != State.UPLOADING:
            return False
        # Always final: there is no file that could be processed again.
        run = _refused_run(video, name, error, verdict, error_is_final=True)
        _move(video, State.ERROR, run=run, updated_at=timezone.now())
    return True


def note_refusal(*, video_id: int, name: str, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """Notes why a file was refused before it became this video's candidate; the video stays as it is."""
    with transaction.atomic():
        video = _locked(video_id)
        if video is None or video.deleted_at or video.state == State.UPLOADING:
            return False
        _change(video, refusal=_refused_run(video, name, error, verdict))
    return True


def dismiss_refusal(*, video_id: int) -> bool:
    """Removes the note of a refusal that the owner has read. Returns False when there was none."""
    refused = Video.objects.filter(pk=video_id, deleted_at=None).exclude(refusal=None)
    return bool(refused.update(refusal=None))


def retry(*, video_id: int) -> bool:
    """Processes a failed or finished video once more. Returns False in any other state, or without an original."""
    with transaction.atomic():
        video = _locked(video_id)
        if video is None or video.state not in (State.ERROR, State.READY):
            return False
        before = video.run
        if before is None or not before.original:
            return False
        original = Original(before.original, before.name, before.size_bytes, before.etag)
        # The same file, so its report holds; the plan is made anew, by the settings of today.
        run = _start_run(video, original, {"report": before.report})
        _move(video, State.PENDING, run=run, refusal=None)
        _enqueue_on_commit(video_id, is_examined=False)
        audit.note("video_processed_again", target=f"video:{video_id}")
    return True


def _start_run(video: Video, original: Original, known: Mapping[str, Any]) -> Run:
    file = {"original": original.key, "name": original.name, "size_bytes": original.size_bytes, "etag": original.etag}
    return Run.objects.create(video=video, **file, **known)


def _refused_run(video: Video, name: str, error: PipelineError, verdict: Mapping[str, object], **fields: object) -> Run:
    now = timezone.now()
    ended = {**_failure(error), **fields, "ended_at": now, "queued_at": now}
    return Run.objects.create(video=video, name=name, state=RunState.FAILED, verdict=verdict, **ended)


def _drop_live_run(video: Video) -> None:
    live = Run.objects.filter(video=video, state__in=LIVE_RUNS)
    Chunk.objects.filter(run__in=live).update(lease_token=None, free_at=None)
    live.update(state=RunState.DROPPED, lease_token=None, free_at=None, ended_at=timezone.now(), **FRESH)


def _enqueue_on_commit(video_id: int, *, is_examined: bool) -> None:
    if settings.TRANSCODER == "internal":
        transaction.on_commit(lambda: queue.enqueue_processing(video_id))
    if not is_examined:
        # Whichever job runs first examines the file: while all encoding workers are busy, this one tells early whether
        # the file is a video at all.
        transaction.on_commit(lambda: queue.enqueue_inspection(video_id))


# --- preflight -------------------------------------------------------------------------------------------------------


def note_findings(*, run: Run, findings: Findings) -> bool:
    """Stores what an inspection found. Returns False when a worker has taken or planned the run, or it is over."""
    return bool(_inspected(run).update(**findings.fields()))


def refuse(*, run: Run, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """Fails a waiting run whose file can never be processed. Returns False when a worker has taken or planned it."""
    with transaction.atomic():
        video = _locked(run.video_id)
        if video is None or video.deleted_at:
            return False
        changes = {**_failure(error), "state": RunState.FAILED, "verdict": verdict, "ended_at": timezone.now()}
        if not _inspected(run).update(**changes):
            return False
        _note_failure(video, run)
    return True


def _inspected(run: Run) -> Any:
    # A run that waits for another attempt keeps the settings of its first one.
    return Run.objects.filter(of_kept_film(), pk=run.pk, settings__isnull=True, state=RunState.WAITING)


# --- posters ---------------------------------------------------------------------------------------------------------


def switch_poster(*, video: Video, poster: str) -> bool:
    """Changes the poster. Returns False when the version or the poster is no longer the one of this instance."""
    assert video.version
    unchanged = Video.objects.filter(pk=video.pk, version=video.version, poster=video.poster, deleted_at=None)
    # Uploaded posters are stored in both sizes; versions of older releases have large candidates only.
    has_small = video.version.has_small_choices or not poster.startswith(f"{video.folder}/")
    return bool(unchanged.update(poster=poster, has_small_poster=has_small))


# --- a worker's moves ------------------------------------------------------------------------------------------------


def claim(*, video_id: int) -> Run | None:
    """Takes the waiting run of a video for this worker. Returns None when none waits, or it has to wait longer."""
    with transaction.atomic():
        video = _locked(video_id)
        if video is None or video.deleted_at:
            return None
        waiting = Run.objects.filter(video=video_id, state=RunState.WAITING)
        run: Run | None = waiting.take(state=RunState.RUNNING, **FRESH)
        if run:
            _move(video, State.PROCESSING)
            run.video = video
    return run


def note_plan(*, run: Run, findings: Findings) -> None:
    """Stores what the worker found in the original. Raises LeaseLost."""
    run.write(**findings.fields())


def take_chunk(*, run: Run, segments: int) -> Chunk:
    """Takes the one chunk of the run, which has all its segments. Raises LeaseLost when another worker encodes it."""
    chunk, _ = Chunk.objects.update_or_create(
        run=run, number=0, defaults={"first_segment": 0, "segments": segments, "encoded_at": None}
    )
    taken: Chunk | None = Chunk.objects.filter(pk=chunk.pk).take()
    if taken is None:
        raise LeaseLost
    return taken


def record_progress(
    *, run: Run, percent: int = 0, time_left_s: int | None = None, estimate_s: int | None = None
) -> None:
    """Stores the progress and renews the lease. Raises LeaseLost."""
    # Without a new estimate the one from preflight stays.
    estimate = {} if estimate_s is None else {"estimate_s": estimate_s}
    run.write(progress=percent, time_left_s=time_left_s, **estimate)


def expect_version(*, run: Run, folder: str) -> None:
    """Call before the first object is stored: if the worker dies, the version's objects are removed a day later."""
    discards.discard_unless_kept(prefix=layout.version_prefix(run.video.public_id, folder))


def mark_ready(*, run: Run, published: Published) -> None:
    """Publishes the new version in one transaction. Raises LeaseLost.

    The old version is removed when its last signed address has expired. The original of the old version is discarded at
    once if the new version was made from another one.
    """
    with transaction.atomic():
        video = _locked(run.video_id)
        if video is None:
            raise LeaseLost
        old, played, prefix = video.version, _published_original(video), layout.video_prefix(video.public_id)
        version = published.version
        run.release(
            state=RunState.DONE, progress=100, time_left_s=None, ended_at=timezone.now(), folder=version.folder,
            work_pixels=published.work_pixels, work_s=published.work_s,
        )  # fmt: skip
        version.video, version.run = video, run
        version.save(force_insert=True)
        for rendition in published.renditions:
            rendition.version = version
        Rendition.objects.bulk_create(published.renditions)
        # An uploaded poster has a folder of its own, and outlives the version.
        poster = {"poster": version.first_poster, "has_small_poster": version.has_small_choices}
        has_own_poster = video.poster and not video.poster.startswith(f"{video.folder}/")
        _move(video, State.READY, version=version, **_shown_original(run), **({} if has_own_poster else poster))
        Caption.objects.filter(video=video, is_uploaded=False).delete()
        for caption in published.captions:
            caption.video = video
        # An uploaded caption has its language already, and wins over one that came with the file.
        Caption.objects.bulk_create(published.captions, ignore_conflicts=True)
        discards.keep(prefix=f"{prefix}/{version.folder}")
        if old:
            discards.discard_later(prefix=f"{prefix}/{old.folder}")
            old.delete()
        if played and played != run.original:
            discards.discard(prefixes=[played])


def mark_failed(*, run: Run, error: PipelineError) -> State:
    """Fails the run, or lets it wait if another attempt may help. Returns the film's state. Raises LeaseLost."""
    retry = Retry(first_s=FIRST_RETRY_S, tries=settings.MAX_ATTEMPTS)
    if error.permanent or retry.is_over(run.attempts):
        return _fail(run, error)
    _let_wait(run, until=timezone.now() + timedelta(seconds=retry.wait_s(run.attempts)))
    return State.PENDING


def hand_back(*, run: Run) -> None:
    """Leaves the run to the next worker at once, without counting the attempt. Raises LeaseLost."""
    _let_wait(run, attempts=F("attempts") - 1)


def _let_wait(run: Run, **changes: Any) -> None:
    with transaction.atomic():
        video = _locked(run.video_id)
        if video is None:
            raise LeaseLost
        run.release(state=RunState.WAITING, **FRESH, **changes)
        run.chunks.update(lease_token=None, free_at=None)
        _move(video, State.PENDING)


def _fail(run: Run, error: PipelineError) -> State:
    with transaction.atomic():
        video = _locked(run.video_id)
        if video is None:
            raise LeaseLost
        run.release(**_failure(error), state=RunState.FAILED, ended_at=timezone.now(), time_left_s=None)
        run.chunks.update(lease_token=None, free_at=None)
        return _note_failure(video, run)


def _note_failure(video: Video, run: Run) -> State:
    """Ends a film's processing without a new version: one that plays goes on as it is, with a note of the reason."""
    if not video.version:
        _move(video, State.ERROR, updated_at=timezone.now())
        return State.ERROR
    _move(video, State.READY, run=video.version.run, refusal=run, **_shown_original(video.version.run))
    if run.original != video.version.run.original:
        discards.discard(prefixes=[run.original])
    return State.READY


def _failure(error: PipelineError) -> dict[str, Any]:
    return {"error_code": error.code, "error_message": error.sentence[:500], "error_is_final": not error.may_pass}


# --- the film's row --------------------------------------------------------------------------------------------------


def _locked(video_id: int) -> Video | None:
    videos = Video.objects.select_for_update(of=("self",)).select_related("version__run", "run")
    return videos.filter(pk=video_id).first()


def _move(video: Video, target: State, **changes: Any) -> None:
    assert video.state in sources_of(target), f"{video.state} to {target}"
    _change(video, state=target, **changes)


def _change(video: Video, **changes: Any) -> None:
    Video.objects.filter(pk=video.pk).update(**changes)


def _published_original(video: Video) -> str:
    return video.version.run.original if video.version else ""


def _shown_original(run: Run) -> dict[str, Any]:
    return {"video_file": run.original, "original_name": run.name, "original_bytes": run.size_bytes}


# --- the reaper's moves ----------------------------------------------------------------------------------------------


def take_back_expired() -> int:
    """Lets runs whose worker is gone wait again, and fails those that have used up MAX_ATTEMPTS.

    Returns how many wait again.
    """
    error = EncoderFailed("Processing was cut off several times; this file may be too much for the machine.")
    running = Run.objects.filter(of_kept_film(), state=RunState.RUNNING)
    failed = taken_back = 0
    for pk in list(running.expired().values_list("pk", flat=True)):
        # The reaper takes the lease itself: whatever the worker still writes is refused from here on.
        run = running.filter(pk=pk).take(is_attempt=False)
        if run is None:
            continue  # the worker has renewed its lease, or another reaper was faster
        with suppress(LeaseLost):  # the film was deleted just now
            if run.attempts >= settings.MAX_ATTEMPTS:
                _fail(run, error)
                failed += 1
            else:
                _let_wait(run)
                taken_back += 1
    if failed or taken_back:
        log.warning("workers vanished: %d video(s) taken back, %d given up", taken_back, failed)
    return taken_back


def waiting_ids() -> list[int]:
    """Returns the ids of the videos whose run a worker may take now, the longest waiting first."""
    waiting = Run.objects.free().filter(state=RunState.WAITING, video__deleted_at=None)
    return list(waiting.order_by("queued_at", "pk").values_list("video", flat=True))


def is_live_claim(*, token: uuid.UUID) -> bool:
    return Run.objects.filter(lease_token=token, state=RunState.RUNNING, video__deleted_at=None).exists()
