"""Checks an uploaded file in a job. Only a checked file becomes the original or the poster of a video.

The job holds a lease on the upload, and settles the upload only while it holds the lease.
"""

import logging
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from background.leases import Heartbeat, LeaseLost
from content_app.access import may_change, may_upload_videos
from content_app.input_rules import OriginalRefused, check_original
from content_app.models import DirectUpload
from content_app.services.additions import posters
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import may_be_undone
from content_app.services.processing import lifecycle, preflight
from content_app.services.processing.lifecycle import Findings, Original
from content_app.services.storage import discards, work_folder
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store, is_in_bucket
from content_app.services.uploads.direct_uploads import ANY_NAME, Purpose
from media_pipeline.errors import PipelineError, StorageUnavailable, TooLarge

log = logging.getLogger(__name__)

A_MOMENT = timedelta(minutes=1)


class NotYours(PipelineError):
    code = "not_allowed"
    sentence = "The person who uploaded this file may no longer change the video."


class VideoGone(PipelineError):
    code = "video_deleted"
    sentence = "The video that this file was for has been deleted."


def check(*, upload_id: int) -> None:
    """Uses or refuses the uploaded file. Does nothing when that is done, or when another job checks it."""
    unsettled = DirectUpload.objects.select_related("video", "owner").filter(pk=upload_id, settled_at=None)
    arrived = unsettled.exclude(arrived_at=None).exclude(video=None)
    # Not counted as an attempt: a poster may be taken up every half minute for weeks, until its film plays.
    upload: DirectUpload | None = arrived.take(is_attempt=False)
    if upload is None:
        return
    try:
        if is_ready_for_check(upload):
            with brief_folder() as work:
                judge(upload, work / "source")
    except StorageUnavailable as error:
        log.warning("upload %s: could not be checked, it will be tried again: %s", upload.public_id, error)
    except LeaseLost:
        log.info("upload %s: settled, given up or taken over meanwhile; leaving it", upload.public_id)
    finally:
        with suppress(LeaseLost):  # it is settled
            upload.release()


def is_ready_for_check(upload: DirectUpload) -> bool:
    """A poster waits until its film plays, and every file waits while the deletion of its video may be undone."""
    video = upload.video
    if video is None or may_be_undone(video):
        return False
    # The poster of a video that stays deleted waits no longer: it is refused.
    return bool(upload.purpose == Purpose.VIDEO or video.is_playable or video.deleted_at is not None)


def judge(upload: DirectUpload, path: Path) -> None:
    """Fetches the file to `path`, and uses or refuses it. Raises StorageUnavailable or LeaseLost."""
    tick = Heartbeat(upload)
    try:
        require_rights(upload)
        # The client may have sent more than it declared.
        max_mb = posters.MAX_MB if upload.purpose == Purpose.POSTER else settings.MAX_UPLOAD_MB
        check_original(name=ANY_NAME, size_bytes=get_store().size(upload.key), max_mb=max_mb)
        work_folder.fetch_original(upload.key, path, tick, upload.etag)
        if upload.purpose == Purpose.POSTER:
            return use_as_poster(upload, path)
        size_bytes = path.stat().st_size
        findings, error = preflight.examine_film(path, tick)
        if error is None:
            work_folder.leave_to_worker(upload.key, path, upload.etag)
            return use_as_film(upload, size_bytes, findings)
    except StorageUnavailable:
        raise
    except OriginalRefused as refusal:
        error = TooLarge(refusal.sentence)
        findings = preflight.refused_findings(error)
    except AdditionRefused as refusal:
        return refuse_upload(upload, code=refusal.code, sentence=refusal.sentence)
    except Http404:
        return refuse_upload(upload, code=VideoGone.code, sentence=VideoGone.sentence)
    except PipelineError as problem:
        findings, error = preflight.refused_findings(problem), problem
    return refuse_film(upload, error, findings)


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


def use_as_film(upload: DirectUpload, size_bytes: int, findings: Findings) -> None:
    """Makes the file the original of its video. Raises NotYours, VideoGone or LeaseLost."""
    assert upload.video
    original = Original(upload.key, upload.name, size_bytes, upload.etag)
    with transaction.atomic():
        require_rights(reread(upload))  # the check of a file may have taken minutes
        upload.release(settled_at=timezone.now())
        if lifecycle.accept_original(video_id=upload.video.pk, original=original, findings=findings):
            discards.keep(prefix=upload.key)
        else:
            discard_original(upload)
    log.info("upload %s: fine, the film of video %s", upload.public_id, upload.video.pk)


def use_as_poster(upload: DirectUpload, path: Path) -> None:
    """Makes the picture the poster of its video. Raises NotYours, VideoGone, LeaseLost, and what `use_file` raises."""
    assert upload.video
    require_rights(reread(upload))
    posters.use_file(video_id=upload.video.pk, path=path)
    with transaction.atomic():
        upload.release(settled_at=timezone.now())
        discard_original(upload)


def refuse_film(upload: DirectUpload, error: PipelineError, findings: Findings) -> None:
    assert upload.video
    with transaction.atomic():
        refuse_upload(upload, code=error.code, sentence=error.sentence)
        if upload.purpose != Purpose.VIDEO:
            return
        video_id, name, verdict = upload.video.pk, upload.name, findings.verdict
        is_first = lifecycle.refuse_first_upload(video_id=video_id, name=name, error=error, verdict=verdict)
        # The owner learns why a file was refused, unless its uploader may no longer change the video.
        if not is_first and not isinstance(error, NotYours):
            lifecycle.note_refusal(video_id=video_id, name=name, error=error, verdict=verdict)


def refuse_upload(upload: DirectUpload, *, code: str, sentence: str) -> None:
    with transaction.atomic():
        upload.release(settled_at=timezone.now(), problem_code=code, problem=sentence[:500])
        discard_original(upload)
    log.info("upload %s: refused, %s", upload.public_id, code)


def discard_original(upload: DirectUpload) -> None:
    # In a bucket, a client can put the file there again until its signed addresses have ended.
    wait = timedelta(minutes=settings.UPLOAD_URL_MINUTES) + A_MOMENT
    discards.discard(prefixes=[upload.key], due_at=timezone.now() + wait if is_in_bucket() else None)
