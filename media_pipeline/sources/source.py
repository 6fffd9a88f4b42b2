"""The probe's report as facts about the source; pure."""

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
# For a film of one frame that declares no rate.
FALLBACK_RATE = Fraction(25)
# Of the output: hardly a screen shows more frames a second.
MAX_RATE = 60
# Broadcast rates (30000/1001) need no larger denominator; encoders refuse the very large ones that files may claim.
MAX_DENOMINATOR = 1001
# AVI numbers its frames in the order in which they are stored. The first frame that is shown may have another number
# than 0, and is shown at 0 nevertheless.
UNTIMED = frozenset({"avi"})
# 24 and 24000/1001 lie 0.1 % apart: half of that still tells them from each other.
SAME_RATE = Fraction(1, 2000)
# Subtitles that are text. All others are pictures, and captions cannot be made of those.
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
    """One stream of subtitles. A forced one translates only the foreign passages of the film."""

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
    """A readable video. `width` and `height` are those that a viewer sees: square pixels, rotation applied."""

    container: str
    codec: str
    video_index: int
    width: int
    height: int
    rotation: int
    turn: tuple[str, ...]  # the filters that turn the stored picture upright
    stored_size: tuple[int, int]
    pixel_shape: Fraction  # width of a stored pixel divided by its height
    source_rate: Fraction  # of the file itself
    frame_rate: Fraction  # of the output: constant, at most 60
    is_variable_rate: bool
    start_s: Fraction | None  # of the picture after the earliest stream; None when frames have no times of their own
    duration_s: Fraction  # from the start of the earliest stream to the end of the last frame
    declared_s: Fraction | None  # length of the picture according to the header
    frames: int  # in the file, counted
    is_interlaced: bool
    pixels: str  # ffmpeg's name for the pixel format, such as yuv420p10le
    colour: Colour
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]

    @property
    def main_audio(self) -> AudioTrack | None:
        """The track that plays until the viewer chooses another: the default one, else the first."""
        return next((track for track in self.audio if track.is_default), self.audio[0] if self.audio else None)


