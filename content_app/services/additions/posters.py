"""Which picture stands for a film: a candidate of the version that plays, or one that somebody has uploaded."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from background.refusals import Kind
from content_app.models import Video
from content_app.rules import MEGABYTE, too_large_sentence
from content_app.services.additions import folders
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import Upload
from content_app.services.playback import delivery
from content_app.services.processing import lifecycle
from content_app.services.storage.brief_folders import brief_folder
from media_pipeline import layout
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.pictures.repaint import NotAPicture, make_poster

MOST_MB = 15
MOST_BYTES = MOST_MB * MEGABYTE
# A picture may need a quarter of a gigabyte while it is opened, and a web server has many threads.
TURNSTILE = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Candidate:
    """One of the frames to choose from; 1 is the best. Both addresses are signed paths."""

    number: int
    url: str
    small_url: str
    is_current: bool


def candidates(video: Video) -> list[Candidate]:
    return [candidate(video, number) for number in range(1, video.poster_choices + 1)]


def candidate(video: Video, number: int) -> Candidate:
    file = layout.poster_file(number)
    small = layout.small_poster_file(file) if video.has_small_choices else file
    is_current = video.poster == candidate_of(video, number)
    return Candidate(number, delivery.media_path(video, file), delivery.media_path(video, small), is_current)


def is_uploaded(video: Video) -> bool:
    """Rather than taken from the version that plays."""
    return bool(video.poster) and not video.poster.startswith(f"{video.version}/")


def choose(*, video_id: int, number: int) -> None:
    """Raises AdditionRefused, or Http404 when the video was deleted."""
    _show(video_id, lambda video: candidate_of(video, number))


def reset(*, video_id: int) -> None:
    """Back to the best candidate. Raises AdditionRefused or Http404."""
    choose(video_id=video_id, number=1)


def upload(*, video_id: int, upload: Upload) -> None:
    """Raises AdditionRefused (its code says of what kind), Http404 or StorageUnavailable."""
    if (upload.size or 0) > MOST_BYTES:
        raise AdditionRefused(too_large_sentence(MOST_MB), code="too_large", kind=Kind.TOO_LARGE)
    with brief_folder() as work:
        source = work / "upload"
        with source.open("wb") as file:
            file.writelines(upload.chunks())
        use_file(video_id=video_id, path=source)


def use_file(*, video_id: int, path: Path) -> None:
    """Likewise, of a file in a folder where there may be others."""
    video = folders.published(video_id)
    folder = folders.store_addition(video=video, files=repaint(path))
    with transaction.atomic():
        _show(video_id, lambda video: f"{folder}/{layout.POSTER}")
        folders.keep_addition(video=video, folder=folder)


def candidate_of(video: Video, number: int) -> str:
    if not 1 <= number <= video.poster_choices:
        sentence = f"This video has {video.poster_choices} pictures to choose from, counted from 1."
        raise AdditionRefused(sentence, code="no_such_candidate")
    return f"{video.version}/{layout.poster_file(number)}"


def repaint(source: Path) -> tuple[Path, Path]:
    """What was uploaded as JPEGs of our own making, large and small, in a folder beside it."""
    folder = source.with_name("repainted")
    folder.mkdir()
    try:
        with TURNSTILE:
            return make_poster(find_ffmpeg(settings.FFMPEG_BIN), source, folder)
    except NotAPicture as error:
        raise AdditionRefused(error.sentence, code=error.code) from error


def _show(video_id: int, poster_of: Callable[[Video], str]) -> None:
    """Again when somebody else, or a new version, came in between: the later one counts."""
    is_shown = False
    while not is_shown:
        video = folders.published(video_id)
        poster = poster_of(video)
        with transaction.atomic():
            is_shown = lifecycle.switch_poster(video=video, poster=poster)
            if is_shown and is_uploaded(video) and poster != video.poster:
                folders.let_go_of_addition(video=video, folder=video.poster.partition("/")[0])
