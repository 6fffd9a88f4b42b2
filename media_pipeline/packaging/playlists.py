"""HLS playlists (RFC 8216bis), written from what was packaged; pure."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from media_pipeline import layout
from media_pipeline.sources.languages import UNDETERMINED

VERSION = 7
AUDIO_GROUP = "audio"
CAPTIONS_GROUP = "captions"


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
    """A soundtrack: byte ranges of one rung's file for the main one (no key), of a file of its own for others."""

    key: str
    file: str
    language: str
    name: str
    codec: str
    segments: tuple[Segment, ...]
    channels: int = 2


@dataclass(frozen=True)
class CaptionVariant:
    """Captions in one language; `uri` leads to their playlist."""

    language: str
    label: str
    uri: str


def media_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    lines = head(segments, init)
    for segment in segments:
        lines += [f"#EXTINF:{seconds(segment.duration_s)},", f"#EXT-X-BYTERANGE:{segment.size}@{segment.offset}", file]
    return finished([*lines, "#EXT-X-ENDLIST"])


def files_playlist(init: str, files: Sequence[str], segments: Sequence[Segment], *, is_independent: bool) -> str:
    """Of segments that are files of their own."""
    lines = head(segments, init, is_independent=is_independent)
    for file, segment in zip(files, segments, strict=True):
        lines += [f"#EXTINF:{seconds(segment.duration_s)},", file]
    return finished([*lines, "#EXT-X-ENDLIST"])


def iframe_playlist(file: str, init: str, segments: Sequence[Segment]) -> str:
    """One picture a segment, for fast seeking: the range ends with the IDR frame."""
    lines = [*head(segments, init), "#EXT-X-I-FRAMES-ONLY"]
    for segment in segments:
        size = segment.iframe_bytes
        lines += [f"#EXTINF:{seconds(segment.duration_s)},", f"#EXT-X-BYTERANGE:{size}@{segment.offset}", file]
    return finished([*lines, "#EXT-X-ENDLIST"])


def head(segments: Sequence[Segment], init: str, *, is_independent: bool = True) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_duration(segments)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        *(["#EXT-X-INDEPENDENT-SEGMENTS"] if is_independent else []),
        f'#EXT-X-MAP:URI="{init}"',
    ]


def captions_playlist(file: str, duration_s: Fraction) -> str:
    """All captions of a film as one segment: there are few kilobytes of them."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(duration_s))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{seconds(duration_s)},",
        file,
        "#EXT-X-ENDLIST",
    ]
    return finished(lines)


def master_playlist(videos: Sequence[VideoVariant], audios: Sequence[AudioVariant]) -> str:
    lines = variant_lines(videos, audios)
    return finished([*lines, *(iframe_line(video) for video in videos)])


def variant_lines(
    videos: Sequence[VideoVariant], audios: Sequence[AudioVariant], *, is_independent: bool = True
) -> list[str]:
    """A whole master playlist without playlists of I-frames."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", *(["#EXT-X-INDEPENDENT-SEGMENTS"] if is_independent else [])]
    lines += [audio_line(audio) for audio in audios]
    for video in videos:
        lines += [stream_line(video, audios), layout.playlist_file(video.name)]
    return lines


def with_captions(master: str, captions: Sequence[CaptionVariant]) -> str:
    """The master playlist with captions beside every variant: people add them while the stored version stays."""
    if not captions:
        return master
    lines = []
    for line in master.splitlines():
        if line.startswith("#EXT-X-STREAM-INF:"):
            line += f',SUBTITLES="{CAPTIONS_GROUP}"'
        lines.append(line)
    first = next((n for n, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:")), len(lines))
    names = Counter(caption.label for caption in captions)
    tagged = [captions_line(caption, is_alone=names[caption.label] == 1) for caption in captions]
    return finished([*lines[:first], *tagged, *lines[first:]])


def captions_line(caption: CaptionVariant, *, is_alone: bool) -> str:
    """Names are unique in their group: of people's labels that are the same, each says its language."""
    name = caption.label if is_alone else f"{caption.label} ({caption.language})"
    return (
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{CAPTIONS_GROUP}",NAME="{quotable(name)}",'
        f'{language_attribute(caption.language)}DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="{caption.uri}"'
    )


def audio_line(audio: AudioVariant) -> str:
    is_main = "NO" if audio.key else "YES"
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{AUDIO_GROUP}",NAME="{quotable(audio.name)}",'
        f"{language_attribute(audio.language)}DEFAULT={is_main},AUTOSELECT=YES,"
        f'CHANNELS="{audio.channels}",URI="{layout.audio_playlist_file(audio.key)}"'
    )


def language_attribute(language: str) -> str:
    return f'LANGUAGE="{language}",' if language != UNDETERMINED else ""


def quotable(text: str) -> str:
    """Within the quotes of an attribute: no quotes, no line breaks (RFC 8216, 4.2)."""
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
    """Peak and average bits a second of picture and the greediest soundtrack together."""
    peak, average = peak_bps(video.segments), average_bps(video.segments)
    peak += max((peak_bps(audio.segments) for audio in audios), default=0)
    return peak, average + max((average_bps(audio.segments) for audio in audios), default=0)


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
    return with_uris(playlist, lambda uri: f"{folder}/{uri}")


def with_uris(playlist: str, change: Callable[[str], str]) -> str:
    """The playlist with every URI changed."""
    return "".join(_changed_line(line, change) for line in playlist.splitlines(keepends=True))


def _changed_line(line: str, change: Callable[[str], str]) -> str:
    if line.startswith("#"):
        return URI_ATTRIBUTE.sub(lambda match: f'URI="{change(match[1])}"', line)
    return f"{change(line.rstrip())}\n" if line.strip() else line


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
