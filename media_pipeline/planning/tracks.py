"""The soundtracks and captions of a version, and their names; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from media_pipeline.sources.languages import language_name
from media_pipeline.sources.source import AudioTrack, Source, SubtitleTrack

# Each soundtrack costs an encoder. Films that are watched for their languages have fewer.
MAX_SOUNDTRACKS = 12
# Each language of captions costs a file and a line in a menu.
MAX_CAPTIONS = 32


@dataclass(frozen=True)
class AudioRendition:
    """One soundtrack of the version. `key` is part of its files' names, and empty for the main one, which lies in the
    rungs' files."""

    track: AudioTrack
    key: str
    name: str  # in the player's menu, unlike every other soundtrack's

    @property
    def is_main(self) -> bool:
        return not self.key


@dataclass(frozen=True)
class CaptionTrack:
    """Subtitles of the source that become captions, one for each language."""

    index: int
    language: str
    label: str


def plan_audio(source: Source) -> tuple[AudioRendition, ...]:
    """The main track first, then the others in the file's order."""
    main = source.main_audio
    if main is None:
        return ()
    others = [track for track in source.audio if track != main]
    chosen = [main, *others][:MAX_SOUNDTRACKS]
    names = distinct_names([audio_name(track, number) for number, track in enumerate(chosen)], " ")
    keys = ["", *distinct_names([track.language for track in chosen[1:]], "_")]
    return tuple(AudioRendition(*fields) for fields in zip(chosen, keys, names, strict=True))


def audio_name(track: AudioTrack, number: int) -> str:
    language = language_name(track.language)
    if track.title and language and language.lower() not in track.title.lower():
        return f"{language} ({track.title})"
    return track.title or language or (f"Track {number + 1}" if number else "Original")


def distinct_names(names: Iterable[str], separator: str) -> list[str]:
    """The names, each made different from all before it: the second `de` becomes `de_2`."""
    result: list[str] = []
    for name in names:
        distinct, number = name, 1
        while distinct in result:
            number += 1
            distinct = f"{name}{separator}{number}"
        result.append(distinct)
    return result


def plan_captions(subtitles: Iterable[SubtitleTrack]) -> tuple[CaptionTrack, ...]:
    """The subtitles that become captions: text only, one track for each language, in the file's order.

    Of one language, complete subtitles are taken before forced ones, then the default track before the others.
    """
    chosen: dict[str, CaptionTrack] = {}
    for track in sorted(subtitles, key=lambda track: (track.is_forced, not track.is_default, track.index)):
        if track.is_text and track.language not in chosen and len(chosen) < MAX_CAPTIONS:
            label = language_name(track.language) or track.title or "Captions"
            chosen[track.language] = CaptionTrack(track.index, track.language, label)
    return tuple(sorted(chosen.values(), key=lambda caption: caption.index))
