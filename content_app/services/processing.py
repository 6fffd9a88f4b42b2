"""The one writer of a video's state. Every move is a conditional UPDATE whose row count says who won.

A worker's claim is a lease with a fencing token: each write names the token and renews the lease, and one that finds
the claim gone raises ClaimLost, so a worker that was taken for dead can no longer change anything.
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

from content_app import queue
from content_app.models import Caption, Rendition, Video
from content_app.services import discards
from content_app.states import State, sources_of
from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, PipelineError
from users_app import audit

log = logging.getLogger(__name__)

FIRST_RETRY_S = 5
NO_CLAIM = {"claim_token": None, "lease_until": None}
FRESH = {"progress": 0, "time_left_s": None, "error_code": "", "error_message": ""}
UNSEEN: dict[str, object] = {**FRESH, "verdict": None}


class ClaimLost(Exception):
    """Somebody else holds the video now, or it was deleted or replaced."""


@dataclass(frozen=True)
class Claim:
    """A worker's right to write one video's state."""

    video_id: int
    token: uuid.UUID
    public_id: uuid.UUID
    original: str
    etag: str  # of the object that was checked; empty where there is none to tell
    attempt: int


@dataclass(frozen=True)
class Original:
    """A file in the storage that was checked."""

    key: str
    name: str
    size_bytes: int
    etag: str = ""


@dataclass(frozen=True)
class Published:
    """A finished version whose objects are stored."""

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
    """Take note of a new original: to `pending`, job enqueued on commit, the replaced one let go. Once per original.

    The version that plays goes on playing until the new one is ready.
    """
    name = video.video_file.name or ""
    with transaction.atomic():
        # Not what this instance remembers: another save may have brought an original in between.
        replaced = Video.objects.values_list("accepted_original", flat=True).get(pk=video.pk)
        if replaced == name:
            return False
        changes = {
            **UNSEEN,
            **NO_CLAIM,
            "state": State.PENDING,
            "attempts": 0,
            "accepted_original": name,
            "original_etag": etag,
        }
        rows = _movable(video.pk, State.PENDING).filter(accepted_original=replaced).update(**changes)
        if not rows:
            return False
        if replaced:
            discards.discard(prefixes=[replaced])
        _enqueue_on_commit(video.pk)
    for field, value in changes.items():
        setattr(video, field, value)
    return True


def accept_upload(*, video_id: int, original: Original, verdict: Mapping[str, object]) -> bool:
    """Take an original that was brought beside the web server, and checked; False when the video is gone."""
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk=video_id, deleted_at=None).first()
        if video is None:
            return False
        brought = {"video_file": original.key, "original_name": original.name, "original_bytes": original.size_bytes}
        Video.objects.filter(pk=video_id).update(**brought, updated_at=timezone.now())
        video.refresh_from_db()
        accept_original(video=video, etag=original.etag)
        return note_verdict(video_id=video_id, original=original.key, verdict=verdict)


def refuse_upload(*, video_id: int, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """A file that was to become the first original of this video is none; one with another original keeps its state."""
    waiting = Video.objects.filter(pk=video_id, state=State.UPLOADING, deleted_at=None)
    return bool(waiting.update(**NO_CLAIM, **_failure(error), verdict=verdict))


def retry(*, video_id: int) -> bool:
    """Process a failed or finished video once more; False when it is in neither state or has no original."""
    with transaction.atomic():
        done = Video.objects.filter(pk=video_id, state__in=(State.ERROR, State.READY)).exclude(video_file="")
        rows = done.update(**UNSEEN, **NO_CLAIM, state=State.PENDING, attempts=0)
        if rows:
            _enqueue_on_commit(video_id)
            audit.note("video_processed_again", target=f"video:{video_id}")
    return bool(rows)


def _enqueue_on_commit(video_id: int) -> None:
    """A free worker processes it at once, or another service; while all are busy, somebody else has a look at it."""
    if settings.TRANSCODER == "internal":
        transaction.on_commit(lambda: queue.enqueue_processing(video_id))
    transaction.on_commit(lambda: queue.enqueue_inspection(video_id))


# --- what is found before it is encoded ------------------------------------------------------------------------------


def note_verdict(*, video_id: int, original: str, verdict: Mapping[str, object]) -> bool:
    """What was found in this original; False when the video has another one by now, or is gone."""
    held = Video.objects.filter(pk=video_id, accepted_original=original, deleted_at=None)
    return bool(held.update(verdict=verdict))


def refuse(*, video_id: int, original: str, error: PipelineError, verdict: Mapping[str, object]) -> bool:
    """A file that can never become a film fails before a worker has time for it; False when one had."""
    waiting = Video.objects.filter(
        pk=video_id, accepted_original=original, state=State.PENDING, claim_token=None, deleted_at=None
    )
    return bool(waiting.update(**NO_CLAIM, **_failure(error), verdict=verdict))


def switch_poster(*, video: Video, poster: str) -> bool:
    """False when the version or its poster is no longer the one that this instance has."""
    seen = Video.objects.filter(pk=video.pk, version=video.version, poster=video.poster, deleted_at=None)
    # What is uploaded is stored in both sizes; of a version that depends on when it was made.
    has_small = video.has_small_choices or not poster.startswith(f"{video.version}/")
    return bool(seen.update(poster=poster, has_small_poster=has_small))


# --- a worker's moves ------------------------------------------------------------------------------------------------


def claim(*, video_id: int) -> Claim | None:
    """Become the worker of a pending video; None when there is nothing to do."""
    now, token = timezone.now(), uuid.uuid4()
    rows = (
        _movable(video_id, State.PROCESSING)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now), deleted_at=None)
        .update(**FRESH, state=State.PROCESSING, claim_token=token, lease_until=_lease(), attempts=F("attempts") + 1)
    )
    if not rows:
        return None
    video = Video.objects.filter(pk=video_id, claim_token=token).first()
    if video is None:  # deleted or replaced just now
        return None
    original = video.video_file.name or ""
    return Claim(video.pk, token, video.public_id, original, video.original_etag, video.attempts)


def report(*, claim: Claim, percent: int = 0, time_left_s: int | None = None) -> None:
    """Renew the lease and show progress. Raises ClaimLost."""
    _write(claim, progress=percent, time_left_s=time_left_s, lease_until=_lease())


def expect_version(*, claim: Claim, version: str) -> None:
    """Before the first object is stored: if the worker dies, what it stored is removed a day later."""
    discards.expect(prefix=layout.version_prefix(claim.public_id, version))


def mark_ready(*, claim: Claim, published: Published) -> None:
    """Switch to the new version in one transaction; the old one is removed when nobody plays it any more."""
    with transaction.atomic():
        old = Video.objects.filter(pk=claim.video_id).values_list("version", flat=True).first()
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
            **_poster_after_switch(old or "", published),
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
        # What somebody has uploaded in a language goes before what the file brings along.
        Caption.objects.bulk_create(published.captions, ignore_conflicts=True)
        discards.keep(prefix=layout.version_prefix(claim.public_id, published.version))
        if old:
            discards.discard_later(prefix=layout.version_prefix(claim.public_id, old))


def _poster_after_switch(old: str, new: Published) -> dict[str, Case]:
    """The new version's own, unless somebody has uploaded one, which lies in no version."""
    is_uploaded = ~Q(poster="") & ~Q(poster__startswith=f"{old}/")
    poster = f"{new.version}/{layout.POSTER}" if new.poster_choices else ""
    return {
        "poster": Case(When(is_uploaded, then=F("poster")), default=Value(poster)),
        "has_small_poster": Case(When(is_uploaded, then=F("has_small_poster")), default=Value(new.has_small_posters)),
    }


