"""Uploads beside the forms: into a bucket by signed requests, or into the media folder by tus.

An upload is announced and gets a key of its own. Its title and other details are set (`set_details`) before or after
the file arrives. Then a job checks the file, and it becomes the original of a video. Other objects are removed again.
"""

import logging
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from background.queue import enqueue_lost
from background.refusals import Kind, Refusal
from content_app import queue
from content_app.input_rules import check_original, check_price, plain_name
from content_app.models import MAX_FILE_NAME_LENGTH, DirectUpload, Video, original_key
from content_app.services.processing import lifecycle, preflight
from content_app.services.storage import discards, disk_space
from content_app.services.storage.stores import bucket_store, get_store, is_in_bucket
from content_app.states import State
from media_pipeline.errors import PipelineError, SourceMissing, StorageUnavailable
from users_app.models import User

log = logging.getLogger(__name__)

Purpose = DirectUpload.Purpose
MAX_OPEN = 100  # for each person
ANY_NAME = "film.mp4"
ANY_TYPE = "application/octet-stream"
FIRST_LOOK = timedelta(seconds=5)
MAX_PAUSE = timedelta(minutes=10)
LOOK_BATCH = 100
# A check whose upload arrived this long ago and that is not on the queue counts as lost.
JOB_IS_LOST = timedelta(seconds=30)
KEPT_FOR = timedelta(days=1)


class UploadExpired(PipelineError):
    code = "upload_expired"
    sentence = "The file did not arrive in time. Upload it again."


class UploadRefused(Refusal):
    kind = Kind.CONFLICT


def direct_way() -> str:
    """Returns how pages upload large files: "bucket" (in parts, by signed requests) or "tus"."""
    return "bucket" if is_in_bucket() else "tus"


# --- announcing ------------------------------------------------------------------------------------------------------


def announce(
    *, owner: User, name: str = "", content_type: str = "", size_bytes: int | None = None, video: Video | None = None,
    purpose: str = Purpose.VIDEO,
) -> DirectUpload:  # fmt: skip
    """Makes the row of an upload whose file will arrive. `video`: the one whose file or poster it replaces, if any.

    Raises OriginalRefused, UploadRefused or NoRoom.
    """
    if purpose == Purpose.VIDEO:
        # Without a declared size only the name is checked here, and the size when the file has arrived.
        known_bytes = 1 if size_bytes is None else size_bytes
        check_original(name=name or ANY_NAME, size_bytes=known_bytes, max_mb=settings.MAX_UPLOAD_MB)
    name = plain_name(name)
    public_id = uuid.uuid4()
    key = original_key(video or Video(public_id=public_id), name)
    expires_at = timezone.now() + lifetime()
    with nullcontext() if is_in_bucket() else disk_space.asked_for(size_bytes or 0), transaction.atomic():
        # Locked, so that two requests of one user are counted one after the other.
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        if open_uploads().filter(owner=owner).count() >= MAX_OPEN:
            raise UploadRefused(too_many_sentence(MAX_OPEN), code="too_many_uploads")
        # Before the first byte: bytes that are never used are removed, however the upload ends.
        discards.discard(prefixes=[key], due_at=expires_at)
        return DirectUpload.objects.create(
            public_id=public_id, owner=owner, video=video, purpose=purpose, key=key, name=name[-MAX_FILE_NAME_LENGTH:],
            content_type=content_type or ANY_TYPE, declared_bytes=size_bytes, expires_at=expires_at,
        )  # fmt: skip


def too_many_sentence(count: int) -> str:
    return f"You have {count} uploads under way; finish or cancel some first."


def lifetime() -> timedelta:
    return timedelta(hours=settings.UPLOAD_EXPIRE_HOURS)


def unarrived() -> QuerySet[DirectUpload]:
    """Uploads that have not been seen to arrive."""
    return DirectUpload.objects.filter(settled_at=None, arrived_at=None)


def open_uploads() -> QuerySet[DirectUpload]:
    """Uploads whose file may still arrive."""
    return unarrived().filter(expires_at__gt=timezone.now())


def find(*, owner: User, **named: object) -> DirectUpload:
    """Returns an upload of this user by `key` or `public_id`. Raises Http404."""
    return get_object_or_404(DirectUpload.objects.select_related("video"), owner=owner, **named)


def find_open(*, owner: User, **named: object) -> DirectUpload:
    """Returns an upload as `find` does, if its file may still arrive. Raises Http404."""
    return get_object_or_404(open_uploads(), owner=owner, **named)


