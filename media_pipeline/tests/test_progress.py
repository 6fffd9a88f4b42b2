"""How far an encode is."""

import pytest

from media_pipeline.ffmpeg.progress import Progress, parse_frame


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("frame=123", 123),
        ("frame=  42\r", 42),
        ("frame=0\n", 0),
        ("frame=", None),
        ("frame=N/A", None),
        ("frame=-1", None),
        ("frame=٣", None),
        ("fps=25", None),
        ("out_time_us=4000000", None),
        ("progress=continue", None),
        ("drop_frames=3", None),
        ("", None),
        ("garbage", None),
    ],
)
def test_only_the_frame_line_counts(line: str, frame: int | None) -> None:
    assert parse_frame(line) == frame


@pytest.mark.parametrize(
    ("frames", "total", "percent"),
    [(0, 100, 0), (1, 3, 33), (99, 100, 99), (100, 100, 100), (120, 100, 100), (5, 0, 100)],
)
def test_the_percentage_never_passes_100(frames: int, total: int, percent: int) -> None:
    assert Progress(frames, total, elapsed_s=1).percent == percent


@pytest.mark.parametrize(
    ("frames", "elapsed_s", "left_s"),
    [(0, 10, None), (10, 0.5, None), (25, 10, 30), (50, 10, 10), (100, 10, 0), (110, 10, 0), (99, 100, 1)],
)
def test_the_time_left_follows_the_pace_so_far(frames: int, elapsed_s: float, left_s: int | None) -> None:
    assert Progress(frames, 100, elapsed_s).time_left_s == left_s
