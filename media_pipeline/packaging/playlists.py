"""HLS playlists (RFC 8216bis): written for what was packaged, and read again; pure."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from media_pipeline import layout
from media_pipeline.sources.languages import UNDETERMINED

# EXT-X-MAP, which every media playlist here has, needs version 6 or newer (RFC 8216, 7).
VERSION = 7
AUDIO_GROUP = "audio"
CAPTIONS_GROUP = "captions"


@dataclass(frozen=True)
class Segment:
    """A byte range of a file and the seconds it plays. Its first `iframe_bytes` end with the first frame."""

    offset: int
    size: int
    duration_s: Fraction
    iframe_bytes: int = 0


@dataclass(frozen=True)
class VideoVariant:
    """One rung."""

    name: str
    width: int
    height: int
    frame_rate: Fraction
    codec: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class AudioVariant:
    """A soundtrack: byte ranges of a rung's file for the main one (its key is empty), else of a file of its own."""

    key: str
    file: str
    language: str
    name: str
    codec: str
    segments: tuple[Segment, ...]
    channels: int = 2


@dataclass(frozen=True)
class CaptionVariant:
    """Captions in one language; `uri` is the address of their playlist."""

    language: str
    label: str
    uri: str


def media_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    """The playlist of segments that are byte ranges of one file."""
    lines = media_head(segments, init)
    for segment in segments:
        lines += [
            f"#EXTINF:{format_seconds(segment.duration_s)},",
            f"#EXT-X-BYTERANGE:{segment.size}@{segment.offset}",
            file,
        ]
    return join_lines([*lines, "#EXT-X-ENDLIST"])


def files_playlist(init: str, files: Sequence[str], segments: Sequence[Segment], *, is_independent: bool) -> str:
    """The playlist of segments that are files of their own."""
    lines = media_head(segments, init, is_independent=is_independent)
    for file, segment in zip(files, segments, strict=True):
        lines += [f"#EXTINF:{format_seconds(segment.duration_s)},", file]
    return join_lines([*lines, "#EXT-X-ENDLIST"])


def iframe_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    """The playlist of one picture for each segment, for fast seeking: its byte ranges end with the IDR frame."""
    lines = [*media_head(segments, init), "#EXT-X-I-FRAMES-ONLY"]
    for segment in segments:
        size = segment.iframe_bytes
        lines += [f"#EXTINF:{format_seconds(segment.duration_s)},", f"#EXT-X-BYTERANGE:{size}@{segment.offset}", file]
    return join_lines([*lines, "#EXT-X-ENDLIST"])


def media_head(segments: Sequence[Segment], init: str, *, is_independent: bool = True) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_duration(segments)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        # Each segment decodes without the ones before it: players may start and change the rung anywhere.
        *(["#EXT-X-INDEPENDENT-SEGMENTS"] if is_independent else []),
        f'#EXT-X-MAP:URI="{init}"',
    ]


def captions_playlist(file: str, duration_s: Fraction) -> str:
    """All captions of a film as one segment: they are a few kilobytes."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(duration_s))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{format_seconds(duration_s)},",
        file,
        "#EXT-X-ENDLIST",
    ]
    return join_lines(lines)


def master_playlist(videos: Sequence[VideoVariant], audios: Sequence[AudioVariant]) -> str:
    lines = variant_lines(videos, audios)
    return join_lines([*lines, *(iframe_line(video) for video in videos)])


def variant_lines(
    videos: Sequence[VideoVariant], audios: Sequence[AudioVariant], *, is_independent: bool = True
) -> list[str]:
    """The lines of a master playlist, without playlists of I-frames."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", *(["#EXT-X-INDEPENDENT-SEGMENTS"] if is_independent else [])]
    lines += [audio_line(audio) for audio in audios]
    for video in videos:
        lines += [stream_line(video, audios), layout.playlist_file(video.name)]
    return lines


def with_captions(master: str, captions: Sequence[CaptionVariant]) -> str:
    """The master playlist with these captions in every variant."""
    # The stored playlist stays as it was verified; captions may be added and removed while the version stays.
    if not captions:
        return master
    lines = []
    for line in master.splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            line += f',SUBTITLES="{CAPTIONS_GROUP}"'
        lines.append(line)
    first = next((n for n, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:")), len(lines))
    names = Counter(caption.label for caption in captions)
    tagged = [captions_line(caption, has_own_name=names[caption.label] == 1) for caption in captions]
    return join_lines([*lines[:first], *tagged, *lines[first:]])


def captions_line(caption: CaptionVariant, *, has_own_name: bool) -> str:
    # Names must be unique in their group (RFC 8216, 4.3.4.1.1); people may give two captions the same label.
    name = caption.label if has_own_name else f"{caption.label} ({caption.language})"
    return (
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{CAPTIONS_GROUP}",NAME="{quotable(name)}",'
        f'{language_attribute(caption.language)}DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="{caption.uri}"'
    )


def audio_line(audio: AudioVariant) -> str:
    default = "NO" if audio.key else "YES"
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="{quotable(audio.name)}",'
        f"{language_attribute(audio.language)}DEFAULT={default},AUTOSELECT=YES,"
        f'CHANNELS="{audio.channels}",URI="{layout.audio_playlist_file(audio.key)}"'
    )


def language_attribute(language: str) -> str:
    return f'LANGUAGE="{language}",' if language != UNDETERMINED else ""


def quotable(text: str) -> str:
    """The text without quotes and line breaks, which no attribute's value may have (RFC 8216, 4.2)."""
    return " ".join(text.replace('"', "'").split())


def stream_line(video: VideoVariant, audios: Sequence[AudioVariant]) -> str:
    peak, average = bandwidths(video, audios)
    codecs = f"{video.codec},{audios[0].codec}" if audios else video.codec
    group = f',AUDIO="{AUDIO_GROUP}"' if audios else ""
    return (
        f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}",'
        f"RESOLUTION={video.width}x{video.height},FRAME-RATE={float(video.frame_rate):.3f}{group}"
    )