def extend_expiry(*, upload: DirectUpload) -> None:
    """Gives the upload its full lifetime again, because a part of it has arrived."""
    expires_at = timezone.now() + lifetime()
    # One transaction: if the upload were accepted in between, its original would be discarded later.
    with transaction.atomic():
        if unarrived().filter(pk=upload.pk).update(expires_at=expires_at):
            discards.discard(prefixes=[upload.key], due_at=expires_at)
            upload.expires_at = expires_at


def cancel(*, upload: DirectUpload) -> None:
    """Deletes the upload and discards its objects. The video, if there is one already, stays."""
    if open_uploads().filter(pk=upload.pk).delete()[0]:
        discards.discard(prefixes=[upload.key])


# --- details ---------------------------------------------------------------------------------------------------------


def set_details(*, upload: DirectUpload, fields: Mapping[str, Any]) -> Video:
    """Makes or changes the video of the upload, before or after its file has arrived.

    Raises PriceRefused, or StorageUnavailable when it cannot look for the file.
    """
    with transaction.atomic():
        upload = DirectUpload.objects.select_for_update().get(pk=upload.pk)
        if upload.video_id is not None:
            video = Video.objects.select_for_update().get(pk=upload.video_id)
        else:
            video = Video(public_id=upload.public_id, owner=upload.owner, original_name=upload.name)
        is_new = video.pk is None
        for name, value in fields.items():
            setattr(video, name, value)
        check_price(is_paid=video.is_paid, price=video.price)
        video.save(update_fields=None if is_new else [*fields, "updated_at"])
        if is_new:
            DirectUpload.objects.filter(pk=upload.pk).update(video=video, look_at=timezone.now() + FIRST_LOOK)
    upload.video = video
    if upload.arrived_at is None:
        note_arrival(upload=upload)
    elif upload.settled_at is None:
        queue.enqueue_check(upload.pk)
    return video


def find_loose(*, owner: User, key: str) -> DirectUpload | None:
    """Returns this user's upload of a film if there is no video for it yet, else None."""
    waiting = DirectUpload.objects.filter(owner=owner, key=key, purpose=Purpose.VIDEO)
    return waiting.filter(video=None, settled_at=None).first()


def attach(*, upload: DirectUpload, video: Video) -> bool:
    """Lets the file become the original of this video once it is checked. Returns False when it has a video by now."""
    loose = DirectUpload.objects.filter(pk=upload.pk, video=None, settled_at=None)
    if not loose.update(video=video, look_at=timezone.now() + FIRST_LOOK):
        return False
    upload.refresh_from_db()
    if upload.arrived_at is not None:
        transaction.on_commit(lambda: queue.enqueue_check(upload.pk))
        return True
    try:
        note_arrival(upload=upload)
    except StorageUnavailable as error:  # the reaper tries again
        log.warning("upload %s: cannot see whether it has arrived: %s", upload.public_id, error)
    return True


def last_problem(*, video: Video) -> str:
    """Returns the sentence that says why the latest upload for this video was refused; "" when it was not."""
    latest = DirectUpload.objects.filter(video=video).order_by("-created_at").values_list("problem", flat=True)
    return latest.first() or ""


# --- arriving --------------------------------------------------------------------------------------------------------


def note_arrival(*, upload: DirectUpload) -> bool:
    """Asks the storage for the file, and has it checked if it is there. Returns True only the first time it is there.

    Raises StorageUnavailable.
    """
    try:
        etag = look_for(upload.key)
    except SourceMissing:
        return False
    return mark_arrived(upload=upload, etag=etag)


def look_for(key: str) -> str:
    """Returns the ETag of the object; "" in a folder. Raises SourceMissing or StorageUnavailable."""
    bucket = bucket_store()
    if bucket is None:
        get_store().size(key)
        return ""
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_uploads

    return s3_uploads.stat(bucket, key).etag


def mark_arrived(*, upload: DirectUpload, etag: str = "") -> bool:
    """Records that the file has arrived, and enqueues its check. Returns False when that is done already."""
    with transaction.atomic():
        now = timezone.now()
        waiting = DirectUpload.objects.filter(pk=upload.pk, arrived_at=None, settled_at=None)
        if not waiting.update(arrived_at=now, etag=etag, expires_at=now + lifetime()):
            return False
        discards.discard(prefixes=[upload.key], due_at=now + lifetime())
        # Asked of the database: the video may have been made after this process read the upload.
        if DirectUpload.objects.filter(pk=upload.pk).exclude(video=None).exists():
            transaction.on_commit(lambda: queue.enqueue_check(upload.pk))
    return True


# --- what the reaper does --------------------------------------------------------------------------------------------


