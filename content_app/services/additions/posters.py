"""The poster of a film: a candidate frame of the published version, or an uploaded picture."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from background.refusals import Kind
from content_app.input_rules import MEGABYTE, too_large_sentence
from content_app.models import Video
from content_app.services.additions import folders
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import Upload
from content_app.services.playback import delivery
from content_app.services.processing import lifecycle
from content_app.services.storage.brief_folders import brief_folder
from media_pipeline import layout
from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.pictures.repaint import NotAPicture, make_poster

MAX_MB = 15
MAX_BYTES = MAX_MB * MEGABYTE
# Decoding a picture may take a quarter of a gigabyte of memory, and a web server has many threads.
DECODING = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Candidate:
    """A frame that can become the poster; number 1 is the best. Both addresses are signed paths."""

    number: int
    url: str
    small_url: str
    is_current: bool


def candidates(video: Video) -> list[Candidate]:
    choices: list[Candidate] = []
    version = video.version
    if version is None:
        return choices
    for number in range(1, version.poster_choices + 1):
        file = layout.poster_file(number)
        small = layout.small_poster_file(file) if version.has_small_choices else file
        urls = delivery.media_path(video, file), delivery.media_path(video, small)
        choices.append(Candidate(number, *urls, is_current=video.poster == candidate_poster(video, number)))
    return choices


def is_uploaded(video: Video) -> bool:
    """True when the poster is an uploaded picture rather than a candidate of the published version."""
    return bool(video.poster) and not video.poster.startswith(f"{video.folder}/")


def choose(*, video_id: int, number: int) -> None:
    """Makes this candidate the poster. Raises AdditionRefused, or Http404 when the video was deleted."""
    _switch(video_id, lambda video: candidate_poster(video, number))


def reset(*, video_id: int) -> None:
    """Makes the best candidate the poster. Raises AdditionRefused or Http404."""
    choose(video_id=video_id, number=1)


def upload(*, video_id: int, upload: Upload) -> None:
    """Makes an uploaded picture the poster. Raises AdditionRefused, Http404 or StorageUnavailable."""
    if (upload.size or 0) > MAX_BYTES:
        raise AdditionRefused(too_large_sentence(MAX_MB), code="too_large", kind=Kind.TOO_LARGE)
    with brief_folder() as work:
        source = work / "upload"
        with source.open("wb") as file:
            file.writelines(upload.chunks())
        use_file(video_id=video_id, path=source)


def use_file(*, video_id: int, path: Path) -> None:
    """Makes the picture at `path` the poster, as `upload` does. Writes a folder beside it."""
    video = folders.published(video_id)
    folder = folders.store_addition(video=video, files=repaint(path))
    with transaction.atomic():
        _switch(video_id, lambda video: f"{folder}/{layout.POSTER}")
        folders.keep_addition(video=video, folder=folder)


def candidate_poster(video: Video, number: int) -> str:
    """Returns the value of Video.poster for this candidate. Raises AdditionRefused when there is none."""
    choices = video.version.poster_choices if video.version else 0
    if not 1 <= number <= choices:
        sentence = f"This video has {choices} pictures to choose from, counted from 1."
        raise AdditionRefused(sentence, code="no_such_candidate")
    return f"{video.folder}/{layout.poster_file(number)}"


def repaint(source: Path) -> tuple[Path, Path]:
    """Decodes the picture and encodes it anew as JPEG, large and small, in a folder beside it.

    Uploaded bytes are never served as they came. Raises AdditionRefused.
    """
    folder = source.with_name("repainted")
    folder.mkdir()
    try:
        with DECODING:
            return make_poster(find_ffmpeg(settings.FFMPEG_BIN), source, folder)
    except NotAPicture as error:
        raise AdditionRefused(error.sentence, code=error.code) from error


def _switch(video_id: int, poster_of: Callable[[Video], str]) -> None:
    """Switches to the poster that `poster_of` names, and discards an uploaded poster that it replaces."""
    is_switched = False
    # Tried again when another request, or a new version, changed the poster in between: the later request wins.
    while not is_switched:
        video = folders.published(video_id)
        poster = poster_of(video)
        with transaction.atomic():
            is_switched = lifecycle.switch_poster(video=video, poster=poster)
            if is_switched and is_uploaded(video) and poster != video.poster:
                folders.discard_addition(video=video, folder=video.poster.partition("/")[0])
