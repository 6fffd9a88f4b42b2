"""Sources as the probe describes them, for tests of plans."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from media_pipeline.sources.colour import Colour
from media_pipeline.sources.source import AudioTrack, Source, SubtitleTrack

SOUND = AudioTrack(index=1, codec="aac", channels=2, language="und", title="", is_default=True)
FILM = Source(
    container="mov",
    codec="h264",
    video_index=0,
    width=1920,
    height=1080,
    rotation=0,
    turn=(),
    stored_size=(1920, 1080),
    pixel_shape=Fraction(1),
    source_rate=Fraction(25),
    frame_rate=Fraction(25),
    is_variable_rate=False,
    start_s=Fraction(0),
    duration_s=Fraction(10),
    declared_s=Fraction(10),
    frames=250,
    is_interlaced=False,
    pixels="yuv420p",
    colour=Colour(),
    audio=(SOUND,),
    subtitles=(),
)


def film(**changes: Any) -> Source:
    """Ten seconds of 1080p with stereo sound, with the changes that the test is about."""
    return replace(FILM, **changes)


def sound(index: int, **changes: Any) -> AudioTrack:
    return replace(SOUND, **{"index": index, "is_default": False, **changes})


def subtitles(index: int, language: str = "en", **changes: Any) -> SubtitleTrack:
    plain = SubtitleTrack(index, "subrip", language, title="", is_default=False, is_forced=False)
    return replace(plain, **changes)
