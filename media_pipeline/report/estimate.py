"""Estimates what a plan costs in time and bytes, before anything is encoded; pure."""

from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.planning.ffmpeg_args import peak_kbps
from media_pipeline.planning.plan import AUDIO_KBPS, EncodePlan

# Measured on two cores: 30 s of 1080p at 24 frames a second in four rungs, 2.3 thousand million pixels, in 24 s.
DEFAULT_PIXELS_PER_S = 96_000_000
# Opening, packaging and checking, however short the film is.
OVERHEAD_S = 1.5
# The factors by which tone mapping and deinterlacing take longer than scaling alone (the same film in 1080p).
TONE_MAPPED = 1.8
DEINTERLACED = 1.1
# (short side, bits for each pixel) of the same film in each size. The one above 1080p is a guess.
BITS_PER_PIXEL = ((120, 0.11), (360, 0.08), (720, 0.066), (1080, 0.07), (2160, 0.05))
# A rung hardly ever has more bytes than this many times the source, even when the source has a better codec.
MAX_TIMES_SOURCE = 2
# Posters and storyboard, playlists and init objects.
PICTURES_BYTES = 800_000


@dataclass(frozen=True)
class Speed:
    """The speed of encoding; `films` is the number of films of this site it was measured on, 0 for the default."""

    pixels_per_s: float = DEFAULT_PIXELS_PER_S
    films: int = 0


@dataclass(frozen=True)
class Cost:
    """`bytes` is the expected size, `most_bytes` the largest that the peak rates allow."""

    seconds: int
    bytes: int
    most_bytes: int
    basis: str


def estimate(plan: EncodePlan, speed: Speed, *, source_bytes: int) -> Cost:
    weight = (TONE_MAPPED if plan.colour.is_hdr else 1.0) * (DEINTERLACED if plan.is_interlaced else 1.0)
    # The main soundtrack lies in every rung, each other one in a file of its own.
    copies = len(plan.rungs) + len(plan.audio) - 1 if plan.audio else 0
    sound = round(Fraction(copies * AUDIO_KBPS * 125) * plan.duration_s)
    expected, peak = sound, sound
    for rung in plan.rungs:
        bits = plan.frames * rung.width * rung.height * bits_per_pixel(min(rung.width, rung.height))
        expected += min(round(bits / 8), MAX_TIMES_SOURCE * source_bytes)
        # The peak rate all the time, and the encoder's buffer of two seconds.
        peak += round(peak_kbps(rung, plan.frame_rate) * 125 * (plan.duration_s + 2))
    return Cost(
        seconds=max(1, round(OVERHEAD_S + plan.work_pixels * weight / speed.pixels_per_s)),
        bytes=PICTURES_BYTES + min(expected, peak),
        most_bytes=PICTURES_BYTES + peak,
        basis=basis_text(speed),
    )


def corrected_s(expected_s: float, elapsed_s: float, share_done: float) -> float:
    """The estimate for the whole film after `elapsed_s`, when `share_done` (0 to 1) of it is encoded.

    The more of the film is done, the more its own speed counts.
    """
    if share_done <= 0:
        return max(expected_s, elapsed_s)
    measured_s = elapsed_s / share_done + OVERHEAD_S
    return max(elapsed_s, share_done * measured_s + (1 - share_done) * expected_s)


def bits_per_pixel(short_side: int) -> float:
    """Interpolated between the sizes that were measured."""
    (size, bits), *larger = BITS_PER_PIXEL
    for next_size, next_bits in larger:
        if short_side <= next_size:
            share = max(0, short_side - size) / (next_size - size)
            return bits + (next_bits - bits) * share
        size, bits = next_size, next_bits
    return bits


def basis_text(speed: Speed) -> str:
    rate = f"{speed.pixels_per_s / 1e6:.0f} million pixels a second"
    sizes = "The size is what a lively film needs; a calm one needs less."
    if not speed.films:
        return f"No film has been processed here yet: the time is that of two processor cores ({rate}). {sizes}"
    films = "the last film" if speed.films == 1 else f"the last {speed.films} films"
    return f"The time is judged by {films} processed here ({rate}). {sizes}"
