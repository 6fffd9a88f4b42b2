"""Making, changing, hiding and bringing back videos. What becomes of an original is for services.processing."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from content_app.models import Video
from content_app.rules import check_original
from media_pipeline import layout
from users_app.models import User

if TYPE_CHECKING:
    Upload: TypeAlias = UploadedFile[Any]
else:  # the real class takes no parameter
    Upload = UploadedFile

ORIGINAL_FIELDS = ("video_file", "original_name", "original_bytes")
LONGEST_NAME = 255


def create(*, owner: User, fields: Mapping[str, Any], upload: Upload | None = None) -> Video:
    """Without an upload the video waits in `uploading`. Raises OriginalRefused."""
    video = Video(owner=owner, **fields)
    if upload is not None:
        take_upload(video=video, upload=upload)
    with transaction.atomic():
        save(video=video)
    return video


def edit(*, video_id: int, changes: Mapping[str, Any], upload: Upload | None = None) -> None:
    """Raises OriginalRefused, or Http404 when the video was deleted meanwhile."""
    with transaction.atomic():
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        for name, value in changes.items():
            setattr(video, name, value)
        if upload is not None:
            take_upload(video=video, upload=upload)
        save(video=video, changed=[*changes, *(ORIGINAL_FIELDS if upload is not None else ())])


def take_upload(*, video: Video, upload: Upload) -> None:
    """Puts the upload on the unsaved video. Raises OriginalRefused."""
    name, size_bytes = upload.name or "", upload.size or 0
    check_original(name=name, size_bytes=size_bytes, max_mb=settings.MAX_UPLOAD_MB)
    video.video_file = upload
    video.original_name = name[-LONGEST_NAME:]
    video.original_bytes = size_bytes


def save(*, video: Video, changed: Iterable[str] | None = None) -> None:
    """All of a new video, or only what changed of one that a worker may be writing to."""
    try:
        video.save(update_fields=None if changed is None else [*changed, "updated_at"])
    except BaseException:
        # The file is stored while the row is written: when that fails, nobody else knows of the file.
        name = video.video_file.name or ""
        if name.startswith(f"{layout.originals_prefix(video.public_id)}/") and name != video.accepted_original:
            video.video_file.storage.delete(name)
        raise


def soft_delete(*, video_id: int) -> bool:
    now = timezone.now()
    return bool(Video.objects.filter(pk=video_id, deleted_at=None).update(deleted_at=now, updated_at=now))


def restore(*, video_id: int) -> bool:
    found = Video.objects.filter(pk=video_id).exclude(deleted_at=None)
    return bool(found.update(deleted_at=None, updated_at=timezone.now()))
