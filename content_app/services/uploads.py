"""Files that reach the storage beside the forms, in a bucket by signed requests or here by tus.

Announced (a key that only this upload has, removed again unless somebody keeps it), then told what it is (`describe`)
before or after it arrives, then checked in a job, and only what was checked becomes the original of a video.
"""

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from content_app import queue
from content_app.models import DirectUpload, Video, original_key
from content_app.rules import OriginalRefused, check_original
from content_app.services import discards, posters, preflight, processing, sources
from content_app.services.additions import AdditionRefused
from content_app.services.processing import Original
from content_app.services.scratch import brief_folder
from content_app.services.storage import bucket_store, get_store, is_in_bucket
from media_pipeline.errors import PipelineError, SourceMissing, StorageUnavailable, TooLarge
from users_app.models import User

log = logging.getLogger(__name__)

Purpose = DirectUpload.Purpose
MOST_OPEN = 500  # of one person
LONGEST_NAME = 255
ANY_NAME = "film.mp4"
ANY_TYPE = "application/octet-stream"
FIRST_LOOK = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
LOOKED_AT_ONCE = 100
# After a lost job; a queue that only waits is not hurried.
JOB_IS_LOST = timedelta(seconds=30)
KEPT_FOR = timedelta(days=1)


class UploadExpired(PipelineError):
    code = "upload_expired"
    sentence = "The file did not arrive in time. Upload it again."


class UploadRefused(Exception):
    """A stable code for programs, a sentence for people."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def direct_way() -> str:
    """How pages bring large files: in parts into the bucket, or by tus."""
    return "bucket" if is_in_bucket() else "tus"


# --- announcing ------------------------------------------------------------------------------------------------------


def announce(
    *, owner: User, name: str = "", content_type: str = "", size_bytes: int | None = None, video: Video | None = None,
    purpose: str = Purpose.VIDEO,
) -> DirectUpload:  # fmt: skip
    """`video`: the one whose file it replaces. Raises OriginalRefused or UploadRefused."""
    if purpose == Purpose.VIDEO:
        told_bytes = 1 if size_bytes is None else size_bytes
        check_original(name=name or ANY_NAME, size_bytes=told_bytes, max_mb=settings.MAX_UPLOAD_MB)
    if open_uploads().filter(owner=owner).count() >= MOST_OPEN:
        raise UploadRefused(
            f"You have {MOST_OPEN} uploads under way; finish or cancel some first.", code="too_many_uploads"
        )
    public_id = uuid.uuid4()
    key = original_key(video or Video(public_id=public_id), name)
    expires_at = timezone.now() + lifetime()
    with transaction.atomic():
        discards.discard(prefixes=[key], due_at=expires_at)
        return DirectUpload.objects.create(
            public_id=public_id, owner=owner, video=video, purpose=purpose, key=key, name=name[-LONGEST_NAME:],
            content_type=content_type or ANY_TYPE, declared_bytes=size_bytes, expires_at=expires_at,
        )  # fmt: skip


def lifetime() -> timedelta:
    return timedelta(hours=settings.UPLOAD_EXPIRE_HOURS)


def open_uploads() -> QuerySet[DirectUpload]:
    """Of which the file is still to come."""
    return DirectUpload.objects.filter(settled_at=None, arrived_at=None, expires_at__gt=timezone.now())


def find(*, owner: User, **named: object) -> DirectUpload:
    """By `key` or `public_id`; Http404 for what is somebody else's."""
    return get_object_or_404(DirectUpload.objects.select_related("video"), owner=owner, **named)


def find_open(*, owner: User, **named: object) -> DirectUpload:
    return get_object_or_404(open_uploads(), owner=owner, **named)


def prolong(*, upload: DirectUpload) -> None:
    """Something of it has come: it has its whole time again."""
    expires_at = timezone.now() + lifetime()
    if open_uploads().filter(pk=upload.pk).update(expires_at=expires_at):
        discards.discard(prefixes=[upload.key], due_at=expires_at)
        upload.expires_at = expires_at


def cancel(*, upload: DirectUpload) -> None:
    """As if it had never been announced; what is known of the video stays."""
    if open_uploads().filter(pk=upload.pk).delete()[0]:
        discards.discard(prefixes=[upload.key])


# --- what it is ------------------------------------------------------------------------------------------------------


def describe(*, upload: DirectUpload, fields: Mapping[str, Any]) -> Video:
    """What people say about the film, before or after its file has arrived; again: the later words count."""
    with transaction.atomic():
        upload = DirectUpload.objects.select_for_update().get(pk=upload.pk)
        video = upload.video
        if video is None:
            video = Video(public_id=upload.public_id, owner=upload.owner, original_name=upload.name)
        is_new = video.pk is None
        for name, value in fields.items():
            setattr(video, name, value)
        video.save(**({} if is_new else {"update_fields": [*fields, "updated_at"]}))
        if is_new:
            DirectUpload.objects.filter(pk=upload.pk).update(video=video, look_at=timezone.now() + FIRST_LOOK)
    upload.video = video
    if upload.arrived_at is None:
        note_arrival(upload=upload)
    elif upload.settled_at is None:
        queue.enqueue_check(upload.pk)
    return video


