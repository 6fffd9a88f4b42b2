"""Captions that people add to a film. What the file itself brings along comes with each version."""

from fractions import Fraction
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from background.refusals import Kind
from content_app.models import Caption, Video
from content_app.queries import published_captions
from content_app.rules import MEGABYTE, too_large_sentence
from content_app.services.additions import folders
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import Upload
from content_app.services.storage.brief_folders import brief_folder
from media_pipeline import layout
from media_pipeline.packaging import playlists
from media_pipeline.packaging.captions import BadCaptions, Cue, decode_captions, parse_captions, webvtt
from media_pipeline.sources.languages import canonical_tag, tag_name

MOST_MB = 2
MOST_LANGUAGES = 50
LONGEST_LABEL = 60


def list_captions(*, video: Video) -> QuerySet[Caption]:
    """What the player's menu offers, in its order."""
    return published_captions(video)


def read_upload(upload: Upload) -> str:
    """The text of a file, whatever it is written in. Raises AdditionRefused."""
    if (upload.size or 0) > MOST_MB * MEGABYTE:
        raise AdditionRefused(too_large_sentence(MOST_MB), code="too_large", kind=Kind.TOO_LARGE)
    return decode_captions(upload.read())


def add_captions(*, video_id: int, language: str, label: str, text: str) -> Caption:
    """In place of those in the same language. Raises AdditionRefused, Http404 or StorageUnavailable."""
    tag = parse_tag(language)
    cues = parse(text)
    video = folders.published(video_id)
    with brief_folder() as work:
        folder = folders.store_addition(video=video, files=write_files(work, video, tag, cues))
    with transaction.atomic():
        caption = _point_at(video_id, tag, parse_label(label) or tag_name(tag) or "Captions", folder)
        folders.keep_addition(video=video, folder=folder)
    return caption


def remove_captions(*, video_id: int, language: str) -> None:
    """Raises Http404. What the file itself brought along comes back when the film is processed again."""
    with transaction.atomic():
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        caption = get_object_or_404(Caption, video=video, language=canonical_tag(language))
        caption.delete()
        if caption.is_uploaded:
            folders.let_go_of_addition(video=video, folder=caption.folder)


def parse_tag(language: str) -> str:
    tag = canonical_tag(language)
    if tag is None:
        raise AdditionRefused("Name the language by its BCP 47 tag, such as de or pt-BR.", code="bad_language")
    return tag


def parse_label(label: str) -> str:
    """One printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in label).split())[:LONGEST_LABEL].strip()


def parse(text: str) -> tuple[Cue, ...]:
    try:
        return parse_captions(text)
    except BadCaptions as error:
        raise AdditionRefused(error.sentence, code="not_captions") from error


def write_files(work: Path, video: Video, tag: str, cues: tuple[Cue, ...]) -> list[Path]:
    captions, playlist = work / layout.captions_file(tag), work / layout.captions_playlist_file(tag)
    captions.write_text(webvtt(cues), encoding="utf-8")
    duration_s = Fraction(video.duration_s or 0).limit_denominator(1000)
    playlist.write_text(playlists.captions_playlist(captions.name, duration_s), encoding="utf-8")
    return [captions, playlist]


def _point_at(video_id: int, tag: str, label: str, folder: str) -> Caption:
    """Within a transaction, one at a time for each video."""
    video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
    replaced = Caption.objects.filter(video=video, language=tag).first()
    if replaced is None and Caption.objects.filter(video=video).count() >= MOST_LANGUAGES:
        raise AdditionRefused(f"A video has captions in at most {MOST_LANGUAGES} languages.", code="too_many")
    if replaced and replaced.is_uploaded:
        folders.let_go_of_addition(video=video, folder=replaced.folder)
    what = {"label": label, "folder": folder, "is_uploaded": True}
    return Caption.objects.update_or_create(video=video, language=tag, defaults=what)[0]
