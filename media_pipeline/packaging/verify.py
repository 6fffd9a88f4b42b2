"""Reads a packaged version back before it is published: what the playlists promise must be in the files."""

from fractions import Fraction
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed
from media_pipeline.mp4 import boxes
from media_pipeline.packaging import playlists
from media_pipeline.packaging.package import Package
from media_pipeline.packaging.soundtrack import AAC_FRAME
from media_pipeline.planning.plan import AUDIO_RATE

# Playlists round durations to microseconds; this allows ten of them for each segment.
PLAYLIST_ROUNDING_S = Fraction(1, 100_000)
SOUND_FRAME_S = Fraction(AAC_FRAME, AUDIO_RATE)


def verify_version(out: Path, packaged: Package) -> None:
    """Raises EncoderFailed when a name, a byte range, a duration or a cut is not as the playlists say."""
    try:
        for name in playlists.uris((out / layout.MASTER).read_text()):
            if not (out / name).is_file():
                raise ValueError(f"the master playlist names {name}, which is not there")
        cuts = {verify_playlist(out, layout.playlist_file(video.name)) for video in packaged.videos}
        if len(cuts) != 1:
            raise ValueError("the rungs do not cut at the same instants")
        rounding_s = len(packaged.videos[0].segments) * PLAYLIST_ROUNDING_S
        if abs(sum(cuts.pop(), Fraction()) - packaged.duration_s) > rounding_s:
            raise ValueError("the playlists do not last as long as the picture")
        for audio in packaged.audios:
            verify_sound(out, layout.audio_playlist_file(audio.key), packaged)
        for video in packaged.videos:
            verify_iframes(out, layout.iframes_file(video.name))
    except (ValueError, OSError) as error:
        raise EncoderFailed(detail=f"the finished version is not sound: {error}") from error


def verify_playlist(out: Path, name: str) -> tuple[Fraction, ...]:
    """The durations in a media playlist. Raises ValueError unless each of its ranges is one whole fragment."""
    text = (out / name).read_text()
    segments = playlists.parse_segments(text)
    for file in set(playlists.uris(text)):
        if not (out / file).is_file():
            raise ValueError(f"{name} names {file}, which is not there")
    if not segments:
        raise ValueError(f"{name} lists nothing")
    fragments = fragment_ranges(out / segments[0][0])
    for _, segment in segments:
        if (segment.offset, segment.size) not in fragments:
            raise ValueError(f"{name}: {segment.size}@{segment.offset} is not a fragment")
    return tuple(segment.duration_s for _, segment in segments)


def verify_sound(out: Path, name: str, packaged: Package) -> None:
    """Raises ValueError unless the sound ends with the picture."""
    # Sound and picture each end with a whole frame of their own.
    slack_s = 3 * SOUND_FRAME_S + 2 / packaged.videos[0].frame_rate
    difference_s = sum(verify_playlist(out, name), Fraction()) - packaged.duration_s
    if abs(difference_s) > slack_s:
        raise ValueError(f"{name} is {float(difference_s):.3f} s longer than the picture")


def fragment_ranges(path: Path) -> set[tuple[int, int]]:
    """(offset, size) of every moof together with the mdat behind it."""
    ranges = set()
    moof: tuple[int, int] | None = None
    with path.open("rb") as file:
        for kind, offset, _, size in boxes.top_level(file, path.stat().st_size):
            if kind == b"mdat" and moof:
                ranges.add((moof[0], moof[1] + size))
            moof = (offset, size) if kind == b"moof" else None
    return ranges


def verify_iframes(out: Path, name: str) -> None:
    """Raises ValueError unless every range lies within its file."""
    for file, segment in playlists.parse_segments((out / name).read_text()):
        if segment.offset + segment.size > (out / file).stat().st_size or segment.size <= 0:
            raise ValueError(f"{name} reaches past the end of {file}")