def iframe_line(video: VideoVariant) -> str:
    pictures = tuple(Segment(s.offset, s.iframe_bytes, s.duration_s) for s in video.segments)
    peak, average = peak_bps(pictures), average_bps(pictures)
    return (
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{video.codec}",'
        f'RESOLUTION={video.width}x{video.height},URI="{layout.iframes_file(video.name)}"'
    )


def bandwidths(video: VideoVariant, audios: Sequence[AudioVariant]) -> tuple[int, int]:
    """Peak and average bits a second of the picture together with the largest soundtrack."""
    peak, average = peak_bps(video.segments), average_bps(video.segments)
    peak += max((peak_bps(audio.segments) for audio in audios), default=0)
    return peak, average + max((average_bps(audio.segments) for audio in audios), default=0)


def average_bps(segments: Sequence[Segment]) -> int:
    return bps(sum(s.size for s in segments), sum((s.duration_s for s in segments), Fraction()))


def peak_bps(segments: Sequence[Segment]) -> int:
    """The highest rate of any contiguous segments that last 0.5 to 1.5 target durations (RFC 8216bis, 4.4.6.2)."""
    target = target_duration(segments)
    sizes = [0, *accumulate(s.size for s in segments)]
    times = [Fraction(0), *accumulate(s.duration_s for s in segments)]
    rates = [average_bps(segments)]
    for first in range(len(segments)):
        last = first + 1
        while last <= len(segments) and 2 * (times[last] - times[first]) <= 3 * target:
            if 2 * (times[last] - times[first]) >= target:
                rates.append(bps(sizes[last] - sizes[first], times[last] - times[first]))
            last += 1
    return max(rates)


def bps(size: int, duration_s: Fraction) -> int:
    """Bits a second, rounded up: a player must not be promised less than it needs."""
    return -(-8 * size * duration_s.denominator // duration_s.numerator) if duration_s > 0 else 0


def target_duration(segments: Iterable[Segment]) -> int:
    """The longest duration, rounded to whole seconds (RFC 8216bis, 4.4.3.1), and at least 1."""
    return max([1, *(int(s.duration_s + Fraction(1, 2)) for s in segments)])


def format_seconds(duration_s: Fraction) -> str:
    return f"{float(duration_s):.6f}"


def join_lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# --- reading, to verify what was written and to sign what is answered ------------------------------------------------

URI_ATTRIBUTE = re.compile(r'URI="([^"]*)"')


def uris(playlist: str) -> list[str]:
    """Every URI that a playlist names, in order."""
    result = []
    for line in playlist.splitlines():
        if line.startswith("#"):
            result += URI_ATTRIBUTE.findall(line)
        elif line:
            result.append(line)
    return result


def in_folder(playlist: str, folder: str) -> str:
    """The playlist with `folder` before every URI, which must all be names of files beside it."""
    return with_uris(playlist, lambda uri: f"{folder}/{uri}")


def with_uris(playlist: str, change: Callable[[str], str]) -> str:
    """The playlist with every URI changed."""

    def change_line(line: str) -> str:
        if line.startswith("#"):
            return URI_ATTRIBUTE.sub(lambda match: f'URI="{change(match[1])}"', line)
        return f"{change(line.rstrip())}\n" if line.strip() else line

    return "".join(change_line(line) for line in playlist.splitlines(keepends=True))


def parse_segments(playlist: str) -> list[tuple[str, Segment]]:
    """(file, segment) for each segment of a media playlist. Raises ValueError for any other text."""
    if not playlist.startswith("#EXTM3U\n") or not playlist.endswith("#EXT-X-ENDLIST\n"):
        raise ValueError("not a complete playlist")
    segments = []
    duration = byte_range = None
    for line in playlist.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            duration = Fraction(value.rstrip(","))
        elif name == "#EXT-X-BYTERANGE":
            byte_range = value.partition("@")
        elif line and not line.startswith("#"):
            if duration is None or byte_range is None:
                raise ValueError(f"{line} has no duration or byte range")
            segments.append((line, Segment(int(byte_range[2]), int(byte_range[0]), duration)))
            duration = byte_range = None
    return segments
