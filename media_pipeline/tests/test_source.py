"""The facts about a source, from the probe's report."""

from fractions import Fraction
from typing import Any

import pytest

from media_pipeline.errors import NotAVideo, NoVideoStream, PipelineError, Truncated, UnsupportedCodec
from media_pipeline.sources.source import at_most_60, display_size, parse_probe, parse_title, snap, source_rate
from media_pipeline.tests.reports import probed, ticks, track

NTSC_FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
Case = tuple[Fraction, Fraction, int]


def clock(rate: Fraction, time_base: Fraction, frames: int) -> dict[str, Any]:
    """Frames of a constant rate, their times rounded to the container's clock."""
    return ticks(round(number / rate / time_base) for number in range(frames))


@pytest.mark.parametrize(
    ("report", "error"),
    [
        ({"error": "not_a_video", "detail": "?"}, NotAVideo),
        ({"error": "no_video_stream"}, NoVideoStream),
        ({"error": "truncated"}, Truncated),
        ({"error": "something new"}, NotAVideo),
        (probed(packets={"count": 0, "first": 0, "last": 0, "end": 0, "deltas": []}), Truncated),
        (probed(decodes=False, codec="dxtory", decode_error="no"), UnsupportedCodec),
    ],
)
def test_each_unusable_source_is_refused_with_its_own_error(report: dict[str, Any], error: type[PipelineError]) -> None:
    with pytest.raises(error) as refused:
        parse_probe(report)

    assert refused.value.permanent
    assert refused.value.sentence.endswith(".")


def test_the_refusal_names_the_codec_that_could_not_be_decoded() -> None:
    with pytest.raises(UnsupportedCodec, match="stored as dxtory"):
        parse_probe(probed(decodes=False, codec="dxtory", decode_error="no"))


def test_a_plain_file_becomes_a_source() -> None:
    source = parse_probe(probed(audio=[track(1)]))

    assert (source.width, source.height, source.rotation) == (1920, 1080, 0)
    assert source.frame_rate == 25
    assert not source.is_variable_rate
    assert source.duration_s == 2
    assert source.frames == 50


def test_facts_that_the_encode_changes_are_still_known() -> None:
    fast = parse_probe(probed(sar="16/11", guessed_rate="120/1", packets=clock(Fraction(120), Fraction(1, 12800), 240)))

    assert (fast.source_rate, fast.frame_rate) == (Fraction(120), Fraction(60))
    assert fast.pixel_shape == Fraction(16, 11)
    assert fast.declared_s == 2
    assert parse_probe(probed(declared_s=None)).declared_s is None


def test_the_duration_counts_from_the_earliest_stream() -> None:
    later = ticks(range(6400, 32000, 512), 512)

    assert parse_probe(probed(packets=later)).duration_s == Fraction(5, 2)
    assert parse_probe(probed(packets=later, start_s="1/2")).duration_s == 2


def test_one_frame_without_a_duration_lasts_one_frame() -> None:
    stopped = {"count": 1, "first": 0, "last": 0, "end": 0, "deltas": []}

    assert parse_probe(probed(packets=stopped)).duration_s == Fraction(1, 25)


def test_the_default_track_is_the_main_one_else_the_first() -> None:
    assert parse_probe(probed()).main_audio is None
    first, default = parse_probe(probed(audio=[track(1), track(2)])), [track(1), track(2, is_default=True)]
    assert first.main_audio == first.audio[0]
    assert parse_probe(probed(audio=default)).main_audio == parse_probe(probed(audio=default)).audio[1]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Director's comments", "Director's comments"), ('say "cheese"', "say 'cheese'"), ("a\nb\tc", "a b c"),
        ("", ""), ("x" * 100, "x" * 60), ("\x00\x1b[31m", "[31m"), ("\u202egnp.exe", "gnp.exe"),
    ],
)  # fmt: skip
def test_a_title_is_one_short_printable_line(text: str, title: str) -> None:
    assert parse_title(text) == title


