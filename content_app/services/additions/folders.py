"""What people add to a published film, posters and captions: each in a folder of its own beside the versions.

So it outlives the version, has a grant of its own, and is never overwritten: the next one gets another folder.
"""

import uuid
from collections.abc import Iterable
from pathlib import Path

from django.shortcuts import get_object_or_404

from background.refusals import Kind, Refusal
from content_app.models import Video
from content_app.services.storage import discards
from content_app.services.storage.stores import get_store
from media_pipeline import layout


class AdditionRefused(Refusal):
    pass


def published(video_id: int) -> Video:
    """Raises AdditionRefused while nothing of it plays, Http404 when it was deleted."""
    video = get_object_or_404(Video, pk=video_id, deleted_at=None)
    if not video.is_playable:
        sentence = "Nothing of this video plays yet; wait until it has been processed."
        raise AdditionRefused(sentence, code="not_ready", kind=Kind.CONFLICT)
    return video


def store_addition(*, video: Video, files: Iterable[Path]) -> str:
    """The name of the folder that they are in. They are removed again unless somebody keeps them within a day."""
    folder = uuid.uuid4().hex[:16]
    prefix = layout.version_prefix(video.public_id, folder)
    discards.discard_unless_kept(prefix=prefix)
    for path in files:
        get_store().put(path, f"{prefix}/{path.name}", layout.content_type(path.name))
    return folder


def keep_addition(*, video: Video, folder: str) -> None:
    """In the transaction that refers to it."""
    discards.keep(prefix=layout.version_prefix(video.public_id, folder))


def let_go_of_addition(*, video: Video, folder: str) -> None:
    """In the transaction that no longer refers to it."""
    discards.discard_later(prefix=layout.version_prefix(video.public_id, folder))
