"""Decides what is made of a source: one frozen EncodePlan; pure."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Self, TypeGuard

from media_pipeline.errors import NotAVideo, TooLarge, TooLong
from media_pipeline.limits import DEFAULT_LIMITS, MAX_FRAMES_PER_S, MAX_SIDE, Limits
from media_pipeline.pictures.poster import POSTER_LONG_SIDE
from media_pipeline.planning.ladder import DEFAULT_LADDER, Rung, SizedRung, parse_ladder, plan_ladder
from media_pipeline.planning.storyboard import Storyboard, plan_storyboard
from media_pipeline.planning.tracks import AudioRendition, CaptionTrack, plan_audio, plan_captions
from media_pipeline.sources.colour import Colour
from media_pipeline.sources.source import Source

SEGMENT_S = 4
AUDIO_RATE = 48_000
AUDIO_KBPS = 128
# Poster candidates of a long film, spread evenly over it.
POSTER_CANDIDATES = 60
# Times are rounded to the container's ticks: a delay that is this much short of a whole frame counts as one.
NEARLY_A_FRAME = Fraction(1, 10)

# Of what is stored of a plan's premises as JSON, the probe's report and the PlanSettings. It is raised whenever one of
# them changes its shape or its meaning: what an older release has stored is then found out anew.
STORED_FORMAT = 1


@dataclass(frozen=True)
class PlanSettings:
    ladder: tuple[Rung, ...] = parse_ladder(DEFAULT_LADDER)
    preset: str = "veryfast"
    limits: Limits = DEFAULT_LIMITS

    def to_json(self) -> dict[str, Any]:
        return {"format": STORED_FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The settings that `to_json` gave, if `is_current(stored)`."""
        ladder = tuple(Rung(**rung) for rung in stored["ladder"])
        return cls(ladder, stored["preset"], Limits(**stored["limits"]))


def is_current(stored: Mapping[str, Any] | None) -> TypeGuard[Mapping[str, Any]]:
    """True for a report or for settings that this release can read, False when there are none."""
    return stored is not None and stored.get("format") == STORED_FORMAT


@dataclass(frozen=True)
class Chunk:
    """Frames [first_frame, first_frame + frames) of the output, encoded by one process. Begins with a segment."""

    number: int
    first_frame: int
    frames: int


@dataclass(frozen=True)
class EncodePlan:
    """Everything that the encoder, the packager and the verifier need to know."""

    video_index: int
    width: int  # of the source, upright and in square pixels
    height: int
    colour: Colour  # of the source
    stored_size: tuple[int, int]  # before it is turned upright by the filters of `turn`
    turn: tuple[str, ...]
    is_interlaced: bool
    frame_rate: Fraction
    frames: int
    is_still: bool  # the source has one frame
    shift_s: Fraction | None  # taken off all times, so that frame n is at n / frame_rate; None: the first is at 0
    segment_frames: int  # frames from one IDR frame to the next, the same in every rung
    rungs: tuple[SizedRung, ...]  # lowest first
    chunks: tuple[Chunk, ...]
    audio: tuple[AudioRendition, ...]  # the main one first
    captions: tuple[CaptionTrack, ...]
    storyboard: Storyboard
    preset: str
    poster_step: int  # frames from one poster candidate to the next
    poster_pause: int  # frames from a candidate to the frame that shows whether it stands still
    time_limit_s: float

    @property
    def duration_s(self) -> Fraction:
        return self.frames / self.frame_rate

    @property
    def segments(self) -> int:
        return math.ceil(self.frames / self.segment_frames)

    @property
    def is_on_its_side(self) -> bool:
        return any(step.startswith("transpose") for step in self.turn)

    @property
    def work_pixels(self) -> int:
        """The encoder's work: the pixels of all frames of all rungs."""
        return self.frames * sum(rung.width * rung.height for rung in self.rungs)

    @property
    def poster_rung(self) -> int:
        """The number of the rung from which posters are drawn: the best one that is no larger than they are."""
        fitting = [n for n, rung in enumerate(self.rungs) if max(rung.width, rung.height) <= POSTER_LONG_SIDE]
        return max(fitting, default=0)


def plan_encode(source: Source, settings: PlanSettings) -> EncodePlan:
    """The plan for a source. Raises TooLong, TooLarge or NotAVideo when the site does not accept it."""
    refuse_over_limits(source, settings.limits)
    shift_s = shift_to_grid(source)
    frames = max(1, round((source.duration_s - (shift_s or 0)) * source.frame_rate))
    rungs = plan_ladder(source.width, source.height, settings.ladder)
    # A quarter of a second: within that time the picture changes in a fade, a dissolve or a quick pan.
    pause = max(1, round(source.frame_rate / 4))
    return EncodePlan(
        video_index=source.video_index,
        width=source.width,
        height=source.height,
        colour=source.colour,
        stored_size=source.stored_size,
        turn=source.turn,
        is_interlaced=source.is_interlaced,
        frame_rate=source.frame_rate,
        frames=frames,
        is_still=source.frames == 1,
        shift_s=shift_s,
        segment_frames=max(1, round(SEGMENT_S * source.frame_rate)),
        rungs=rungs,
        # One chunk: a video is encoded by one process.
        chunks=(Chunk(number=0, first_frame=0, frames=frames),),
        audio=plan_audio(source),
        captions=plan_captions(source.subtitles),
        storyboard=plan_storyboard(rungs[0], frames, source.frame_rate),
        preset=settings.preset,
        poster_step=max(2 * pause, frames // POSTER_CANDIDATES),
        poster_pause=pause,
        time_limit_s=settings.limits.encode_s(source.duration_s),
    )


def shift_to_grid(source: Source) -> Fraction | None:
    """The part of a frame by which the first picture is late; None when frames have no times of their own.

    Containers that count the sound encoder's priming start the picture some 21 ms after the sound. Left as it is, this
    would show the first frame twice.
    """
    if source.start_s is None:
        return None
    whole_frames = math.floor(source.start_s * source.frame_rate + NEARLY_A_FRAME)
    return source.start_s - whole_frames / source.frame_rate


def refuse_over_limits(source: Source, limits: Limits) -> None:
    if source.duration_s > limits.max_duration_s:
        minutes = math.ceil(source.duration_s / 60)
        raise TooLong(f"The video is {minutes} minutes long; this site allows {limits.max_duration_s // 60}.")
    if source.width * source.height > limits.max_pixels or max(source.width, source.height) > MAX_SIDE:
        raise TooLarge.by_size(source.width, source.height)
    if source.frames > MAX_FRAMES_PER_S * max(Fraction(1), source.duration_s):
        content = f"{source.frames} pictures for {float(source.duration_s):.1f} seconds"
        raise NotAVideo(f"The file holds {content}; it is damaged or not a video.")
    if source.frames > limits.max_frames:
        raise TooLarge.by_frames(limits.max_frames)