def mark_failed(*, claim: Claim, error: PipelineError) -> State:
    """To `error`, or back to `pending` while trying again can help. Raises ClaimLost."""
    if error.permanent or claim.attempt >= settings.MAX_ATTEMPTS:
        _write(claim, **NO_CLAIM, **_failure(error))
        return State.ERROR
    # While pending, lease_until is the moment before which nobody takes it up again.
    wait = timedelta(seconds=FIRST_RETRY_S * 2 ** (claim.attempt - 1))
    _write(claim, **FRESH, state=State.PENDING, claim_token=None, lease_until=timezone.now() + wait)
    return State.PENDING


def hand_back(*, claim: Claim) -> None:
    """A worker that ends leaves the video to the next one at once, and the attempt does not count. Raises ClaimLost."""
    _write(claim, **FRESH, **NO_CLAIM, state=State.PENDING, attempts=F("attempts") - 1)


def _failure(error: PipelineError) -> dict[str, object]:
    return {
        "state": State.ERROR,
        "time_left_s": None,
        "error_code": error.code,
        "error_message": error.sentence[:500],
        "updated_at": timezone.now(),
    }


def _write(claim: Claim, **changes: object) -> None:
    held = Video.objects.filter(pk=claim.video_id, claim_token=claim.token, state=State.PROCESSING, deleted_at=None)
    if not held.update(**changes):
        raise ClaimLost


def _movable(video_id: int, target: State) -> "QuerySet[Video]":
    return Video.objects.filter(pk=video_id, state__in=sources_of(target))


def _lease() -> object:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


# --- what the reaper finds -------------------------------------------------------------------------------------------


def take_back_expired() -> int:
    """Videos whose worker is gone go back to `pending`, or to `error` when they have ended too many workers."""
    expired = Video.objects.filter(state=State.PROCESSING, lease_until__lt=timezone.now(), deleted_at=None)
    gone = EncoderFailed("Processing ended without a word several times; this file may be too much for the machine.")
    failed = expired.filter(attempts__gte=settings.MAX_ATTEMPTS).update(**NO_CLAIM, **_failure(gone))
    taken_back = expired.update(**FRESH, **NO_CLAIM, state=State.PENDING)
    if failed or taken_back:
        log.warning("workers vanished: %d video(s) taken back, %d given up", taken_back, failed)
    return taken_back


def waiting_ids() -> list[int]:
    """Pending videos that a worker may take up now, oldest first."""
    now = timezone.now()
    ready = Video.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), state=State.PENDING, deleted_at=None)
    return list(ready.order_by("updated_at").values_list("pk", flat=True))


def is_live_claim(*, token: uuid.UUID) -> bool:
    return Video.objects.filter(claim_token=token, state=State.PROCESSING, deleted_at=None).exists()
