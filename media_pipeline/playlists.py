"""HLS playlists (RFC 8216bis), written from what was packaged; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from media_pipeline import layout
from media_pipeline.source import UNDETERMINED

VERSION = 7
AUDIO_GROUP = "audio"


@dataclass(frozen=True)
class Segment:
    """A byte range of a file and the seconds it plays. `iframe_bytes` reaches to the end of its first picture."""

    offset: int
    size: int
    duration_s: Fraction
    iframe_bytes: int = 0


@dataclass(frozen=True)
class VideoVariant:
    """One rung as the playlists need it."""

    name: str
    width: int
    height: int
    frame_rate: Fraction
    codec: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class AudioVariant:
    """The sound: byte ranges of one rung's file."""

    file: str
    language: str
    codec: str
    segments: tuple[Segment, ...]


def media_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    lines = head(segments, init)
    for segment in segments:
        lines += [f"#EXTINF:{seconds(segment.duration_s)},", f"#EXT-X-BYTERANGE:{segment.size}@{segment.offset}", file]
    return finished([*lines, "#EXT-X-ENDLIST"])


def iframe_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    """One picture a segment, for fast seeking: the range ends with the IDR frame."""
    lines = [*head(segments, init), "#EXT-X-I-FRAMES-ONLY"]
    for segment in segments:
        size = segment.iframe_bytes
        lines += [f"#EXTINF:{seconds(segment.duration_s)},", f"#EXT-X-BYTERANGE:{size}@{segment.offset}", file]
    return finished([*lines, "#EXT-X-ENDLIST"])


def head(segments: Sequence[Segment], init: str) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_duration(segments)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{init}"',
    ]


def master_playlist(videos: Sequence[VideoVariant], audio: AudioVariant | None) -> str:
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if audio:
        lines.append(audio_line(audio))
    for video in videos:
        lines += [stream_line(video, audio), layout.playlist_file(video.name)]
    return finished([*lines, *(iframe_line(video) for video in videos)])


def audio_line(audio: AudioVariant) -> str:
    language = f'LANGUAGE="{audio.language}",' if audio.language != UNDETERMINED else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="Original",{language}'
        f'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="{layout.AUDIO_PLAYLIST}"'
    )


def stream_line(video: VideoVariant, audio: AudioVariant | None) -> str:
    peak, average = bandwidths(video, audio)
    codecs = f"{video.codec},{audio.codec}" if audio else video.codec
    group = f',AUDIO="{AUDIO_GROUP}"' if audio else ""
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


def bandwidths(video: VideoVariant, audio: AudioVariant | None) -> tuple[int, int]:
    """Peak and average bits a second of picture and sound together."""
    peak, average = peak_bps(video.segments), average_bps(video.segments)
    if audio:
        peak, average = peak + peak_bps(audio.segments), average + average_bps(audio.segments)
    return peak, average


def average_bps(segments: Sequence[Segment]) -> int:
    return bps(sum(s.size for s in segments), sum((s.duration_s for s in segments), Fraction()))


def peak_bps(segments: Sequence[Segment]) -> int:
    """The most that any run of segments needs which lasts 0.5 to 1.5 target durations (RFC 8216bis, 4.4.6.2)."""
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
    return -(-8 * size * duration_s.denominator // duration_s.numerator) if duration_s > 0 else 0


def target_duration(segments: Iterable[Segment]) -> int:
    return max([1, *(int(s.duration_s + Fraction(1, 2)) for s in segments)])


def seconds(duration_s: Fraction) -> str:
    return f"{float(duration_s):.6f}"


def finished(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# --- reading, to verify what was written and to sign what is handed out ----------------------------------------------

URI_ATTRIBUTE = re.compile(r'URI="([^"]*)"')


def uris(playlist: str) -> list[str]:
    """Every URI that a playlist names, in order."""
    found = []
    for line in playlist.splitlines():
        if line.startswith("#"):
            found += URI_ATTRIBUTE.findall(line)
        elif line:
            found.append(line)
    return found


def in_folder(playlist: str, folder: str) -> str:
    """The playlist with `folder` before every URI, which must all be names of files beside it."""
    return "".join(_line_in_folder(line, folder) for line in playlist.splitlines(keepends=True))


def _line_in_folder(line: str, folder: str) -> str:
    if line.startswith("#"):
        return URI_ATTRIBUTE.sub(lambda match: f'URI="{folder}/{match[1]}"', line)
    return f"{folder}/{line}" if line.strip() else line


def parse_segments(playlist: str) -> list[tuple[str, Segment]]:
    """(file, segment) of a media playlist; raises ValueError when it is not one."""
    if not playlist.startswith("#EXTM3U\n") or not playlist.endswith("#EXT-X-ENDLIST\n"):
        raise ValueError("not a complete playlist")
    found = []
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
            found.append((line, Segment(int(byte_range[2]), int(byte_range[0]), duration)))
            duration = byte_range = None
    return found
