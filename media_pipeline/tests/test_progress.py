"""The progress of an encode."""

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
    ("frames", "total", "elapsed_s", "share"),
    [(0, 100, 10, 0), (10, 100, 0.5, 0), (25, 100, 10, 0.25), (110, 100, 10, 1)],
)
def test_the_share_is_0_at_the_beginning_and_at_most_1(frames: int, total: int, elapsed_s: float, share: float) -> None:
    assert Progress(frames, total, elapsed_s).share == share
