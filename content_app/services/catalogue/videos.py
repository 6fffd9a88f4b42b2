"""Making, changing, hiding and bringing back videos. What becomes of an original: services.processing.lifecycle."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from background.refusals import Kind, Refusal
from content_app.access import may_change, may_upload_videos
from content_app.models import MAX_FILE_NAME_LENGTH, ORIGINAL_FIELDS, Video
from content_app.rules import check_original, check_price
from media_pipeline import layout
from media_pipeline.errors import StorageUnavailable
from users_app import audit
from users_app.models import User

if TYPE_CHECKING:
    Upload: TypeAlias = UploadedFile[Any]
else:  # the real class takes no parameter
    Upload = UploadedFile

UNDO_MINUTES = 15


class NotAllowed(Refusal):
    """Of a person who may not do this, or not any more: rights may end while a request is under way."""

    kind = Kind.FORBIDDEN
    code = "permission_denied"
    sentence = "Only creators and admins may upload videos."


def create(*, owner: User, fields: Mapping[str, Any], upload: Upload | None = None) -> Video:
    """Without an upload the video waits in `uploading`. Raises NotAllowed, OriginalRefused or StorageUnavailable."""
    video = Video(owner=owner, **fields)
    if upload is not None:
        store_upload(video=video, upload=upload)
    with dropped_on_failure(video), transaction.atomic():
        require_uploader(owner.pk)
        video.save()
    return video


class ChangedMeanwhile(Refusal):
    """Another person, or the same one elsewhere, has edited the video since it was read."""

    kind = Kind.CHANGED
    code = "changed_meanwhile"
    sentence = "The film was changed in between; nothing of this was saved."


def edit(
    *,
    video_id: int,
    by: User,
    changes: Mapping[str, Any],
    upload: Upload | None = None,
    read_at: datetime | None = None,
) -> None:
    """Raises NotAllowed, OriginalRefused, PriceRefused or StorageUnavailable; Http404 for one that was deleted.

    `read_at`: the `updated_at` that the editor has seen. Raises ChangedMeanwhile, and changes nothing, if it is not
    that any more.
    """
    draft = get_object_or_404(Video, pk=video_id, deleted_at=None)
    if upload is not None:
        store_upload(video=draft, upload=upload)
        changes = {**changes, **{name: getattr(draft, name) for name in ORIGINAL_FIELDS}}
    with dropped_on_failure(draft), transaction.atomic():
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        if not may_change(User.objects.get(pk=by.pk), video):
            raise NotAllowed("This video is somebody else's.")
        if upload is not None:
            require_uploader(by.pk)
        if read_at is not None and video.updated_at != read_at:
            raise ChangedMeanwhile
        for name, value in changes.items():
            setattr(video, name, value)
        check_price(is_paid=video.is_paid, price=video.price)  # another request may have changed the other of the two
        video.save(update_fields=[*changes, "updated_at"])
    audit.note("video_changed", target=f"video:{video_id}", fields=sorted(changes))


def require_uploader(person_id: int) -> None:
    """Asked of the database: a request knows who sends it from its beginning, and a file may take minutes."""
    person = User.objects.filter(pk=person_id).first()
    if person is None or not may_upload_videos(person):
        raise NotAllowed


def store_upload(*, video: Video, upload: Upload) -> None:
    """Before a row names it: a transfer may take minutes, in which nothing is to be locked."""
    take_upload(video=video, upload=upload)
    video.video_file.save(video.original_name, upload, save=False)


def take_upload(*, video: Video, upload: Upload) -> None:
    """Puts the upload on the unsaved video. Raises OriginalRefused."""
    name, size_bytes = upload.name or "", upload.size or 0
    check_original(name=name, size_bytes=size_bytes, max_mb=settings.MAX_UPLOAD_MB)
    video.video_file = upload
    video.original_name = name[-MAX_FILE_NAME_LENGTH:]
    video.original_bytes = size_bytes


def save(*, video: Video, changed: Collection[str] | None = None) -> None:
    """All of a new video, or only what changed of one that a worker may be writing to. Raises PriceRefused."""
    with dropped_on_failure(video), transaction.atomic():
        if changed is not None and (stored := Video.objects.select_for_update().filter(pk=video.pk).first()):
            check_price(
                is_paid=(video if "is_paid" in changed else stored).is_paid,
                price=(video if "price" in changed else stored).price,
            )
        video.save(update_fields=None if changed is None else [*changed, "updated_at"])


@contextmanager
def dropped_on_failure(video: Video) -> Iterator[None]:
    """A new original is removed again when its row cannot be written: nobody else knows of it."""
    try:
        yield
    except BaseException:
        name = video.video_file.name or ""
        if name.startswith(f"{layout.originals_prefix(video.public_id)}/") and name != video.accepted_original:
            with suppress(StorageUnavailable):  # what went wrong first is what counts
                video.video_file.storage.delete(name)
        raise


def feature(*, video_id: int, tries: int = 5) -> bool:
    """Put this film at the top of the catalogue, in the place of the one that was there."""
    try:
        with transaction.atomic():
            Video.objects.filter(is_featured=True).exclude(pk=video_id).update(is_featured=False)
            rows = Video.objects.filter(pk=video_id, is_featured=False, deleted_at=None).update(is_featured=True)
            if not rows and not Video.objects.filter(pk=video_id, is_featured=True).exists():
                transaction.set_rollback(True)  # a film that was deleted takes the place of no other
    except IntegrityError:  # another film was put there in between, and now is seen
        if tries == 1:
            raise
        return feature(video_id=video_id, tries=tries - 1)
    return noted("video_featured", video_id, rows)


def unfeature(*, video_id: int) -> bool:
    rows = Video.objects.filter(pk=video_id, is_featured=True).update(is_featured=False)
    return noted("video_no_longer_featured", video_id, rows)


def soft_delete(*, video_id: int, by: User | None = None) -> bool:
    """`by`: the person who may undo it for a while."""
    now = timezone.now()
    rows = Video.objects.filter(pk=video_id, deleted_at=None).update(deleted_at=now, deleted_by=by, updated_at=now)
    return noted("video_deleted", video_id, rows)


def restore(*, video_id: int) -> bool:
    return bring_back(Video.objects.filter(pk=video_id), video_id)


def undo_deletion(*, video_id: int, by: User) -> bool:
    """By the owner, of what the owner deleted just now; what staff took away stays away. False for everything else."""
    since = timezone.now() - timedelta(minutes=UNDO_MINUTES)
    return bring_back(Video.objects.filter(pk=video_id, owner=by, deleted_by=by, deleted_at__gt=since), video_id)


def may_be_undone(video: Video) -> bool:
    """Whether this is a deletion that the owner may still take back."""
    if video.deleted_at is None or video.deleted_by_id != video.owner_id:
        return False
    return video.deleted_at > timezone.now() - timedelta(minutes=UNDO_MINUTES)


def bring_back(deleted: "QuerySet[Video]", video_id: int) -> bool:
    found = deleted.exclude(deleted_at=None)
    rows = found.update(deleted_at=None, deleted_by=None, updated_at=timezone.now())
    return noted("video_restored", video_id, rows)


def noted(action: str, video_id: int, rows: int) -> bool:
    """Whether anything was changed, which then is in the audit trail."""
    if rows:
        audit.note(action, target=f"video:{video_id}")
    return bool(rows)
