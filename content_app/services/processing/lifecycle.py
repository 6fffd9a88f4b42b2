"""The only writer of a video's state. Every move is a conditional UPDATE, and its row count says who won.

A worker's claim is a lease with a fencing token: each write names the token and renews the lease. A write that finds
the claim gone raises ClaimLost, so a worker whose lease has expired can no longer change the video.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from background.leases import is_free, lease_end
from background.retry import Retry
from content_app import queue
from content_app.models import Caption, Rendition, Video
from content_app.services.storage import discards
from content_app.states import State, sources_of
from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, PipelineError
from users_app import audit

log = logging.getLogger(__name__)

FIRST_RETRY_S = 5
NO_CLAIM = {"claim_token": None, "lease_until": None}
FRESH = {"progress": 0, "time_left_s": None, "error_code": "", "error_message": "", "error_is_final": False}
NO_REFUSAL = {"refused_file": "", "refused_code": "", "refused_message": "", "refused_at": None}
# The fields of a video whose original has not been examined yet.
UNSEEN: dict[str, object] = {**FRESH, **NO_REFUSAL, "verdict": None, "estimate_s": None}


class ClaimLost(Exception):
    """Another worker holds the video now, or the video was deleted, or its original replaced."""


@dataclass(frozen=True)
class Claim:
    """A worker's right to write the state of one video."""

    video_id: int
    token: uuid.UUID
    public_id: uuid.UUID
    original: str
    etag: str  # of the object that was checked; empty for originals that came by a form or by tus
    attempt: int


@dataclass(frozen=True)
class Original:
    """A file in the storage that has been checked."""

    key: str
    name: str
    size_bytes: int
    etag: str = ""


@dataclass(frozen=True)
class Published:
    """A finished version, all objects of which are stored."""

    version: str
    duration_s: float
    width: int
    height: int
    size_bytes: int
    renditions: Sequence[Rendition]
    captions: Sequence[Caption]
    poster_choices: int
    work_pixels: int
    work_s: float
    has_small_posters: bool = True
    has_storyboard: bool = True
    has_manifest: bool = False


# --- originals -------------------------------------------------------------------------------------------------------


def accept_original(*, video: Video, etag: str = "") -> bool:
    """Moves a video with a new original to `pending`, and enqueues its jobs on commit.

    If a version plays, the new original is a candidate: the original of that version is kept until the candidate's own
    version is ready, and restored if the candidate is refused. Any other replaced original is discarded, an earlier
    candidate too. Returns False when this original has been accepted already, or another one at the same moment.
    """
    name = video.video_file.name or ""
    with transaction.atomic():
        # Read from the database, not from the instance: another request may have saved an original in between.
        replaced, played = Video.objects.values_list("accepted_original", "played_original").get(pk=video.pk)
        if replaced == name:
            return False
        changes = {
            **UNSEEN,
            **NO_CLAIM,
            "state": State.PENDING,
            "queued_at": timezone.now(),
            "attempts": 0,
            "accepted_original": name,
            "original_etag": etag,
        }
        rows = _movable(video.pk, State.PENDING).filter(accepted_original=replaced).update(**changes)
        if not rows:
            return False
        if replaced and replaced != played:
            discards.discard(prefixes=[replaced])
        _enqueue_on_commit(video.pk)
    for field, value in changes.items():
        setattr(video, field, value)
    return True


def accept_upload(*, video_id: int, original: Original, verdict: Mapping[str, object]) -> bool:
    """Gives a video a directly uploaded original that has been checked. Returns False when the video is gone."""
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk=video_id, deleted_at=None).first()
        if video is None:
            return False
        file = {"video_file": original.key, "original_name": original.name, "original_bytes": original.size_bytes}
        Video.objects.filter(pk=video_id).update(**file, updated_at=timezone.now())
        video.refresh_from_db()
        accept_original(video=video, etag=original.etag)
        return note_verdict(video_id=video_id, original=original.key, verdict=verdict)


