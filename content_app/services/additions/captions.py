"""Captions that users upload for a published film. Captions in the film's own file come with each version."""

from fractions import Fraction
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from background.refusals import Kind
from content_app.input_rules import MEGABYTE, too_large_sentence
from content_app.models import MAX_LABEL_LENGTH, Caption, Video
from content_app.queries import published_captions
from content_app.services.additions import folders
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue.videos import Upload
from content_app.services.storage.brief_folders import brief_folder
from media_pipeline import layout
from media_pipeline.packaging import playlists
from media_pipeline.packaging.caption_files import BadCaptions, Cue, decode_captions, parse_captions, webvtt
from media_pipeline.sources.languages import canonical_tag, tag_name

MAX_MB = 2
MAX_LANGUAGES = 50


def list_captions(*, video: Video) -> QuerySet[Caption]:
    """Returns the captions in the order of the player's menu."""
    return published_captions(video)


def read_upload(upload: Upload) -> str:
    """Returns the text of a file in any common encoding. Raises AdditionRefused when the file is too large."""
    if (upload.size or 0) > MAX_MB * MEGABYTE:
        raise AdditionRefused(too_large_sentence(MAX_MB), code="too_large", kind=Kind.TOO_LARGE)
    return decode_captions(upload.read())


def add_captions(*, video_id: int, language: str, label: str, text: str) -> Caption:
    """Adds captions, in place of any in the same language. Raises AdditionRefused, Http404 or StorageUnavailable."""
    tag = canonical_tag(language)
    if tag is None:
        raise AdditionRefused("Name the language by its BCP 47 tag, such as de or pt-BR.", code="bad_language")
    try:
        cues = parse_captions(text)
    except BadCaptions as error:
        raise AdditionRefused(error.sentence, code="not_captions") from error
    video = folders.published(video_id)
    with brief_folder() as work:
        folder = folders.store_addition(video=video, files=write_files(work, video, tag, cues))
    with transaction.atomic():
        # Locked, so that two requests for the same video count its languages one after the other.
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        replaced = Caption.objects.filter(video=video, language=tag).first()
        if replaced is None and Caption.objects.filter(video=video).count() >= MAX_LANGUAGES:
            raise AdditionRefused(f"A video has captions in at most {MAX_LANGUAGES} languages.", code="too_many")
        if replaced and replaced.is_uploaded:
            folders.discard_addition(video=video, folder=replaced.folder)
        # A menu shows one printable line.
        words = "".join(c if c.isprintable() else " " for c in label).split()
        shown_label = " ".join(words)[:MAX_LABEL_LENGTH].strip() or tag_name(tag) or "Captions"
        fields = {"label": shown_label, "folder": folder, "is_uploaded": True}
        caption, _ = Caption.objects.update_or_create(video=video, language=tag, defaults=fields)
        folders.keep_addition(video=video, folder=folder)
    return caption


def remove_captions(*, video_id: int, language: str) -> None:
    """Removes captions. Those from the film's own file return when it is processed again. Raises Http404."""
    with transaction.atomic():
        video = get_object_or_404(Video.objects.select_for_update(), pk=video_id, deleted_at=None)
        caption = get_object_or_404(Caption, video=video, language=canonical_tag(language))
        caption.delete()
        if caption.is_uploaded:
            folders.discard_addition(video=video, folder=caption.folder)


def write_files(work: Path, video: Video, tag: str, cues: tuple[Cue, ...]) -> list[Path]:
    captions, playlist = work / layout.captions_file(tag), work / layout.captions_playlist_file(tag)
    captions.write_text(webvtt(cues), encoding="utf-8")
    duration_s = Fraction((video.version and video.version.duration_s) or 0).limit_denominator(1000)
    playlist.write_text(playlists.captions_playlist(captions.name, duration_s), encoding="utf-8")
    return [captions, playlist]
