"""Creates, edits, features, deletes and restores videos. How originals are processed: services.processing.lifecycle."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
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
from content_app.input_rules import check_original, check_price, plain_name
from content_app.models import MAX_FILE_NAME_LENGTH, ORIGINAL_FIELDS, Video
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
    """The user may not do this, or may not do it any more: rights can be taken away while a request runs."""

    kind = Kind.FORBIDDEN
    code = "permission_denied"
    sentence = "Only creators and admins may upload videos."


def create(*, owner: User, fields: Mapping[str, Any], upload: Upload | None = None) -> Video:
    """Creates a video; without an upload it stays in `uploading`.

    Raises NotAllowed, OriginalRefused or StorageUnavailable.
    """
    video = Video(owner=owner, **fields)
    with dropped_on_failure(video):
        if upload is not None:
            store_upload(video=video, upload=upload)
        with transaction.atomic():
            require_uploader(owner.pk)
            video.save()
    return video


class ChangedMeanwhile(Refusal):
    """The video was edited, by another user or in another window, after the client read it."""

    kind = Kind.CHANGED
    code = "changed_meanwhile"
    sentence = "This film was changed in the meantime, so your changes were not saved. Load it again, then repeat them."


def edit(
    *,
    video_id: int,
    by: User,
    changes: Mapping[str, Any],
    upload: Upload | None = None,
    read_at: datetime | None = None,
) -> None:
    """Changes the fields of a video, or replaces its original.

    `read_at`: the `updated_at` that the editor has seen. If the row has another one now, nothing is changed and
    ChangedMeanwhile is raised. Also raises NotAllowed, OriginalRefused, PriceRefused, StorageUnavailable, and Http404
    for a deleted video.
    """
    draft = get_object_or_404(Video, pk=video_id, deleted_at=None)
    with dropped_on_failure(draft), ExitStack() as stack:
        if upload is not None:
            store_upload(video=draft, upload=upload)
            changes = {**changes, **{name: getattr(draft, name) for name in ORIGINAL_FIELDS}}
        stack.enter_context(transaction.atomic())
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        if not may_change(User.objects.get(pk=by.pk), video):
            raise NotAllowed("This video belongs to someone else.")
        if upload is not None:
            require_uploader(by.pk)
        if read_at is not None and video.updated_at != read_at:
            raise ChangedMeanwhile
        for name, value in changes.items():
            setattr(video, name, value)
        # Checked again on the locked row: since the validation another request may have changed one of the two fields.
        check_price(is_paid=video.is_paid, price=video.price)
        video.save(update_fields=[*changes, "updated_at"])
    audit.note("video_changed", target=f"video:{video_id}", fields=sorted(changes))


def require_uploader(person_id: int) -> None:
    """Raises NotAllowed unless this user may upload videos now."""
    # From the database: the user of the request was read before the file came in, which may be minutes ago.
    person = User.objects.filter(pk=person_id).first()
    if person is None or not may_upload_videos(person):
        raise NotAllowed


def store_upload(*, video: Video, upload: Upload) -> None:
    """Stores the upload and puts it on the unsaved video. Raises OriginalRefused or StorageUnavailable.

    Call it outside of transactions: the transfer may take minutes, and no row may be locked for that long.
    """
    take_upload(video=video, upload=upload)
    try:
        video.video_file.save(video.original_name, upload, save=False)
    except OSError as error:
        raise StorageUnavailable(detail=str(error)) from error


def take_upload(*, video: Video, upload: Upload) -> None:
    """Puts the upload on the unsaved video, whose save() stores it. Raises OriginalRefused."""
    name, size_bytes = plain_name(upload.name or ""), upload.size or 0
    check_original(name=name, size_bytes=size_bytes, max_mb=settings.MAX_UPLOAD_MB)
    video.video_file = upload
    video.original_name = name[-MAX_FILE_NAME_LENGTH:]
    video.original_bytes = size_bytes


def save(*, video: Video, changed: Collection[str] | None = None) -> None:
    """Saves a new video, or the `changed` fields of an existing one, which a worker may be writing to.

    Raises PriceRefused.
    """
    with dropped_on_failure(video), transaction.atomic():
        if changed is not None and (stored := Video.objects.select_for_update().filter(pk=video.pk).first()):
            # A field that is not changed here counts as it is stored: another request may have changed it.
            check_price(
                is_paid=(video if "is_paid" in changed else stored).is_paid,
                price=(video if "price" in changed else stored).price,
            )
        video.save(update_fields=None if changed is None else [*changed, "updated_at"])


@contextmanager
def dropped_on_failure(video: Video) -> Iterator[None]:
    """Removes a stored original when the block fails, because then no row refers to it."""
    before = video.video_file.name
    try:
        yield
    except BaseException:
        name = video.video_file.name or ""
        # Only a file that the block has stored: a run refers to an earlier one.
        if name.startswith(f"{layout.originals_prefix(video.public_id)}/") and name != before:
            with suppress(StorageUnavailable):  # the first error is the one to report
                video.video_file.storage.delete(name)
        raise


def feature(*, video_id: int, tries: int = 5) -> bool:
    """Puts this film at the top of the catalogue, in place of the one there. Returns whether anything changed."""
    try:
        with transaction.atomic():
            Video.objects.filter(is_featured=True).exclude(pk=video_id).update(is_featured=False)
            rows = Video.objects.filter(pk=video_id, is_featured=False, deleted_at=None).update(is_featured=True)
            if not rows and not Video.objects.filter(pk=video_id, is_featured=True).exists():
                transaction.set_rollback(True)  # the film was deleted, so the one at the top stays there
    except IntegrityError:
        # Another request featured a film after the first UPDATE. The next try sees it.
        if tries == 1:
            raise
        return feature(video_id=video_id, tries=tries - 1)
    return _note("video_featured", video_id, rows)


def unfeature(*, video_id: int) -> bool:
    rows = Video.objects.filter(pk=video_id, is_featured=True).update(is_featured=False)
    return _note("video_no_longer_featured", video_id, rows)


def soft_delete(*, video_id: int, by: User | None = None) -> bool:
    """Hides a video. `by` is the user who deletes it: an owner may undo it for UNDO_MINUTES."""
    now = timezone.now()
    rows = Video.objects.filter(pk=video_id, deleted_at=None).update(deleted_at=now, deleted_by=by, updated_at=now)
    return _note("video_deleted", video_id, rows)


def restore(*, video_id: int) -> bool:
    return _undelete(Video.objects.filter(pk=video_id), video_id)


def undo_deletion(*, video_id: int, by: User) -> bool:
    """Restores a video that its owner deleted within the last UNDO_MINUTES.

    Returns False for any other video, such as one that staff deleted.
    """
    since = timezone.now() - timedelta(minutes=UNDO_MINUTES)
    return _undelete(Video.objects.filter(pk=video_id, owner=by, deleted_by=by, deleted_at__gt=since), video_id)


def may_be_undone(video: Video) -> bool:
    """True while the owner may still undo the deletion of this video."""
    if video.deleted_at is None or video.deleted_by_id != video.owner_id:
        return False
    return video.deleted_at > timezone.now() - timedelta(minutes=UNDO_MINUTES)


def _undelete(videos: "QuerySet[Video]", video_id: int) -> bool:
    rows = videos.exclude(deleted_at=None).update(deleted_at=None, deleted_by=None, updated_at=timezone.now())
    return _note("video_restored", video_id, rows)


def _note(action: str, video_id: int, rows: int) -> bool:
    """Writes the action to the audit trail if it changed any rows. Returns whether it did."""
    if rows:
        audit.note(action, target=f"video:{video_id}")
    return bool(rows)
