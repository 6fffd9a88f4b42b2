"""What a plan will cost in time and bytes, before anything is encoded; pure."""

from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.ladder import SizedRung
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan

# Measured on two cores: 30 s of 1080p at 24 frames a second in four rungs, 2.3 thousand million pixels, in 24 s.
DEFAULT_PIXELS_PER_S = 96_000_000
# Opening, packaging and checking, however short the film is.
OVERHEAD_S = 1.5
# How much more processor time a film takes that needs more than scaling (1080p, the same film with and without).
TONE_MAPPED = 1.8
DEINTERLACED = 1.1
# Bits for each pixel by short side: what the same film took in each size; above it, a guess.
BITS_PER_PIXEL = ((120, 0.11), (360, 0.08), (720, 0.066), (1080, 0.07), (2160, 0.05))
# A file that was encoded small is hardly made larger than this by encoding it again, even from a better codec.
MAX_TIMES_SOURCE = 2
PICTURES_BYTES = 800_000  # posters and storyboard, playlists and init objects


@dataclass(frozen=True)
class Speed:
    """How fast pixels are encoded, judged by so many films; 0 films: what was measured elsewhere."""

    pixels_per_s: float = DEFAULT_PIXELS_PER_S
    films: int = 0


@dataclass(frozen=True)
class Cost:
    """`bytes` is what is to be expected, `most_bytes` what the peak rates allow."""

    seconds: int
    bytes: int
    most_bytes: int
    basis: str


def estimate(plan: EncodePlan, speed: Speed, *, source_bytes: int) -> Cost:
    pixels = plan.work_pixels * weight(plan)
    pictures = (min(expected_bytes(plan, rung), MAX_TIMES_SOURCE * source_bytes) for rung in plan.rungs)
    expected = sum(pictures) + sound_bytes(plan)
    most = sum(peak_bytes(plan, rung) for rung in plan.rungs) + sound_bytes(plan)
    return Cost(
        seconds=max(1, round(OVERHEAD_S + pixels / speed.pixels_per_s)),
        bytes=PICTURES_BYTES + min(expected, most),
        most_bytes=PICTURES_BYTES + most,
        basis=basis(speed),
    )


def corrected_s(expected_s: float, elapsed_s: float, share_done: float) -> float:
    """What the whole takes after all: the speed of this very film counts the more, the more of it is encoded."""
    if share_done <= 0:
        return max(expected_s, elapsed_s)
    measured_s = elapsed_s / share_done + OVERHEAD_S
    return max(elapsed_s, share_done * measured_s + (1 - share_done) * expected_s)


def weight(plan: EncodePlan) -> float:
    return (TONE_MAPPED if plan.colour.is_hdr else 1.0) * (DEINTERLACED if plan.is_interlaced else 1.0)


def expected_bytes(plan: EncodePlan, rung: SizedRung) -> int:
    return round(plan.frames * rung.width * rung.height * bits_per_pixel(min(rung.width, rung.height)) / 8)


def bits_per_pixel(short_side: int) -> float:
    """In between the sizes that were measured, in between their rates."""
    (size, bits), *larger = BITS_PER_PIXEL
    for next_size, next_bits in larger:
        if short_side <= next_size:
            share = max(0, short_side - size) / (next_size - size)
            return bits + (next_bits - bits) * share
        size, bits = next_size, next_bits
    return bits


def peak_bytes(plan: EncodePlan, rung: SizedRung) -> int:
    """The peak rate all the time, and the encoder's buffer of two seconds of it."""
    return round(peak_kbps(rung, plan.frame_rate) * 125 * (plan.duration_s + 2))


def sound_bytes(plan: EncodePlan) -> int:
    """The main soundtrack lies in every rung, each other one in a file of its own."""
    copies = len(plan.rungs) + len(plan.audio) - 1 if plan.audio else 0
    return round(Fraction(copies * AUDIO_KBPS * 125) * plan.duration_s)


def basis(speed: Speed) -> str:
    rate = f"{speed.pixels_per_s / 1e6:.0f} million pixels a second"
    sizes = "The size is what a lively film needs; a calm one needs less."
    if not speed.films:
        return f"No film has been processed here yet: the time is that of two processor cores ({rate}). {sizes}"
    films = "the last film" if speed.films == 1 else f"the last {speed.films} films"
    return f"The time is judged by {films} processed here ({rate}). {sizes}"