def settle_overdue_uploads() -> None:
    """Finds uploads whose arrival no client reported, enqueues lost checks, and gives up uploads that are late."""
    find_arrived()
    enqueue_lost_checks()
    expire()


def find_arrived() -> int:
    """Looks for files in the bucket, less often the older the upload is. Returns how many have arrived."""
    now = timezone.now()
    waiting = open_uploads().exclude(video=None).filter(look_at__lte=now).order_by("look_at")[:LOOK_BATCH]
    arrived = 0
    for upload in waiting if bucket_store() else ():  # tus itself knows when a file is complete
        pause = min(max(FIRST_LOOK, (now - upload.created_at) / 10), MAX_PAUSE)
        DirectUpload.objects.filter(pk=upload.pk).update(look_at=now + pause)
        try:
            arrived += note_arrival(upload=upload)
        except StorageUnavailable as error:
            log.warning("cannot see which uploads have arrived: %s", error)
            break
    return arrived


def enqueue_lost_checks() -> int:
    """Enqueues checks whose job was lost. Returns how many."""
    now = timezone.now()
    waiting = DirectUpload.objects.free().filter(settled_at=None, arrived_at__lte=now - JOB_IS_LOST)
    due = list(waiting.exclude(video=None).filter(look_at__lte=now).values_list("pk", flat=True)[:LOOK_BATCH])
    DirectUpload.objects.filter(pk__in=due).update(look_at=now + JOB_IS_LOST)
    return enqueue_lost(due, queued=queue.checks_waiting, enqueue_one=queue.enqueue_check, what="uploads")


def expire() -> int:
    """Gives up uploads that did not arrive in time, and deletes the rows of uploads that were settled a day ago.

    An upload that has arrived is kept until a worker has checked it, even if its client never reported the arrival.
    Returns how many were given up.
    """
    now = timezone.now()
    unsettled = DirectUpload.objects.free().filter(settled_at=None)
    late = unsettled.filter(expires_at__lte=now).exclude(will_be_checked())
    count = 0
    try:
        for upload in late.select_related("video"):
            count += not has_arrived_unseen(upload) and expire_one(upload)
    except StorageUnavailable as error:
        log.warning("cannot see whether late uploads have arrived: %s", error)
    DirectUpload.objects.filter(settled_at__lte=now - KEPT_FOR).delete()
    return count


def will_be_checked() -> Q:
    """The condition for uploads that will still be checked: they have arrived and have a video.

    Of posters only those whose film plays or may still play.
    """
    films = DirectUpload.objects.filter(video=OuterRef("video"), purpose=Purpose.VIDEO, settled_at=None)
    has_film = (
        Q(video__version__isnull=False) | Q(video__state__in=(State.PENDING, State.PROCESSING)) | Q(Exists(films))
    )
    return Q(arrived_at__isnull=False, video__isnull=False) & (Q(purpose=Purpose.VIDEO) | has_film)


def has_arrived_unseen(upload: DirectUpload) -> bool:
    """True when the file of a late upload with a video is there, but was not noticed. Raises StorageUnavailable."""
    if upload.video is None or upload.arrived_at is not None:
        return False
    # A complete tus upload may still wait here to be stored.
    is_here = not is_in_bucket() and disk_space.received_bytes(upload.public_id) == upload.declared_bytes
    return is_here or note_arrival(upload=upload)


def expire_one(upload: DirectUpload) -> bool:
    """Gives up a late upload. Returns False when it arrived, was extended or taken for a check meanwhile."""
    with transaction.atomic():
        still_late = DirectUpload.objects.free().filter(pk=upload.pk, settled_at=None, expires_at=upload.expires_at)
        if not still_late.delete()[0]:
            return False
        if upload.video is not None and upload.purpose == Purpose.VIDEO:
            verdict = preflight.refused_verdict(UploadExpired.code, UploadExpired.sentence)
            lifecycle.refuse_first_upload(
                video_id=upload.video.pk, name=upload.name, error=UploadExpired(), verdict=verdict
            )
        discards.discard(prefixes=[upload.key])
    abort_parts(upload)
    return True


def abort_parts(upload: DirectUpload) -> None:
    """Removes the parts of an unfinished upload from the bucket, if the storage can be reached."""
    bucket = bucket_store()
    if bucket is None:
        return
    # boto3 is for installations with a bucket only; see services.storage.stores.
    from media_pipeline.storage import s3_uploads

    try:
        s3_uploads.abort_unfinished(bucket, upload.key)
    except StorageUnavailable as error:  # the bucket's lifecycle rule does it later
        log.warning("upload %s: its parts could not be removed: %s", upload.public_id, error)
