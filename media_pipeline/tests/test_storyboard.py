"""The sheet of small pictures, and the WebVTT that names its parts."""

from fractions import Fraction

import pytest

from media_pipeline.planning.ladder import parse_ladder, plan_ladder
from media_pipeline.planning.storyboard import MAX_TILES, Storyboard, plan_storyboard, storyboard_vtt, webvtt_time
from media_pipeline.tests.golden import golden


def board(width: int = 1920, height: int = 1080, *, frames: int, rate: str = "25") -> Storyboard:
    rung = plan_ladder(width, height, parse_ladder(["120p"]))[0]
    return plan_storyboard(rung, frames, Fraction(rate))


@pytest.mark.parametrize(
    ("width", "height", "tile"),
    [
        (1920, 1080, (160, 90)),
        (1080, 1920, (90, 160)),
        (1000, 1000, (120, 120)),
        (4000, 100, (160, 4)),
        (32, 18, (32, 18)),
    ],
)
def test_tiles_have_the_shape_of_the_film(width: int, height: int, tile: tuple[int, int]) -> None:
    made = board(width, height, frames=100)

    assert (made.tile_width, made.tile_height) == tile


@pytest.mark.parametrize(
    ("seconds", "tiles", "columns", "rows", "step_frames"),
    [
        ("1/25", 1, 1, 1, 25), (1, 1, 1, 1, 25), (2, 2, 2, 1, 25), (30, 30, 10, 3, 25), (160, 160, 10, 16, 25),
        (161, 155, 10, 16, 26), (7200, 160, 10, 16, 1125), (14400, 160, 10, 16, 2250),
    ],
)  # fmt: skip
def test_there_is_a_tile_a_second_up_to_the_maximum_number(
    seconds: int | str, tiles: int, columns: int, rows: int, step_frames: int
) -> None:
    frames = int(Fraction(seconds) * 25)
    made = board(frames=frames)

    assert (made.tiles, made.columns, made.rows, made.step_frames) == (tiles, columns, rows, step_frames)
    assert made.tiles <= MAX_TILES
    assert (made.tiles - 1) * made.step_frames < frames <= made.tiles * made.step_frames


def test_the_cues_are_exactly_this() -> None:
    made = board(frames=287, rate="24000/1001")

    assert storyboard_vtt(made, "storyboard.jpg", 287, Fraction(24000, 1001)) == golden("storyboard.vtt")


def test_a_film_that_ended_early_has_no_cues_for_missing_tiles() -> None:
    made = board(frames=250)

    assert storyboard_vtt(made, "s.jpg", 60, Fraction(25)).count("-->") == 3
    assert "00:00:02.000 --> 00:00:02.400" in storyboard_vtt(made, "s.jpg", 60, Fraction(25))


@pytest.mark.parametrize(
    ("time_s", "text"),
    [("0", "00:00:00.000"), ("59.9996", "00:01:00.000"), ("3661.5", "01:01:01.500"), ("360000", "100:00:00.000")],
)
def test_times_are_written_as_webvtt_has_them(time_s: str, text: str) -> None:
    assert webvtt_time(Fraction(time_s)) == text
