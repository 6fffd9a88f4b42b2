"""How a published version reaches a player: signed media addresses, the signed master playlist, posters."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.http import Http404

from content_app.models import Rendition, Video
from content_app.queries import is_listed
from content_app.services import grants
from content_app.services.storage import get_store
from content_app.states import Visibility
from media_pipeline import layout, playlists


def media_url(video: Video, name: str) -> str:
    """The signed, absolute path of one object of the published version."""
    return f"{signed_folder(video)}/{name}"


def signed_folder(video: Video) -> str:
    return f"{settings.MEDIA_URL}{grants.sign(video.key_prefix)}/{video.key_prefix}"


def poster_url(video: Video) -> str | None:
    """Unsigned and long-cached for listed videos, signed for the others."""
    if not video.is_playable:
        return None
    if video.visibility == Visibility.PUBLIC:
        return f"{settings.MEDIA_URL}posters/{video.public_id}/{video.version}.jpg"
    return media_url(video, layout.POSTER)


def listed_poster(*, public_id: uuid.UUID, version: str) -> bytes:
    """Of a video that everybody may find in the list, else Http404. Raises StorageUnavailable or SourceMissing."""
    if not is_listed(public_id, version):
        raise Http404
    return get_store().read_bytes(f"{layout.version_prefix(public_id, version)}/{layout.POSTER}")


def master_playlist(video: Video) -> str:
    """The stored playlist with signed addresses. Raises StorageUnavailable or SourceMissing."""
    stored = get_store().read_bytes(f"{video.key_prefix}/{layout.MASTER}").decode()
    return playlists.in_folder(stored, signed_folder(video))


def pick_rendition(renditions: Sequence[Rendition], *, short_side: int | None) -> Rendition:
    """Of a list, lowest first: the one asked for, else the best below it, else the lowest; None asks for the best."""
    fitting = [one for one in renditions if short_side is None or rung_size(one) <= short_side]
    return fitting[-1] if fitting else renditions[0]


def rung_size(rendition: Rendition) -> int:
    """The short side that the name stands for; a small picture's only rung may be smaller than its name."""
    return int(rendition.name.removesuffix("p"))
