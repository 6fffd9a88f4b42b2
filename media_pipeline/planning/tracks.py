"""Which soundtracks and captions a version has, and what they are called; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media_pipeline.sources.languages import UNDETERMINED, language_name
from media_pipeline.sources.source import AudioTrack, Source, SubtitleTrack

# Each soundtrack is an encode of its own; more than this no film has that is watched for its languages.
MAX_SOUNDTRACKS = 12
MAX_CAPTIONS = 32


@dataclass(frozen=True)
class AudioRendition:
    """One soundtrack of the version. `key` is part of its files' names; the main one has none: it lies in the rungs."""

    track: AudioTrack
    key: str
    name: str  # in the player's menu, unlike all others

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
    names = numbered([audio_name(track, number) for number, track in enumerate(chosen)], " ")
    keys = ["", *numbered([track.language for track in chosen[1:]], "_")]
    return tuple(AudioRendition(*fields) for fields in zip(chosen, keys, names, strict=True))


def audio_name(track: AudioTrack, number: int) -> str:
    language = language_name(track.language)
    if track.title and language and language.lower() not in track.title.lower():
        return f"{language} ({track.title})"
    return track.title or language or (f"Track {number + 1}" if number else "Original")


def numbered(names: Sequence[str], separator: str) -> list[str]:
    """Every name different: the second `de` becomes `de_2`."""
    result: list[str] = []
    for name in names:
        unlike, number = name, 1
        while unlike in result:
            number += 1
            unlike = f"{name}{separator}{number}"
        result.append(unlike)
    return result


def plan_captions(subtitles: Iterable[SubtitleTrack]) -> tuple[CaptionTrack, ...]:
    """Text of a known language, one track each: a whole one before a forced one, the default one before others."""
    chosen: dict[str, CaptionTrack] = {}
    for track in sorted(subtitles, key=lambda track: (track.is_forced, not track.is_default, track.index)):
        if track.is_text and track.language not in chosen and len(chosen) < MAX_CAPTIONS:
            chosen[track.language] = CaptionTrack(track.index, track.language, caption_label(track))
    return tuple(sorted(chosen.values(), key=lambda caption: caption.index))


def caption_label(track: SubtitleTrack) -> str:
    if track.language == UNDETERMINED:
        return track.title or "Captions"
    return language_name(track.language)
