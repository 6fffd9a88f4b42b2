"""The plan for a source: its frames, segments and limits."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from media_pipeline.errors import TooLarge, TooLong
from media_pipeline.limits import Limits
from media_pipeline.planning.ladder import parse_ladder
from media_pipeline.planning.plan import Chunk, EncodePlan, PlanSettings, plan_encode
from media_pipeline.tests.sources import FILM, SOUND


def plan(**changes: object) -> EncodePlan:
    return plan_encode(replace(FILM, **changes), PlanSettings())  # type: ignore[arg-type]  # named by each test


@pytest.mark.parametrize(
    ("rate", "duration_s", "frames", "segment_frames", "segments"),
    [
        ("25", "10", 250, 100, 3),
        ("25", "8", 200, 100, 2),
        ("25", "201/25", 201, 100, 3),
        ("24000/1001", "6006/1000", 144, 96, 2),
        ("30000/1001", "1001/100", 300, 120, 3),
        ("60", "4", 240, 240, 1),
        ("1", "3", 3, 4, 1),
        ("25", "1/25", 1, 100, 1),
        ("25", "1/1000", 1, 100, 1),
        ("24000/1001", "7200", 172627, 96, 1799),
    ],
)
def test_segments_are_four_seconds_of_whole_frames(
    rate: str, duration_s: str, frames: int, segment_frames: int, segments: int
) -> None:
    made = plan(frame_rate=Fraction(rate), duration_s=Fraction(duration_s))

    assert (made.frames, made.segment_frames) == (frames, segment_frames)
    assert math.ceil(made.frames / made.segment_frames) == segments


def test_durations_are_exact() -> None:
    made = plan(frame_rate=Fraction(24000, 1001), duration_s=Fraction(6))

    assert made.duration_s == Fraction(144 * 1001, 24000)
    assert made.segment_frames == 96


def test_the_chunks_cover_every_frame_once() -> None:
    made = plan()

    assert made.chunks == (Chunk(number=0, first_frame=0, frames=250),)


def test_it_takes_the_main_sound_or_none() -> None:
    assert [audio.track for audio in plan().audio] == [SOUND]
    assert plan(audio=()).audio == ()


def test_the_rungs_are_those_of_the_settings() -> None:
    made = plan_encode(FILM, PlanSettings(ladder=parse_ladder(["240p", "480p"])))

    assert [(rung.name, rung.width, rung.height) for rung in made.rungs] == [("240p", 426, 240), ("480p", 854, 480)]


@pytest.mark.parametrize(("frames", "step"), [(1, 12), (60, 12), (720, 12), (900, 15), (172_800, 2880)])
def test_at_most_about_sixty_frames_are_considered_for_the_poster(frames: int, step: int) -> None:
    made = plan(duration_s=Fraction(frames, 25))

    assert made.poster_step == step
    assert 1 <= -(-frames // step) <= 62
    assert made.poster_pause == 6  # a quarter of a second
    assert made.poster_pause < made.poster_step


@pytest.mark.parametrize(
    ("width", "height", "rung"), [(1920, 1080, "720p"), (1080, 1920, "720p"), (1280, 720, "720p"), (64, 36, "120p")]
)
def test_posters_are_drawn_from_the_rung_that_has_their_size(width: int, height: int, rung: str) -> None:
    made = plan(width=width, height=height)

    assert made.rungs[made.poster_rung].name == rung


def test_the_work_is_the_pixels_of_every_rung() -> None:
    assert plan(width=640, height=360).work_pixels == 250 * (214 * 120 + 640 * 360)


@pytest.mark.parametrize(("duration_s", "limit_s"), [(1, 600), (10, 600), (60, 3600), (3600, 216_000)])
def test_longer_videos_get_more_time(duration_s: int, limit_s: float) -> None:
    assert plan(duration_s=Fraction(duration_s)).time_limit_s == limit_s


def test_a_video_at_the_limit_is_accepted_and_one_beyond_is_refused() -> None:
    settings = PlanSettings(limits=Limits(max_duration_s=600))

    assert plan_encode(replace(FILM, duration_s=Fraction(600)), settings).frames == 15_000
    with pytest.raises(TooLong, match="The video is 11 minutes long; this site allows 10"):
        plan_encode(replace(FILM, duration_s=Fraction(660)), settings)


def test_a_picture_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(TooLarge, match="The picture is 16384×16384, larger than this site can process"):
        plan(width=16384, height=16384)
