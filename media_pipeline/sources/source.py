"""What a probe found, as facts about the source; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media_pipeline.errors import NotAVideo, NoVideoStream, PipelineError, TooLarge, Truncated, UnsupportedCodec
from media_pipeline.limits import MAX_PACKETS, MAX_STREAMS
from media_pipeline.sources.colour import Colour, parse_colour
from media_pipeline.sources.languages import parse_language

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in (
        (5, 1), (6, 1), (8, 1), (10, 1), (12, 1), (12000, 1001), (15000, 1001), (15, 1), (16, 1), (18, 1), (20, 1),
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48000, 1001), (48, 1), (50, 1), (60000, 1001),
        (60, 1), (90, 1), (100, 1), (120000, 1001), (120, 1), (144, 1), (240000, 1001), (240, 1),
    )
)  # fmt: skip
FALLBACK_RATE = Fraction(25)
MAX_RATE = 60
MAX_DENOMINATOR = 1001  # of a rate
# AVI numbers its frames as they are stored: the first to be shown need not bear the number 0, and always starts at 0.
UNTIMED = frozenset({"avi"})
# 24 and 24000/1001 lie 0.1 % apart: half of that still tells them from each other.
SAME_RATE = Fraction(1, 2000)
# Subtitles that are text; the others are pictures, which no caption can be made of.
TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"})
MAX_TITLE_LENGTH = 60


@dataclass(frozen=True)
class AudioTrack:
    """One audio stream; `index` counts all streams of the file."""

    index: int
    codec: str
    channels: int
    language: str
    title: str
    is_default: bool


@dataclass(frozen=True)
class SubtitleTrack:
    """One stream of subtitles; a forced one translates only what is foreign in the film."""

    index: int
    codec: str
    language: str
    title: str
    is_default: bool
    is_forced: bool

    @property
    def is_text(self) -> bool:
        return self.codec in TEXT_SUBTITLES


@dataclass(frozen=True)
class Source:
    """A readable video. `width` and `height` are what a viewer sees: square pixels, rotation applied."""

    container: str
    codec: str
    video_index: int
    width: int
    height: int
    rotation: int
    turn: tuple[str, ...]  # the filters that turn the stored picture upright
    stored_size: tuple[int, int]
    pixel_shape: Fraction  # the width of a stored pixel to its height
    source_rate: Fraction  # of the file itself
    frame_rate: Fraction  # of the output: constant, at most 60
    is_variable_rate: bool
    start_s: Fraction | None  # of the picture after the earliest stream; None where frames have no time of their own
    duration_s: Fraction  # from the start of the earliest stream to the end of the last frame
    declared_s: Fraction | None  # what the file says that the picture lasts, if it says so
    frames: int  # that the source holds
    is_interlaced: bool
    pixels: str  # how ffmpeg calls the format of its pixels: yuv420p10le
    colour: Colour
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]

    @property
    def main_audio(self) -> AudioTrack | None:
        """The track that plays when nobody chose: the default one, else the first."""
        return next((track for track in self.audio if track.is_default), self.audio[0] if self.audio else None)


def parse_probe(report: Mapping[str, Any]) -> Source:
    """A Source from the probe child's report; raises the PipelineError that says why it is none."""
    if error := report.get("error"):
        raise refusal(error, report)
    video = report["video"]
    index = video["index"]
    packets = video["packets"]
    if not packets["count"]:
        raise Truncated("Nothing of the picture is in this file: it is cut off, or its index is wrong.")
    if not video["decodes"]:
        raise UnsupportedCodec(
            f"The picture is stored as {video['codec']}, which could not be decoded.", detail=video["decode_error"]
        )
    width, height = display_size(video["width"], video["height"], Fraction(video["sar"]), video["rotation"])
    rate, is_variable = source_rate(packets, Fraction(video["time_base"]), video["guessed_rate"])
    first_s, end_s = (Fraction(packets[at]) * Fraction(video["time_base"]) for at in ("first", "end"))
    earliest_s = Fraction(report["start_s"])
    start_s = None if report["container"] in UNTIMED else first_s - earliest_s
    return Source(
        container=report["container"],
        codec=video["codec"],
        video_index=index,
        width=width,
        height=height,
        rotation=video["rotation"],
        turn=turn_filters(video["rotation"], video["matrix"]),
        stored_size=(video["width"], video["height"]),
        pixel_shape=Fraction(video["sar"]),
        source_rate=rate,
        frame_rate=at_most_60(rate),
        is_variable_rate=is_variable,
        start_s=start_s,
        duration_s=max(end_s - (first_s if start_s is None else earliest_s), 1 / rate),
        declared_s=Fraction(video["declared_s"]) if video["declared_s"] else None,
        frames=packets["count"],
        is_interlaced=video["is_interlaced"],
        pixels=video["colour"]["pixels"],
        colour=parse_colour(video["colour"]),
        audio=tuple(AudioTrack(**parse_track(track)) for track in report["audio"]),
        subtitles=tuple(SubtitleTrack(**parse_track(track)) for track in report["subtitles"]),
    )


