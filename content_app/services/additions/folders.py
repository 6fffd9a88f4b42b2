"""The folders of posters and captions that users add to a published film.

Each addition is stored in a new folder beside the versions. It thus outlives the version, has its own grant, and is
never overwritten.
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
    """Returns the video. Raises AdditionRefused while it has no published version, Http404 when it was deleted."""
    video = get_object_or_404(Video.objects.select_related("version"), pk=video_id, deleted_at=None)
    if not video.is_playable:
        sentence = "This video cannot be played yet; wait until it has been processed."
        raise AdditionRefused(sentence, code="not_ready", kind=Kind.CONFLICT)
    return video


def store_addition(*, video: Video, files: Iterable[Path]) -> str:
    """Stores the files in a new folder and returns its name. Raises StorageUnavailable.

    The files are removed a day later unless `keep_addition` is called.
    """
    folder = uuid.uuid4().hex[:16]
    prefix = layout.version_prefix(video.public_id, folder)
    discards.discard_unless_kept(prefix=prefix)
    for path in files:
        get_store().put(path, f"{prefix}/{path.name}", layout.content_type(path.name))
    return folder


def keep_addition(*, video: Video, folder: str) -> None:
    """Call in the transaction that writes the reference to the folder."""
    discards.keep(prefix=layout.version_prefix(video.public_id, folder))


def discard_addition(*, video: Video, folder: str) -> None:
    """Call in the transaction that removes the reference to the folder."""
    discards.discard_later(prefix=layout.version_prefix(video.public_id, folder))