def find_loose(*, owner: User, key: str) -> DirectUpload | None:
    """A film that this person has brought and nobody has said anything about."""
    waiting = DirectUpload.objects.filter(owner=owner, key=key, purpose=Purpose.VIDEO)
    return waiting.filter(video=None, settled_at=None).first()


def attach(*, upload: DirectUpload, video: Video) -> bool:
    """Once it is checked, the file becomes the original of this video. False when it belongs to another one by now."""
    loose = DirectUpload.objects.filter(pk=upload.pk, video=None, settled_at=None)
    if not loose.update(video=video, look_at=timezone.now() + FIRST_LOOK):
        return False
    upload.refresh_from_db()
    if upload.arrived_at is not None:
        transaction.on_commit(lambda: queue.enqueue_check(upload.pk))
        return True
    try:
        note_arrival(upload=upload)
    except StorageUnavailable as error:  # the reaper looks again
        log.warning("upload %s: cannot see whether it has arrived: %s", upload.public_id, error)
    return True


def last_problem(*, video: Video) -> str:
    """Of the file that was brought last, as a sentence."""
    latest = DirectUpload.objects.filter(video=video).order_by("-created_at").values_list("problem", flat=True)
    return latest.first() or ""


# --- arriving --------------------------------------------------------------------------------------------------------


def note_arrival(*, upload: DirectUpload) -> bool:
    """See whether the file is there, and have it checked. Raises StorageUnavailable."""
    try:
        etag = look_for(upload.key)
    except SourceMissing:
        return False
    return mark_arrived(upload=upload, etag=etag)


def look_for(key: str) -> str:
    """The ETag, where the storage has any. Raises SourceMissing or StorageUnavailable."""
    bucket = bucket_store()
    if bucket is None:
        get_store().size(key)
        return ""
    # boto3 is for installations with a bucket only; see services.storage.
    from media_pipeline import s3_uploads

    return s3_uploads.stat(bucket, key).etag


def mark_arrived(*, upload: DirectUpload, etag: str = "") -> bool:
    """Once for each upload; the check goes on the queue. False when it was known."""
    with transaction.atomic():
        now = timezone.now()
        waiting = DirectUpload.objects.filter(pk=upload.pk, arrived_at=None, settled_at=None)
        if not waiting.update(arrived_at=now, etag=etag, expires_at=now + lifetime()):
            return False
        discards.discard(prefixes=[upload.key], due_at=now + lifetime())
        # Asked again: whoever received the file may have begun before somebody said what it is.
        if DirectUpload.objects.filter(pk=upload.pk).exclude(video=None).exists():
            transaction.on_commit(lambda: queue.enqueue_check(upload.pk))
    return True


# --- checking --------------------------------------------------------------------------------------------------------


def check(*, upload_id: int) -> None:
    """Look at what has arrived and use or refuse it. Leaves quietly when it is settled or somebody else looks at it."""
    upload = take(upload_id)
    if upload is None or upload.video is None:
        return None
    if upload.purpose == Purpose.POSTER and not upload.video.is_playable:
        return let_wait(upload)  # until there is a film that it can stand for
    try:
        with brief_folder() as work:
            judge(upload, work / "source")
    except StorageUnavailable as error:
        log.warning("upload %s: could not be checked, it will be tried again: %s", upload.public_id, error)
    finally:
        let_wait(upload)


def let_wait(upload: DirectUpload) -> None:
    DirectUpload.objects.filter(pk=upload.pk).update(checked_until=None)


def take(upload_id: int) -> DirectUpload | None:
    is_free = Q(checked_until=None) | Q(checked_until__lte=timezone.now())
    waiting = DirectUpload.objects.filter(is_free, pk=upload_id, settled_at=None).exclude(arrived_at=None)
    if not waiting.exclude(video=None).update(checked_until=lease_end()):
        return None
    return DirectUpload.objects.select_related("video").get(pk=upload_id)


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def judge(upload: DirectUpload, path: Path) -> None:
    renew = Renewal(upload)
    try:
        require_allowed_size(get_store().size(upload.key))
        sources.fetch_original(upload.key, path, renew, upload.etag)
        if upload.purpose == Purpose.POSTER:
            return use_as_poster(upload, path)
        size_bytes = path.stat().st_size
        verdict, error = preflight.examine(path, renew)
    except StorageUnavailable:
        raise
    except AdditionRefused as refusal:
        return refuse(upload, code=refusal.code, sentence=refusal.sentence)
    except PipelineError as problem:
        verdict, error = preflight.refusal(problem.code, problem.sentence), problem
    if error is not None:
        return refuse_film(upload, error, verdict)
    sources.leave_to_worker(upload.key, path, upload.etag)
    return use_as_film(upload, size_bytes, verdict)


class Renewal:
    """Keeps the upload ours while something takes long."""

    def __init__(self, upload: DirectUpload) -> None:
        self.upload = upload
        self.next_at = timezone.now()

    def __call__(self) -> None:
        if timezone.now() >= self.next_at:
            DirectUpload.objects.filter(pk=self.upload.pk).update(checked_until=lease_end())
            self.next_at = timezone.now() + timedelta(seconds=1)


