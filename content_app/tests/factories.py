"""Builders of videos in any condition; every field has a default that a test names only when it matters."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from content_app.models import Category, Rendition, Video
from content_app.states import State
from media_pipeline import layout
from users_app.models import User

MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="und",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="audio"
360p.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="iframes_360p.m3u8"
"""


def make_video(owner: User, **fields: Any) -> Video:
    """A video without a file."""
    return Video.objects.create(owner=owner, **{"title": "Big Buck Bunny", **fields})


def make_playable(owner: User, *, rungs: Iterable[str] = ("360p", "720p"), **fields: Any) -> Video:
    """A video with a published version; its objects are not in the store."""
    video = make_video(owner, **{"state": State.READY, "progress": 100, "version": "v1", "duration_s": 30.0, **fields})
    Rendition.objects.bulk_create(make_rendition(video, rung) for rung in rungs)
    return video


def make_rendition(video: Video, rung: str, **fields: Any) -> Rendition:
    """Not saved."""
    short_side = int(rung.removesuffix("p"))
    defaults = {
        "version": video.version,
        "width": short_side * 16 // 9,
        "height": short_side,
        "frame_rate": "24",
        "codecs": "avc1.64001f",
        "peak_bps": 2,
        "average_bps": 1,
        "size_bytes": 3,
        "frames": 720,
    }
    return Rendition(video=video, name=rung, **{**defaults, **fields})


def store_objects(video: Video, **objects: bytes) -> Path:
    """Puts a version's files into the store: `store_objects(video, master_m3u8=b"…")`; the folder they are in."""
    folder = Path(settings.MEDIA_ROOT, video.key_prefix)
    folder.mkdir(parents=True)
    contents = {"master_m3u8": MASTER.encode(), "poster_jpg": b"a picture", "720p_mp4": b"a film", **objects}
    for name, content in contents.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_bytes(content)
    return folder


def make_category(name: str, **fields: Any) -> Category:
    return Category.objects.create(name=name, **fields)


def make_upload(name: str = "holiday.mp4", content: bytes = b"not really a film") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="video/mp4")


def original_files() -> list[Path]:
    """What lies in the store of originals."""
    return [path for path in Path(settings.MEDIA_ROOT, layout.originals_prefix("")).rglob("*") if path.is_file()]
