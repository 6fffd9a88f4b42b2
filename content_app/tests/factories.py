"""Builders of videos in any state; every field has a default, so that a test names only those that matter."""

import subprocess
import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from content_app.models import Caption, Category, Rendition, Run, Version, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Published
from content_app.states import LIVE_RUNS, RunState, State
from media_pipeline import layout
from media_pipeline.errors import NotAVideo
from media_pipeline.ffmpeg.locate import find_ffmpeg
from users_app.models import User

RUN_FIELDS = frozenset(
    {
        *("original", "etag", "name", "report", "settings", "verdict"),
        *("queued_at", "progress", "time_left_s", "estimate_s"),
        *("error_code", "error_message", "error_is_final", "ended_at", "work_pixels", "work_s"),
        *("lease_token", "free_at", "attempts"),
    }
)
VERSION_FIELDS = frozenset(
    {
        *("duration_s", "width", "height", "size_bytes", "poster_choices"),
        *("has_small_choices", "has_storyboard", "has_manifest"),
    }
)
RUN_STATES = {
    State.PENDING: RunState.WAITING,
    State.PROCESSING: RunState.RUNNING,
    State.READY: RunState.DONE,
    State.ERROR: RunState.FAILED,
}
MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="und",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="audio"
360p.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="iframes_360p.m3u8"
"""


def make_video(owner: User, **fields: Any) -> Video:
    """A video without a file. For any `state` but `uploading` it has a run, which takes the fields of a run."""
    of_run = {name: fields.pop(name) for name in RUN_FIELDS & fields.keys()}
    state = fields.pop("state", State.UPLOADING)
    video = Video.objects.create(owner=owner, **{"title": "Big Buck Bunny", **fields})
    if state != State.UPLOADING:
        run = make_run(video, RUN_STATES[state], **of_run)
        Video.objects.filter(pk=video.pk).update(state=state, run=run)
        video.refresh_from_db()
    return video


def make_run(video: Video, state: RunState = RunState.WAITING, **fields: Any) -> Run:
    """A run of this video's original; a running one is leased for a minute."""
    now = timezone.now()
    defaults: dict[str, Any] = {"original": f"originals/{video.public_id}/film.mp4", "name": "film.mp4"}
    if state == RunState.RUNNING:
        defaults |= {"lease_token": uuid.uuid4(), "free_at": now + timedelta(minutes=1), "attempts": 1}
    if state not in LIVE_RUNS:
        defaults |= {"ended_at": now}
    if state == RunState.FAILED:
        defaults |= {"error_code": "encoder_failed", "error_message": "The video could not be processed."}
    if state == RunState.DONE:
        defaults |= {"progress": 100, "folder": "v1"}
    return Run.objects.create(video=video, state=state, **{**defaults, **fields})


def make_playable(owner: User, *, rungs: Iterable[str] = ("360p", "720p"), **fields: Any) -> Video:
    """A video with a published version in the folder `v1`; its objects are not in the store."""
    folder = fields.pop("folder", "v1")
    of_run = {name: fields.pop(name) for name in RUN_FIELDS & fields.keys()}
    of_version = {name: fields.pop(name) for name in VERSION_FIELDS & fields.keys()}
    state = fields.pop("state", State.READY)
    shows = {"poster": f"{folder}/poster.jpg", "has_small_poster": True}
    video = make_video(owner, **{**shows, **fields})
    run = make_run(video, RunState.DONE, folder=folder, **({} if state != State.READY else of_run))
    facts = {"duration_s": 30.0, "poster_choices": 3, "has_small_choices": True, "has_storyboard": True}
    version = Version.objects.create(video=video, run=run, folder=folder, **{**facts, **of_version})
    Rendition.objects.bulk_create(make_rendition(version, rung) for rung in rungs)
    newest = run if state == State.READY else make_run(video, RUN_STATES[state], **of_run)
    Video.objects.filter(pk=video.pk).update(
        state=state, version=version, run=newest, video_file=run.original, original_name=run.name
    )
    video.refresh_from_db()
    return video


def make_in_state(owner: User, state: State, **fields: Any) -> Video:
    """A video in this state; a ready one has a version."""
    return make_playable(owner, **fields) if state == State.READY else make_video(owner, state=state, **fields)


def publish_version(video: Video, folder: str = "v1", **fields: Any) -> Version:
    """A worker ends the live run of this video with a version, or else processes the same original once more."""
    live = Run.objects.filter(video=video, state__in=LIVE_RUNS)
    if not live.exists():
        assert lifecycle.retry(video_id=video.pk)
    run = live.filter(state=RunState.RUNNING).first() or lifecycle.claim(video_id=video.pk)
    assert run
    version = Version(folder=folder, **fields)
    lifecycle.mark_ready(run=run, published=Published(version, [], []))
    return version


def refuse_candidate(video: Video, **fields: Any) -> Run:
    """Notes that another file for this video was refused."""
    failed = {"original": "", "name": "other.mov", "error_code": "not_a_video", "error_message": NotAVideo.sentence}
    run = make_run(video, RunState.FAILED, **{**failed, **fields})
    Video.objects.filter(pk=video.pk).update(refusal=run)
    return run


def make_rendition(version: Version | None, rung: str, **fields: Any) -> Rendition:
    """Returns an unsaved rendition."""
    short_side = int(rung.removesuffix("p"))
    defaults = {
        "width": short_side * 16 // 9,
        "height": short_side,
        "frame_rate": "24",
        "codecs": "avc1.64001f",
        "peak_bps": 2,
        "average_bps": 1,
        "size_bytes": 3,
        "frames": 720,
    }
    return Rendition(version=version, name=rung, **{**defaults, **fields})


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
    defaults = {"label": "Deutsch", "folder": video.folder, "is_uploaded": False}
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