# --- size ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coded", "sar", "rotation", "shown"),
    [
        ((1920, 1080), "1/1", 0, (1920, 1080)),
        ((1920, 1080), "1/1", 90, (1080, 1920)),
        ((1920, 1080), "1/1", 180, (1920, 1080)),
        ((1920, 1080), "1/1", 270, (1080, 1920)),
        ((1920, 1080), "1/1", 45, (1920, 1080)),
        ((720, 576), "16/11", 0, (1047, 576)),
        ((720, 576), "64/45", 0, (1024, 576)),
        ((1440, 1080), "4/3", 90, (1080, 1920)),
        ((720, 480), "8/9", 0, (640, 480)),
        ((2, 1000), "1/1000", 0, (1, 1000)),
        ((640, 480), "0/1", 0, (640, 480)),
    ],
)
def test_the_size_is_the_one_that_a_viewer_sees(
    coded: tuple[int, int], sar: str, rotation: int, shown: tuple[int, int]
) -> None:
    assert display_size(*coded, Fraction(sar), rotation) == shown


# --- rate ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rate",
    [NTSC_FILM, Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), 2 * NTSC, Fraction(60), Fraction(12)],
)
@pytest.mark.parametrize("time_base", [Fraction(1, 90000), Fraction(1, 30000), Fraction(1, 1000)])
@pytest.mark.parametrize("frames", [300, 48])
def test_a_constant_rate_is_an_exact_fraction_on_any_clock(rate: Fraction, time_base: Fraction, frames: int) -> None:
    packets = clock(rate, time_base, frames)

    assert source_rate(packets, time_base, str(rate)) == (rate, False)


@pytest.mark.parametrize("rate", [NTSC_FILM, Fraction(24), NTSC, Fraction(30)])
def test_a_long_video_shows_its_rate_even_when_the_container_declares_none(rate: Fraction) -> None:
    assert source_rate(clock(rate, Fraction(1, 1000), 6000), Fraction(1, 1000), None) == (rate, False)


def test_a_measured_rate_beats_a_declaration_that_is_far_off() -> None:
    assert source_rate(clock(Fraction(25), Fraction(1, 90000), 200), Fraction(1, 90000), "30/1") == (
        Fraction(25),
        False,
    )


@pytest.mark.parametrize(("given", "rounded"), [("29.97", NTSC), ("23.976", NTSC_FILM), ("59.94", 2 * NTSC)])
def test_decimal_rates_mean_the_broadcast_fractions(given: str, rounded: Fraction) -> None:
    assert snap(Fraction(given)) == rounded


def test_an_unusual_rate_is_kept() -> None:
    assert snap(Fraction(17)) == 17
    assert source_rate(clock(Fraction(17), Fraction(1, 17000), 50), Fraction(1, 17000), "17/1") == (Fraction(17), False)


def test_a_slide_show_has_at_least_one_frame_a_second() -> None:
    assert snap(Fraction(1, 10)) == 1


@pytest.mark.parametrize(("guessed", "rate"), [("50/1", Fraction(50)), (None, Fraction(25))])
def test_one_frame_has_the_declared_rate_else_a_usual_one(guessed: str | None, rate: Fraction) -> None:
    assert source_rate(ticks([0]), Fraction(1, 1000), guessed) == (rate, False)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (Fraction(60), Fraction(60)),
        (Fraction(120), Fraction(60)),
        (Fraction(120000, 1001), Fraction(60000, 1001)),
        (Fraction(100), Fraction(50)),
        (Fraction(144), Fraction(36)),
        (Fraction(240), Fraction(60)),
        (NTSC, NTSC),
    ],
)
def test_more_than_60_frames_a_second_are_halved(given: Fraction, made: Fraction) -> None:
    assert at_most_60(given) == made


def phone_times() -> list[int]:
    """Returns the times of a phone in bad light, which records 30 frames a second and drops some."""
    return [number * 3000 for number in range(600) if number % 7]


def test_a_varying_rate_becomes_a_constant_one_that_loses_no_frame() -> None:
    assert source_rate(ticks(phone_times()), Fraction(1, 90000), "30000/1001") == (Fraction(30), True)


def test_a_screen_recording_with_few_frames_gets_the_rate_of_its_busy_stretches() -> None:
    still = [number * 90000 for number in range(20)]
    busy = [still[-1] + number * 1500 for number in range(1, 200)]

    assert source_rate(ticks(still + busy), Fraction(1, 90000), None) == (Fraction(60), True)


def test_a_few_late_frames_do_not_make_a_rate_variable() -> None:
    times = [number * 3600 + (900 if number in (40, 90) else 0) for number in range(1000)]

    assert source_rate(ticks(times), Fraction(1, 90000), "25/1") == (Fraction(25), False)


def test_frames_at_the_same_instant_give_a_variable_rate() -> None:
    rate, is_variable = source_rate(ticks([0, 0, 0, 0, 3600]), Fraction(1, 90000), None)

    assert is_variable
    assert 1 <= rate <= 100
