"""Checks an uploaded file in a job. Only a checked file becomes the original or the poster of a video.

The job holds a lease on the upload, and settles the upload only while it holds the lease.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.http import Http404
from django.utils import timezone

from background.leases import is_free, lease_end
from content_app.access import may_change, may_upload_videos
from content_app.input_rules import OriginalRefused, check_original
from content_app.models import DirectUpload
from content_app.services.additions import posters
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import may_be_undone
from content_app.services.processing import lifecycle, preflight
from content_app.services.processing.lifecycle import Original
from content_app.services.storage import discards, work_folder
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store, is_in_bucket
from content_app.services.uploads.direct_uploads import ANY_NAME, Purpose
from media_pipeline.errors import PipelineError, StorageUnavailable, TooLarge

log = logging.getLogger(__name__)

A_MOMENT = timedelta(minutes=1)


class LeaseLost(Exception):
    """Another job checks the upload now, or the upload was settled or given up."""


class NotYours(PipelineError):
    code = "not_allowed"
    sentence = "The person who uploaded this file may no longer change the video."


class VideoGone(PipelineError):
    code = "video_deleted"
    sentence = "The video that this file was for has been deleted."


class Lease:
    """The right to check one upload until a certain time. Every write is an UPDATE on condition of the lease."""

    def __init__(self, upload: DirectUpload, until: datetime) -> None:
        self.upload = upload
        self.until = until
        self.next_at = timezone.now()

    def __call__(self) -> None:
        """Renews the lease, about once a second. Raises LeaseLost."""
        if timezone.now() >= self.next_at:
            until = lease_end()
            self.write(checked_until=until)
            self.until, self.next_at = until, timezone.now() + timedelta(seconds=1)

    def settle(self, **problem: str) -> None:
        """Marks the upload as done; call it in the transaction that uses or refuses the file. Raises LeaseLost."""
        self.write(settled_at=timezone.now(), checked_until=None, **problem)

    def let_go(self) -> None:
        """Ends the lease, so that another job may check the upload."""
        self.held().update(checked_until=None)

    def write(self, **fields: object) -> None:
        if not self.held().update(**fields):
            raise LeaseLost

    def held(self) -> "models.QuerySet[DirectUpload]":
        return DirectUpload.objects.filter(pk=self.upload.pk, settled_at=None, checked_until=self.until)


def take_lease(upload_id: int) -> Lease | None:
    """Returns None when there is nothing to check, or when another job holds the lease."""
    until = lease_end()
    unsettled = DirectUpload.objects.filter(is_free("checked_until"), pk=upload_id, settled_at=None)
    waiting = unsettled.exclude(arrived_at=None).exclude(video=None)
    if not waiting.update(checked_until=until):
        return None
    upload = DirectUpload.objects.select_related("video", "owner").filter(pk=upload_id, checked_until=until).first()
    return None if upload is None else Lease(upload, until)


def check(*, upload_id: int) -> None:
    """Uses or refuses the uploaded file. Does nothing when that is done, or when another job checks it."""
    lease = take_lease(upload_id)
    if lease is None:
        return
    try:
        if is_ready_for_check(lease.upload):
            with brief_folder() as work:
                judge(lease, work / "source")
    except StorageUnavailable as error:
        log.warning("upload %s: could not be checked, it will be tried again: %s", lease.upload.public_id, error)
    except LeaseLost:
        log.info("upload %s: settled, given up or taken over meanwhile; leaving it", lease.upload.public_id)
    finally:
        lease.let_go()


def is_ready_for_check(upload: DirectUpload) -> bool:
    """A poster waits until its film plays, and every file waits while the deletion of its video may be undone."""
    video = upload.video
    if video is None or may_be_undone(video):
        return False
    # The poster of a video that stays deleted waits no longer: it is refused.
    return bool(upload.purpose == Purpose.VIDEO or video.is_playable or video.deleted_at is not None)


def judge(lease: Lease, path: Path) -> None:
    """Fetches the file to `path`, and uses or refuses it. Raises StorageUnavailable or LeaseLost."""
    upload = lease.upload
    try:
        require_rights(upload)
        # The client may have sent more than it declared.
        max_mb = posters.MAX_MB if upload.purpose == Purpose.POSTER else settings.MAX_UPLOAD_MB
        check_original(name=ANY_NAME, size_bytes=get_store().size(upload.key), max_mb=max_mb)
        work_folder.fetch_original(upload.key, path, lease, upload.etag)
        if upload.purpose == Purpose.POSTER:
            return use_as_poster(lease, path)
        size_bytes = path.stat().st_size
        verdict, error = preflight.examine_film(path, lease)
        if error is None:
            work_folder.leave_to_worker(upload.key, path, upload.etag)
            return use_as_film(lease, size_bytes, verdict)
    except StorageUnavailable:
        raise
    except OriginalRefused as refusal:
        error = TooLarge(refusal.sentence)
        verdict = preflight.refused_verdict(error.code, error.sentence)
    except AdditionRefused as refusal:
        return refuse_upload(lease, code=refusal.code, sentence=refusal.sentence)
    except Http404:
        return refuse_upload(lease, code=VideoGone.code, sentence=VideoGone.sentence)
    except PipelineError as problem:
        verdict, error = preflight.refused_verdict(problem.code, problem.sentence), problem
    return refuse_film(lease, error, verdict)


def reread(upload: DirectUpload) -> DirectUpload:
    """Returns the row as it is now, with its video and owner. Raises LeaseLost when it was deleted with its video."""
    current = DirectUpload.objects.select_related("video", "owner").filter(pk=upload.pk).first()
    if current is None:
        raise LeaseLost
    return current


def require_rights(upload: DirectUpload) -> None:
    """Raises NotYours or VideoGone when the rights have changed since the upload was announced.

    Raises LeaseLost while the deletion of the video may be undone: the upload is checked again after that time.
    """
    assert upload.video
    if may_be_undone(upload.video):
        raise LeaseLost
    if upload.video.deleted_at is not None:
        raise VideoGone
    if not (may_upload_videos(upload.owner) and may_change(upload.owner, upload.video)):
        raise NotYours


# --- use or refuse ---------------------------------------------------------------------------------------------------


def use_as_film(lease: Lease, size_bytes: int, verdict: Mapping[str, object]) -> None:
    """Makes the file the original of its video. Raises NotYours, VideoGone or LeaseLost."""
    upload = lease.upload
    assert upload.video
    original = Original(upload.key, upload.name, size_bytes, upload.etag)
    with transaction.atomic():
        require_rights(reread(upload))  # the check of a file may have taken minutes
        lease.settle()
        if lifecycle.accept_upload(video_id=upload.video.pk, original=original, verdict=verdict):
            discards.keep(prefix=upload.key)
        else:
            discard_original(upload)
    log.info("upload %s: fine, the film of video %s", upload.public_id, upload.video.pk)


def use_as_poster(lease: Lease, path: Path) -> None:
    """Makes the picture the poster of its video. Raises NotYours, VideoGone, LeaseLost, and what `use_file` raises."""
    upload = lease.upload
    assert upload.video
    require_rights(reread(upload))
    posters.use_file(video_id=upload.video.pk, path=path)
    with transaction.atomic():
        lease.settle()
        discard_original(upload)


def refuse_film(lease: Lease, error: PipelineError, verdict: Mapping[str, object]) -> None:
    assert lease.upload.video
    video_id = lease.upload.video.pk
    with transaction.atomic():
        refuse_upload(lease, code=error.code, sentence=error.sentence)
        if lease.upload.purpose != Purpose.VIDEO:
            return
        is_first = lifecycle.refuse_upload(video_id=video_id, error=error, verdict=verdict)
        # The owner learns why a file was refused, unless its uploader may no longer change the video.
        if not is_first and not isinstance(error, NotYours):
            lifecycle.note_refusal(video_id=video_id, name=lease.upload.name, error=error)


def refuse_upload(lease: Lease, *, code: str, sentence: str) -> None:
    with transaction.atomic():
        lease.settle(problem_code=code, problem=sentence[:500])
        discard_original(lease.upload)
    log.info("upload %s: refused, %s", lease.upload.public_id, code)


def discard_original(upload: DirectUpload) -> None:
    # In a bucket, a client can put the file there again until its signed addresses have ended.
    wait = timedelta(minutes=settings.UPLOAD_URL_MINUTES) + A_MOMENT
    discards.discard(prefixes=[upload.key], due_at=timezone.now() + wait if is_in_bucket() else None)