def require_allowed_size(size_bytes: int) -> None:
    """What was declared may not be what has come."""
    try:
        check_original(name=ANY_NAME, size_bytes=size_bytes, max_mb=settings.MAX_UPLOAD_MB)
    except OriginalRefused as refusal:
        raise TooLarge(refusal.sentence) from refusal


def use_as_film(upload: DirectUpload, size_bytes: int, verdict: Mapping[str, object]) -> None:
    assert upload.video
    original = Original(upload.key, upload.name, size_bytes, upload.etag)
    with transaction.atomic():
        settle(upload)
        if processing.accept_upload(video_id=upload.video.pk, original=original, verdict=verdict):
            discards.keep(prefix=upload.key)
        else:
            discards.discard(prefixes=[upload.key])
    log.info("upload %s: fine, the film of video %s", upload.public_id, upload.video.pk)


def use_as_poster(upload: DirectUpload, path: Path) -> None:
    assert upload.video
    posters.use_file(video_id=upload.video.pk, path=path)
    with transaction.atomic():
        settle(upload)
        discards.discard(prefixes=[upload.key])


def refuse_film(upload: DirectUpload, error: PipelineError, verdict: Mapping[str, object]) -> None:
    assert upload.video
    with transaction.atomic():
        processing.refuse_upload(video_id=upload.video.pk, error=error, verdict=verdict)
        refuse(upload, code=error.code, sentence=error.sentence)


def refuse(upload: DirectUpload, *, code: str, sentence: str) -> None:
    with transaction.atomic():
        settle(upload, problem_code=code, problem=sentence[:500])
        discards.discard(prefixes=[upload.key])
    log.info("upload %s: refused, %s", upload.public_id, code)


def settle(upload: DirectUpload, **problem: str) -> None:
    DirectUpload.objects.filter(pk=upload.pk).update(settled_at=timezone.now(), checked_until=None, **problem)


# --- what the reaper does --------------------------------------------------------------------------------------------


def look_after() -> None:
    """Uploads that arrived without anybody saying so, lost checks, and those that will not come any more."""
    find_arrived()
    enqueue_lost_checks()
    expire()


def find_arrived() -> int:
    """How many. Asked less and less often the longer an upload takes."""
    now = timezone.now()
    waiting = open_uploads().exclude(video=None).filter(look_at__lte=now).order_by("look_at")[:LOOKED_AT_ONCE]
    arrived = 0
    for upload in waiting if bucket_store() else ():  # tus knows when it has everything
        pause = min(max(FIRST_LOOK, (now - upload.created_at) / 10), LONGEST_PAUSE)
        DirectUpload.objects.filter(pk=upload.pk).update(look_at=now + pause)
        try:
            arrived += note_arrival(upload=upload)
        except StorageUnavailable as error:
            log.warning("cannot see which uploads have arrived: %s", error)
            break
    return arrived


def enqueue_lost_checks() -> int:
    now = timezone.now()
    is_free = Q(checked_until=None) | Q(checked_until__lte=now)
    waiting = DirectUpload.objects.filter(is_free, settled_at=None, arrived_at__lte=now - JOB_IS_LOST)
    lost = list(waiting.exclude(video=None).filter(look_at__lte=now).values_list("pk", flat=True)[:LOOKED_AT_ONCE])
    DirectUpload.objects.filter(pk__in=lost).update(look_at=now + JOB_IS_LOST)
    return sum(queue.enqueue_check(pk) for pk in lost)


def expire() -> int:
    """Forget uploads that did not come in time; the rows of those that did go a day later. How many went."""
    now = timezone.now()
    late = DirectUpload.objects.filter(settled_at=None, expires_at__lte=now).select_related("video")
    count = sum(forget(upload) for upload in late)
    DirectUpload.objects.filter(settled_at__lte=now - KEPT_FOR).delete()
    return count


def forget(upload: DirectUpload) -> bool:
    """False when it has come, or been prolonged, after all."""
    with transaction.atomic():
        still_late = DirectUpload.objects.filter(pk=upload.pk, settled_at=None, expires_at=upload.expires_at)
        if not still_late.delete()[0]:
            return False
        if upload.video is not None and upload.purpose == Purpose.VIDEO:
            verdict = preflight.refusal(UploadExpired.code, UploadExpired.sentence)
            processing.refuse_upload(video_id=upload.video.pk, error=UploadExpired(), verdict=verdict)
        discards.discard(prefixes=[upload.key])
    abort_parts(upload)
    return True


def abort_parts(upload: DirectUpload) -> None:
    bucket = bucket_store()
    if bucket is None:
        return
    # boto3 is for installations with a bucket only; see services.storage.
    from media_pipeline import s3_uploads

    try:
        s3_uploads.abort_unfinished(bucket, upload.key)
    except StorageUnavailable as error:  # the bucket's lifecycle rule does it later
        log.warning("upload %s: its parts could not be removed: %s", upload.public_id, error)