def parse_track(track: Mapping[str, Any]) -> dict[str, Any]:
    return {**track, "language": parse_language(track["language"]), "title": parse_title(track["title"])}


def parse_title(text: str) -> str:
    """One short printable line: it comes from the file and goes into playlists and menus."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text.replace('"', "'")).split())
    return line[:MAX_TITLE_LENGTH].strip()


def refusal(error: str, report: Mapping[str, Any]) -> PipelineError:
    if error == "large_picture":
        return TooLarge.by_size(report["width"], report["height"])
    if error == "many_packets":
        return TooLarge.by_frames(MAX_PACKETS)
    if error == "many_streams":
        return TooLarge.by_tracks(MAX_STREAMS)
    errors: dict[str, type[PipelineError]] = {
        "not_a_video": NotAVideo,
        "no_video_stream": NoVideoStream,
        "unknown_codec": UnsupportedCodec,
        "truncated": Truncated,
    }
    return errors.get(error, NotAVideo)(detail=str(report.get("detail", "")))


def display_size(width: int, height: int, sar: Fraction, rotation: int) -> tuple[int, int]:
    """Square pixels as ffmpeg's scale filter sees them, turned upright."""
    if sar > 0:
        width = max(1, round(width * sar))
    # Like the encoder, which turns the picture by right angles and leaves it alone at any other.
    return (height, width) if rotation % 180 == 90 else (width, height)


def turn_filters(rotation: int, matrix: Sequence[int] | None) -> tuple[str, ...]:
    """What ffmpeg would do of its own accord. It is done by us, after scaling, since filters that turn take it for
    granted that all pictures are as large as the first."""
    if matrix is None:
        return ()
    a, _, c, d = matrix
    if rotation == 270:  # it counts against the clock
        return ("transpose=cclock_flip" if c > 0 else "transpose=clock",)
    if rotation == 90:
        return ("transpose=clock_flip" if c < 0 else "transpose=cclock",)
    if rotation in (0, 180):
        return (*(["hflip"] if a < 0 else []), *(["vflip"] if d < 0 else []))
    return ()


def source_rate(packets: Mapping[str, Any], time_base: Fraction, guessed: str | None) -> tuple[Fraction, bool]:
    """Frames a second as an exact fraction, and whether the source's own rate varies.

    `packets` has `count`, `first` and `last` (presentation ticks) and `deltas`: [ticks, how often], by frequency.
    """
    declared = Fraction(guessed) if guessed else None
    span = packets["last"] - packets["first"]
    if packets["count"] < 2 or span <= 0:
        return (snap(declared) if declared else FALLBACK_RATE), False
    mean_ticks = Fraction(span, packets["count"] - 1)
    measured = 1 / (mean_ticks * time_base)
    if is_steady(packets["deltas"], mean_ticks):
        # Coarse clocks (WebM counts milliseconds) blur a short clip's rate by a tick at either end.
        blur = max(SAME_RATE, Fraction(3, 2 * span))
        agrees = declared and abs(declared / measured - 1) <= blur
        return snap(declared if agrees and declared else measured), False
    return snap_up(typical_rate(packets["deltas"], time_base, measured)), True


def is_steady(deltas: Sequence[tuple[int, int]], mean_ticks: Fraction) -> bool:
    """Whether nearly all frames follow each other at the mean distance, rounding of the clock aside."""
    total = sum(count for _, count in deltas)
    slack = max(Fraction(1), mean_ticks / 50)
    return sum(count for ticks, count in deltas if abs(ticks - mean_ticks) <= slack) * 100 >= total * 98


def typical_rate(deltas: Sequence[tuple[int, int]], time_base: Fraction, measured: Fraction) -> Fraction:
    """Of a varying source: the rate of its most usual distance, not slower than its mean."""
    usual = max((ticks for ticks, count in deltas if count == deltas[0][1]), default=0)
    if usual <= 0:
        return measured
    # A coarse clock counts a thirtieth of a second as 33 milliseconds twice, then as 34.
    alike = [(ticks, count) for ticks, count in deltas if abs(ticks - usual) <= 1]
    mean_ticks = Fraction(sum(ticks * count for ticks, count in alike), sum(count for _, count in alike))
    return max(measured, 1 / (mean_ticks * time_base))


def snap(rate: Fraction) -> Fraction:
    """The standard rate that this one stands for, else the rate itself as a fraction that encoders accept."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    if abs(nearest / rate - 1) <= SAME_RATE:
        return nearest
    return max(Fraction(1), rate.limit_denominator(MAX_DENOMINATOR))


def snap_up(rate: Fraction) -> Fraction:
    """The standard rate that this one stands for, else the slowest that loses (almost) no frame of a varying source."""
    if (same := snap(rate)) in STANDARD_RATES:
        return same
    return next((standard for standard in STANDARD_RATES if standard >= rate * Fraction(98, 100)), Fraction(MAX_RATE))


def at_most_60(rate: Fraction) -> Fraction:
    """Halved until it fits; a fraction that encoders accept, whatever the file claims."""
    while rate > MAX_RATE:
        rate /= 2
    return rate.limit_denominator(MAX_DENOMINATOR)
