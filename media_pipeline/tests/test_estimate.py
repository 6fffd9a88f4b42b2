"""The estimate of what a plan costs."""

from fractions import Fraction

import pytest

from media_pipeline.planning.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.report.estimate import (
    DEFAULT_PIXELS_PER_S,
    OVERHEAD_S,
    TONE_MAPPED,
    Cost,
    Speed,
    bits_per_pixel,
    corrected_s,
    estimate,
)
from media_pipeline.sources.colour import Colour
from media_pipeline.tests.sources import film, sound

# The real cost of Big Buck Bunny in 1080p at 24 frames a second: 30 s, with surround sound.
BUNNY = film(frame_rate=Fraction(24), source_rate=Fraction(24), duration_s=Fraction(30), frames=720)
BUNNY_BYTES = 23_338_431
UNKNOWN_SPEED = Speed()


def plan(**changes: object) -> EncodePlan:
    return plan_encode(film(**changes), PlanSettings())


def cost_of(made: EncodePlan, speed: Speed = UNKNOWN_SPEED, *, source_bytes: int = 10**12) -> Cost:
    return estimate(made, speed, source_bytes=source_bytes)


def test_the_estimate_of_a_known_film_matches_its_real_cost() -> None:
    cost = cost_of(plan_encode(BUNNY, PlanSettings()))

    assert cost.bytes == pytest.approx(BUNNY_BYTES, rel=0.05)
    assert cost.seconds == pytest.approx(26, abs=1)
    assert cost.bytes < cost.most_bytes < 2 * cost.bytes


def test_the_time_follows_from_the_observed_speed() -> None:
    made = plan(duration_s=Fraction(100))
    seconds = cost_of(made, Speed(pixels_per_s=1e6, films=3)).seconds

    assert seconds == round(OVERHEAD_S + made.work_pixels / 1e6)
    assert cost_of(made, Speed(2e6, 3)).seconds == pytest.approx(seconds / 2, rel=0.01)


def test_tone_mapping_and_deinterlacing_take_longer() -> None:
    plain, hdr, interlaced = (
        cost_of(plan(**changes), Speed(pixels_per_s=1e6)).seconds
        for changes in ({}, {"colour": Colour(transfer="smpte2084")}, {"is_interlaced": True})
    )
    assert hdr == pytest.approx(plain * TONE_MAPPED, rel=0.01)
    assert plain < interlaced < hdr


def test_every_language_costs_its_bytes_and_the_main_one_once_a_rung() -> None:
    silent, one, two = (
        cost_of(plan(audio=audio)).most_bytes for audio in ((), (sound(1),), (sound(1), sound(2, language="de")))
    )
    assert one - silent == 4 * 16_000 * 10
    assert two - one == 16_000 * 10


def test_a_file_that_was_encoded_small_stays_small() -> None:
    calm = cost_of(plan(duration_s=Fraction(3600)), source_bytes=10**8)

    assert calm.bytes < 1.2e9 < cost_of(plan(duration_s=Fraction(3600))).bytes


def test_no_estimate_exceeds_the_maximum() -> None:
    busy = plan(frame_rate=Fraction(60), source_rate=Fraction(60))
    cost = cost_of(busy)

    assert cost.bytes <= cost.most_bytes


def test_the_shortest_film_takes_a_second_at_least() -> None:
    cost = cost_of(plan(duration_s=Fraction(1, 25), width=32, height=18), Speed(pixels_per_s=1e12))

    assert cost.seconds >= 1


@pytest.mark.parametrize(("short_side", "bits"), [(18, 0.11), (120, 0.11), (240, 0.095), (1080, 0.07), (4320, 0.05)])
def test_rates_are_interpolated_between_the_measured_ones(short_side: int, bits: float) -> None:
    assert bits_per_pixel(short_side) == pytest.approx(bits)


def test_the_basis_names_its_evidence() -> None:
    rate = f"{DEFAULT_PIXELS_PER_S / 1e6:.0f} million pixels a second"

    assert cost_of(plan()).basis.startswith("No film has been processed here yet: ")
    assert rate in cost_of(plan()).basis
    assert "judged by the last film processed here" in cost_of(plan(), Speed(1e6, 1)).basis
    assert "judged by the last 20 films processed here" in cost_of(plan(), Speed(1e6, 20)).basis


@pytest.mark.parametrize(
    ("elapsed_s", "share_done", "total_s"),
    [
        (0, 0, 100),
        (130, 0, 130),  # nothing is encoded yet, but it already takes longer than estimated
        (20, 0.1, 0.1 * (200 + OVERHEAD_S) + 0.9 * 100),
        (100, 0.5, 0.5 * (200 + OVERHEAD_S) + 0.5 * 100),
        (200, 1, 200 + OVERHEAD_S),
    ],
)
def test_the_time_left_is_corrected_by_the_progress(elapsed_s: float, share_done: float, total_s: float) -> None:
    assert corrected_s(100, elapsed_s, share_done) == pytest.approx(total_s)