def parse_probe(report: Mapping[str, Any]) -> Source:
    """The Source that the probe's report describes. Raises the PipelineError that says why the file cannot be used."""
    if error := report.get("error"):
        raise refusal_for(error, report)
    video = report["video"]
    packets = video["packets"]
    if not packets["count"]:
        raise Truncated("Nothing of the picture is in this file: it is cut off, or its index is wrong.")
    if not video["decodes"]:
        raise UnsupportedCodec(
            f"The picture is stored as {video['codec']}, which could not be decoded.", detail=video["decode_error"]
        )
    width, height = display_size(video["width"], video["height"], Fraction(video["sar"]), video["rotation"])
    rate, is_variable = source_rate(packets, Fraction(video["time_base"]), video["guessed_rate"])
    # These come from the packets: the header's length is reported, and never believed.
    first_s, end_s = (Fraction(packets[at]) * Fraction(video["time_base"]) for at in ("first", "end"))
    earliest_s = Fraction(report["start_s"])
    start_s = None if report["container"] in UNTIMED else first_s - earliest_s
    return Source(
        container=report["container"],
        codec=video["codec"],
        video_index=video["index"],
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
    """The title as one short printable line: it comes from an untrusted file and goes into playlists and menus."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text.replace('"', "'")).split())
    return line[:MAX_TITLE_LENGTH].strip()


def refusal_for(error: str, report: Mapping[str, Any]) -> PipelineError:
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
    """Width and height in square pixels, rounded as ffmpeg's scale filter does, turned upright."""
    if sar > 0:
        width = max(1, round(width * sar))
    # The encoder too turns the picture by right angles only, and leaves it alone at any other.
    return (height, width) if rotation % 180 == 90 else (width, height)


def turn_filters(rotation: int, matrix: Sequence[int] | None) -> tuple[str, ...]:
    """The filters with which ffmpeg itself would turn the picture upright.

    They are given explicitly, after scaling: ffmpeg turns first, and filters that turn expect every picture to be as
    large as the first one.
    """
    if matrix is None:
        return ()
    a, _, c, d = matrix
    # The rotation counts counterclockwise.
    if rotation == 270:
        return ("transpose=cclock_flip" if c > 0 else "transpose=clock",)
    if rotation == 90:
        return ("transpose=clock_flip" if c < 0 else "transpose=cclock",)
    if rotation in (0, 180):
        return (*(["hflip"] if a < 0 else []), *(["vflip"] if d < 0 else []))
    return ()


def source_rate(packets: Mapping[str, Any], time_base: Fraction, guessed: str | None) -> tuple[Fraction, bool]:
    """The exact rate in frames a second, and True when the distances between the source's frames vary.

    `packets` has `count`, `first` and `last` (presentation ticks) and `deltas`: [ticks, how often], by frequency.
    """
    declared = Fraction(guessed) if guessed else None
    span = packets["last"] - packets["first"]
    if packets["count"] < 2 or span <= 0:
        return (snap(declared) if declared else FALLBACK_RATE), False
    mean_ticks = Fraction(span, packets["count"] - 1)
    measured = 1 / (mean_ticks * time_base)
    if is_steady(packets["deltas"], mean_ticks):
        # A coarse clock (WebM counts milliseconds) may be wrong by a tick at either end of a short clip.
        blur = max(SAME_RATE, Fraction(3, 2 * span))
        agrees = declared and abs(declared / measured - 1) <= blur
        return snap(declared if agrees and declared else measured), False
    return snap_up(typical_rate(packets["deltas"], time_base, measured)), True


def is_steady(deltas: Sequence[tuple[int, int]], mean_ticks: Fraction) -> bool:
    """True when 98 % of the frames follow each other at the mean distance."""
    total = sum(count for _, count in deltas)
    # A clock rounds each time to whole ticks.
    slack = max(Fraction(1), mean_ticks / 50)
    return sum(count for ticks, count in deltas if abs(ticks - mean_ticks) <= slack) * 100 >= total * 98


def typical_rate(deltas: Sequence[tuple[int, int]], time_base: Fraction, measured: Fraction) -> Fraction:
    """The rate of the most frequent distance between frames of a varying source, and at least its mean rate."""
    frequent = max((ticks for ticks, count in deltas if count == deltas[0][1]), default=0)
    if frequent <= 0:
        return measured
    # A clock in milliseconds counts a thirtieth of a second as 33 twice, then as 34: these are the same distance.
    same = [(ticks, count) for ticks, count in deltas if abs(ticks - frequent) <= 1]
    mean_ticks = Fraction(sum(ticks * count for ticks, count in same), sum(count for _, count in same))
    return max(measured, 1 / (mean_ticks * time_base))


def snap(rate: Fraction) -> Fraction:
    """The standard rate within SAME_RATE of this one, else the rate itself as a fraction that encoders accept."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    if abs(nearest / rate - 1) <= SAME_RATE:
        return nearest
    return max(Fraction(1), rate.limit_denominator(MAX_DENOMINATOR))


def snap_up(rate: Fraction) -> Fraction:
    """The standard rate for a source whose rate varies: the one within SAME_RATE, else the next higher one."""
    if (snapped := snap(rate)) in STANDARD_RATES:
        return snapped
    # A rate that is 2 % too low loses one frame in fifty; the next one would store many frames twice.
    return next((standard for standard in STANDARD_RATES if standard >= rate * Fraction(98, 100)), Fraction(MAX_RATE))


def at_most_60(rate: Fraction) -> Fraction:
    """The rate, halved until it is at most 60, as a fraction that encoders accept, whatever the file claims."""
    while rate > MAX_RATE:
        rate /= 2
    return rate.limit_denominator(MAX_DENOMINATOR)
