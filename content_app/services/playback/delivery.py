"""What a player gets of a published version: signed media addresses, playlists, captions, posters, the storyboard."""

import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import PurePosixPath

from django.conf import settings

from content_app.models import Caption, Rendition, Video
from content_app.queries import published_captions
from content_app.services.playback import grants
from content_app.services.storage.object_cache import ObjectCache
from content_app.services.storage.stores import bucket_store, get_store
from content_app.states import Visibility
from media_pipeline import layout
from media_pipeline.external import dash_texts
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import CaptionVariant

# In each process: room for the playlists of hundreds of films, or for some manifests of the longest ones.
published = ObjectCache(max_bytes=32 * 1024**2)


def media_url(video: Video, name: str) -> str:
    """Returns a signed address of one object of the published version: in the bucket, or else a path of this site.

    Raises StorageUnavailable when there are no credentials to sign with.
    """
    if not bucket_store():
        return media_path(video, name)
    return bucket_url(f"{video.key_prefix}/{name}", grants.seconds_left())


def media_path(video: Video, name: str) -> str:
    """Returns a path of this site that is signed for one object of the published version."""
    return file_path(f"{video.key_prefix}/{name}")


def file_path(key: str) -> str:
    """Returns a path of this site that is signed for this object alone."""
    # Below `file/<grant>/`: an address relative to it names another key, for which the grant does not hold.
    return f"{settings.MEDIA_URL}file/{grants.sign_file(key)}/{key}"


def signed_folder(video: Video, folder: str = "") -> str:
    """Returns a signed path for all objects of the published version, or of a folder of captions.

    Only for users who may watch the video.
    """
    prefix = layout.version_prefix(video.public_id, folder or video.folder)
    return f"{settings.MEDIA_URL}{grants.sign(prefix)}/{prefix}"


def poster_url(video: Video) -> str | None:
    """Returns the address of the poster: cacheable for a year for listed videos, signed for the others.

    Users who may not watch the video see its poster too.
    """
    return _picture_url(video, video.poster)


def small_poster_url(video: Video) -> str | None:
    """Returns the address of the small poster, by the rules of `poster_url`."""
    return _picture_url(video, video.small_poster)


def _picture_url(video: Video, picture: str) -> str | None:
    if not (video.is_playable and picture):
        return None
    if video.visibility == Visibility.PUBLIC:
        return listed_poster_url(video.public_id, picture)
    return signed_picture_url(video, picture)


def signed_picture_url(video: Video, picture: str) -> str:
    """Returns a signed path of a picture; `picture` is `<folder>/<file>`, as in Video.poster."""
    return file_path(f"{layout.video_prefix(video.public_id)}/{picture}")


def listed_poster_url(public_id: uuid.UUID, poster: str) -> str:
    return f"{settings.MEDIA_URL}posters/{public_id}/{poster}"


def read_poster(public_id: uuid.UUID, poster: str) -> bytes:
    """Returns the JPEG. Raises StorageUnavailable or SourceMissing."""
    return get_store().read_bytes(f"{layout.video_prefix(public_id)}/{poster}")


def bucket_url(key: str, lifetime_s: int) -> str:
    """Returns a presigned URL of the bucket; only where media are in buckets.

    Raises StorageUnavailable when there are no credentials to sign with.
    """
    bucket = bucket_store()
    assert bucket
    return bucket.signed_url(key, lifetime_s)


def bucket_playlist(key: str, lifetime_s: int) -> str:
    """Returns a stored playlist with presigned URLs for its media. Raises StorageUnavailable or SourceMissing.

    The relative URIs of other playlists stay as they are.
    """
    folder = PurePosixPath(key).parent

    @cache  # a playlist names the same file once for each byte range
    def address(uri: str) -> str:
        return uri if uri.endswith(".m3u8") else bucket_url(f"{folder}/{uri}", lifetime_s)

    return playlists.with_uris(published_text(key), address)


def bucket_manifest(key: str, lifetime_s: int) -> str:
    """Returns a stored DASH manifest with presigned URLs. Raises StorageUnavailable or SourceMissing.

    A manifest names thousands of files, so all of them are signed in one go.
    """
    # Imported here, because only installations with a bucket have boto3; see services.storage.stores.
    from media_pipeline.storage.s3_addresses import signed_urls

    bucket = bucket_store()
    assert bucket
    stored, folder = published_text(key), PurePosixPath(key).parent
    names = dash_texts.files(stored)
    urls = signed_urls(bucket, [f"{folder}/{name}" for name in names], lifetime_s)
    return dash_texts.with_addresses(stored, dict(zip(names, urls, strict=True)).__getitem__)


def published_text(key: str) -> str:
    """Returns a stored playlist, manifest or list of cues. Raises StorageUnavailable or SourceMissing."""
    store = get_store()
    # Reading from a bucket takes a request to S3. Published objects never change, so they can be cached.
    data = published.get(key, store.read_bytes) if bucket_store() else store.read_bytes(key)
    return data.decode()


def master_playlist(video: Video) -> str:
    """Returns the HLS master playlist with captions, all signed. Raises StorageUnavailable or SourceMissing."""
    stored = published_text(f"{video.key_prefix}/{layout.MASTER}")
    captions = [
        CaptionVariant(
            caption.language,
            caption.label,
            f"{signed_folder(video, caption.folder)}/{layout.captions_playlist_file(caption.language)}",
        )
        for caption in published_captions(video)
    ]
    return playlists.with_captions(playlists.in_folder(stored, signed_folder(video)), captions)


def dash_manifest(video: Video) -> str:
    """Returns the DASH manifest with signed addresses, without captions. Raises StorageUnavailable or SourceMissing."""
    key = f"{video.key_prefix}/{layout.MANIFEST}"
    if not bucket_store():
        return dash_texts.manifest_in_folder(published_text(key), signed_folder(video))
    return bucket_manifest(key, grants.seconds_left())


def captions_text(video: Video, caption: Caption) -> bytes:
    """Returns the WebVTT of captions. Raises StorageUnavailable or SourceMissing."""
    prefix = layout.version_prefix(video.public_id, caption.folder)
    return get_store().read_bytes(f"{prefix}/{layout.captions_file(caption.language)}")


def storyboard(video: Video) -> str:
    """Returns WebVTT whose cues name parts of a signed picture. Raises StorageUnavailable or SourceMissing."""
    stored = published_text(f"{video.key_prefix}/{layout.STORYBOARD_CUES}")
    return stored.replace(f"\n{layout.STORYBOARD}#", f"\n{media_path(video, layout.STORYBOARD)}#")


def pick_rendition(renditions: Sequence[Rendition], *, short_side: int | None) -> Rendition:
    """Returns the rendition with this short side, else the best below it, else the lowest; None asks for the best.

    `renditions` are sorted, lowest first.
    """
    if short_side is None:
        return renditions[-1]
    # By the number in the name, not by the height: the only rung of a tiny video is smaller than its name.
    fitting = [one for one in renditions if int(one.name.removesuffix("p")) <= short_side]
    return fitting[-1] if fitting else renditions[0]