def refuse_upload(*, video_id: int, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """Fails a video whose first original was refused. Returns False when the video has an original already."""
    # Deleted videos included: they may be restored.
    waiting = Video.objects.filter(pk=video_id, state=State.UPLOADING)
    # Always final: there is no file that could be processed again.
    return bool(waiting.update(**NO_CLAIM, **{**_failure(error), "error_is_final": True}, verdict=verdict))


def note_refusal(*, video_id: int, name: str, error: PipelineError) -> bool:
    """Notes why a file was refused before it became this video's candidate; the video stays as it is."""
    others = Video.objects.filter(pk=video_id, deleted_at=None).exclude(state=State.UPLOADING)
    return bool(others.update(**_refusal(error), refused_file=name))


def dismiss_refusal(*, video_id: int) -> bool:
    """Removes the note of a refusal that the owner has read. Returns False when there was none."""
    refused = Video.objects.filter(pk=video_id, deleted_at=None).exclude(refused_code="")
    return bool(refused.update(**NO_REFUSAL))


def retry(*, video_id: int) -> bool:
    """Processes a failed or finished video once more. Returns False in any other state, or without an original."""
    with transaction.atomic():
        done = Video.objects.filter(pk=video_id, state__in=(State.ERROR, State.READY)).exclude(video_file="")
        rows = done.update(**UNSEEN, **NO_CLAIM, state=State.PENDING, queued_at=timezone.now(), attempts=0)
        if rows:
            _enqueue_on_commit(video_id)
            audit.note("video_processed_again", target=f"video:{video_id}")
    return bool(rows)


def _enqueue_on_commit(video_id: int) -> None:
    if settings.TRANSCODER == "internal":
        transaction.on_commit(lambda: queue.enqueue_processing(video_id))
    # Whichever job runs first examines the file: while all encoding workers are busy, this one tells early whether
    # the file is a video at all.
    transaction.on_commit(lambda: queue.enqueue_inspection(video_id))


# --- preflight -------------------------------------------------------------------------------------------------------


def note_verdict(*, video_id: int, original: str, verdict: Mapping[str, object]) -> bool:
    """Stores the verdict on this original. Returns False when the video has another original by now, or is gone."""
    unchanged = Video.objects.filter(pk=video_id, accepted_original=original, deleted_at=None)
    cost = verdict.get("cost")
    return bool(unchanged.update(verdict=verdict, estimate_s=cost["seconds"] if isinstance(cost, Mapping) else None))


def refuse(*, video_id: int, original: str, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """Fails a waiting video whose file can never be processed. Returns False when a worker has claimed the video."""
    waiting = Video.objects.filter(
        pk=video_id, accepted_original=original, state=State.PENDING, claim_token=None, deleted_at=None
    )
    return _give_up(waiting, error, verdict=verdict) is not None


# --- posters ---------------------------------------------------------------------------------------------------------


def switch_poster(*, video: Video, poster: str) -> bool:
    """Changes the poster. Returns False when the version or the poster is no longer the one of this instance."""
    unchanged = Video.objects.filter(pk=video.pk, version=video.version, poster=video.poster, deleted_at=None)
    # Uploaded posters are stored in both sizes; versions of older releases have large candidates only.
    has_small = video.has_small_choices or not poster.startswith(f"{video.version}/")
    return bool(unchanged.update(poster=poster, has_small_poster=has_small))


# --- a worker's moves ------------------------------------------------------------------------------------------------


def claim(*, video_id: int) -> Claim | None:
    """Claims a pending video for this worker. Returns None when it is not pending, or has to wait before a retry."""
    token = uuid.uuid4()
    rows = (
        _movable(video_id, State.PROCESSING)
        .filter(is_free("lease_until"), deleted_at=None)
        .update(**FRESH, state=State.PROCESSING, claim_token=token, lease_until=lease_end(), attempts=F("attempts") + 1)
    )
    if not rows:
        return None
    video = Video.objects.filter(pk=video_id, claim_token=token).first()
    if video is None:  # deleted, or its original replaced, since the UPDATE
        return None
    return Claim(video.pk, token, video.public_id, video.accepted_original, video.original_etag, video.attempts)


def record_progress(
    *, claim: Claim, percent: int = 0, time_left_s: int | None = None, estimate_s: int | None = None
) -> None:
    """Stores the progress and renews the lease. Raises ClaimLost."""
    # Without a new estimate the one from preflight stays.
    estimate = {} if estimate_s is None else {"estimate_s": estimate_s}
    _write(claim, progress=percent, time_left_s=time_left_s, lease_until=lease_end(), **estimate)


def expect_version(*, claim: Claim, version: str) -> None:
    """Call before the first object is stored: if the worker dies, the version's objects are removed a day later."""
    discards.discard_unless_kept(prefix=layout.version_prefix(claim.public_id, version))


def mark_ready(*, claim: Claim, published: Published) -> None:
    """Publishes the new version in one transaction. Raises ClaimLost.

    The old version is removed when its last signed address has expired. The original of the old version is discarded at
    once if the new version was made from another one.
    """
    with transaction.atomic():
        before = Video.objects.filter(pk=claim.video_id).values_list("version", "played_original").first()
        old, played = before or ("", "")  # without a row, _write raises ClaimLost
        _write(
            claim,
            **NO_CLAIM,
            state=State.READY,
            progress=100,
            time_left_s=None,
            version=published.version,
            duration_s=published.duration_s,
            width=published.width,
            height=published.height,
            size_bytes=published.size_bytes,
            played_original=F("accepted_original"),
            played_etag=F("original_etag"),
            played_name=F("original_name"),
            played_bytes=F("original_bytes"),
            played_verdict=F("verdict"),
            **_poster_after_switch(old, published),
            poster_choices=published.poster_choices,
            has_small_choices=published.has_small_posters,
            has_storyboard=published.has_storyboard,
            has_manifest=published.has_manifest,
            work_pixels=published.work_pixels,
            work_s=published.work_s,
        )
        Rendition.objects.filter(video_id=claim.video_id).delete()
        Rendition.objects.bulk_create(published.renditions)
        Caption.objects.filter(video_id=claim.video_id, is_uploaded=False).delete()
        # An uploaded caption has its language already, and wins over one that came with the file.
        Caption.objects.bulk_create(published.captions, ignore_conflicts=True)
        discards.keep(prefix=layout.version_prefix(claim.public_id, published.version))
        if old:
            discards.discard_later(prefix=layout.version_prefix(claim.public_id, old))
        if played and played != claim.original:
            discards.discard(prefixes=[played])


def _poster_after_switch(old: str, new: Published) -> dict[str, Case]:
    """Returns the poster fields: the new version's first candidate, unless the poster is an uploaded picture."""
    # An uploaded poster has a folder of its own, outside the old version's.
    is_uploaded = ~Q(poster="") & ~Q(poster__startswith=f"{old}/")
    poster = f"{new.version}/{layout.POSTER}" if new.poster_choices else ""
    return {
        "poster": Case(When(is_uploaded, then=F("poster")), default=Value(poster)),
        "has_small_poster": Case(When(is_uploaded, then=F("has_small_poster")), default=Value(new.has_small_posters)),
    }


def mark_failed(*, claim: Claim, error: PipelineError) -> State:
    """Fails the video, or puts it back to `pending` if another attempt may help. Raises ClaimLost."""
    retry = Retry(first_s=FIRST_RETRY_S, tries=settings.MAX_ATTEMPTS)
    if error.permanent or retry.is_over(claim.attempt):
        state = _give_up(_held(claim), error)
        if state is None:
            raise ClaimLost
        return state
    # While a video is pending, lease_until means: no worker claims it before this moment.
    wait = timedelta(seconds=retry.wait_s(claim.attempt))
    _write(claim, **FRESH, state=State.PENDING, claim_token=None, lease_until=timezone.now() + wait)
    return State.PENDING


def hand_back(*, claim: Claim) -> None:
    """Leaves the video to the next worker at once, without counting the attempt. Raises ClaimLost."""
    _write(claim, **FRESH, **NO_CLAIM, state=State.PENDING, attempts=F("attempts") - 1)


def _give_up(
    selected: "QuerySet[Video]", error: PipelineError, *, verdict: Mapping[str, object] | None = None
) -> State | None:
    """Gives up the original of the video that `selected` holds. Returns its new state; None when it holds none by now.

    A video without a version moves to `error`. A video with one is `ready` again: the fields of its published original
    are restored, the reason is noted as a refusal, and the file is discarded if it was a candidate.
    """
    with transaction.atomic():
        new_verdict = {} if verdict is None else {"verdict": verdict}
        if selected.filter(version="").update(**NO_CLAIM, **_failure(error), **new_verdict):
            return State.ERROR
        originals = selected.values_list("accepted_original", "played_original").first()
        if originals is None:
            return None
        original, played = originals
        is_candidate = original != played
        as_before = {
            **FRESH, **NO_CLAIM, "state": State.READY, "progress": 100, "estimate_s": None,
            "video_file": F("played_original"), "accepted_original": F("played_original"),
            "original_etag": F("played_etag"), "original_name": F("played_name"), "original_bytes": F("played_bytes"),
            "verdict": F("played_verdict"), "refused_file": F("original_name") if is_candidate else "",
        }  # fmt: skip
        # A new original may have arrived since the SELECT, and must not be given up with the earlier one.
        unchanged = selected.filter(accepted_original=original, played_original=played)
        if not unchanged.update(**as_before, **_refusal(error)):
            return None
        if is_candidate:
            discards.discard(prefixes=[original])
    return State.READY


def _failure(error: PipelineError) -> dict[str, object]:
    return {
        "state": State.ERROR,
        "time_left_s": None,
        "error_code": error.code,
        "error_message": error.sentence[:500],
        "error_is_final": not error.may_pass,
        "updated_at": timezone.now(),
    }


def _refusal(error: PipelineError) -> dict[str, object]:
    return {
        "refused_code": error.code,
        "refused_message": error.sentence[:500],
        "refused_at": timezone.now(),
    }


def _write(claim: Claim, **changes: object) -> None:
    if not _held(claim).update(**changes):
        raise ClaimLost


def _held(claim: Claim) -> "QuerySet[Video]":
    return Video.objects.filter(pk=claim.video_id, claim_token=claim.token, state=State.PROCESSING, deleted_at=None)


def _movable(video_id: int, target: State) -> "QuerySet[Video]":
    return Video.objects.filter(pk=video_id, state__in=sources_of(target))


# --- the reaper's moves ----------------------------------------------------------------------------------------------


def take_back_expired() -> int:
    """Puts videos whose worker is gone back to `pending`, and gives up those that have used up MAX_ATTEMPTS.

    Returns how many are pending again.
    """
    expired = Video.objects.filter(state=State.PROCESSING, lease_until__lt=timezone.now(), deleted_at=None)
    error = EncoderFailed("Processing was cut off several times; this file may be too much for the machine.")
    used_up = expired.filter(attempts__gte=settings.MAX_ATTEMPTS)
    states = [_give_up(used_up.filter(pk=pk), error) for pk in list(used_up.values_list("pk", flat=True))]
    failed = len(states) - states.count(None)
    taken_back = expired.update(**FRESH, **NO_CLAIM, state=State.PENDING)
    if failed or taken_back:
        log.warning("workers vanished: %d video(s) taken back, %d given up", taken_back, failed)
    return taken_back


def waiting_ids() -> list[int]:
    """Returns the ids of the pending videos that a worker may claim now, the longest waiting first."""
    ready = Video.objects.filter(is_free("lease_until"), state=State.PENDING, deleted_at=None)
    return list(ready.order_by("queued_at", "pk").values_list("pk", flat=True))


def is_live_claim(*, token: uuid.UUID) -> bool:
    return Video.objects.filter(claim_token=token, state=State.PROCESSING, deleted_at=None).exists()
