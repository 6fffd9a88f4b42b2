"""Builders of videos in any state; every field has a default, so that a test names only those that matter."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from content_app.models import Caption, Category, Rendition, Video
from content_app.states import State
from media_pipeline import layout
from media_pipeline.ffmpeg.locate import find_ffmpeg
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
    version = fields.pop("version", "v1")
    is_made = {"state": State.READY, "progress": 100, "version": version, "duration_s": 30.0}
    shows = {"poster": f"{version}/poster.jpg", "poster_choices": 3, "has_storyboard": True}
    shows |= {"has_small_poster": True, "has_small_choices": True}
    shows |= {"played_original": fields.get("accepted_original", "")}
    video = make_video(owner, **{**is_made, **shows, **fields})
    Rendition.objects.bulk_create(make_rendition(video, rung) for rung in rungs)
    return video


def make_rendition(video: Video, rung: str, **fields: Any) -> Rendition:
    """Returns an unsaved rendition."""
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
    """Puts a version's files into the store: `store_objects(video, master_m3u8=b"…")`. Returns their folder."""
    folder = Path(settings.MEDIA_ROOT, video.key_prefix)
    folder.mkdir(parents=True)
    contents = {"master_m3u8": MASTER.encode(), "poster_jpg": b"a picture", "720p_mp4": b"a film", **objects}
    for name, content in contents.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_bytes(content)
    return folder


def make_caption(video: Video, language: str = "de", **fields: Any) -> Caption:
    """A caption that came with the version, unless the test says otherwise; its objects are not in the store."""
    defaults = {"label": "Deutsch", "folder": video.version, "is_uploaded": False}
    return Caption.objects.create(video=video, language=language, **{**defaults, **fields})


def make_category(name: str, **fields: Any) -> Category:
    return Category.objects.create(name=name, **fields)


def make_picture(size: str = "64x48", *, kind: str = "png") -> bytes:
    """Returns a real grey picture."""
    codec = {"png": "png", "jpeg": "mjpeg", "webp": "libwebp", "gif": "gif"}[kind]
    source = f"color=gray:size={size}:rate=1:duration=1,format={'yuvj420p' if kind == 'jpeg' else 'rgb24'}"
    command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1", "-c:v", codec]
    container = "gif" if kind == "gif" else "image2pipe"
    return subprocess.run([*command, "-f", container, "-"], check=True, capture_output=True, timeout=60).stdout


def make_upload(name: str = "holiday.mp4", content: bytes = b"not really a film") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="video/mp4")


def original_files() -> list[Path]:
    """Returns the files in the store of originals."""
    return [path for path in Path(settings.MEDIA_ROOT, layout.originals_prefix("")).rglob("*") if path.is_file()]
