"""Headers that lie: the film is made from its packets, within the limits, or is refused with the reason."""

import math
from pathlib import Path

import pytest

from media_pipeline.errors import PipelineError
from media_pipeline.tests import reader
from media_pipeline.tests.forge import (
    BLACK,
    WHITE,
    alias,
    avi,
    block,
    cluster,
    mkv,
    mov,
    numbers,
    picture_track,
    png,
    shown_at,
    sound_track,
)
from media_pipeline.tests.refusals import refusal
from media_pipeline.tests.trial import Trial, tried

MODEST_MIB = 250  # more than an ordinary film of this size takes, and far less than any of these claims would take
SECOND = range(0, 1000, 40)
HOUR_S = 3600


def outcome(folder: Path, ffmpeg: str, name: str, content: bytes) -> Trial:
    """Returns the outcome for the file, after asserting that it took little memory."""
    source = folder / name
    source.write_bytes(content)
    trial = tried(folder, source, ffmpeg)
    assert trial.peak_mib < MODEST_MIB
    assert str(folder) not in trial.sentence
    return trial


def refused(folder: Path, name: str, content: bytes) -> PipelineError:
    source = folder / name
    source.write_bytes(content)
    return refusal(folder, source)


# --- size ------------------------------------------------------------------------------------------------------------

HUGE = (16_000, 16_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("honest.mov", mov([png(*HUGE)], size=HUGE)),
        ("header says small.mkv", mkv([picture_track()], shown_at(SECOND[:3], [png(*HUGE)]))),
        ("picture says huge and is not.mov", mov([png(claims=HUGE)] * 3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_of_256_megapixels_is_refused_before_it_is_decoded(
    folder: Path, one_ffmpeg: str, name: str, content: bytes
) -> None:
    trial = outcome(folder, one_ffmpeg, name, content)

    assert (trial.code, trial.sentence) == (
        "too_large",
        "The picture is 16000×16000, larger than this site can process.",
    )
    assert trial.peak_mib < 100


@pytest.mark.parametrize("size", [(120, 20_000), (100_000, 2)])
def test_a_picture_longer_than_any_encoder_takes_is_refused(folder: Path, size: tuple[int, int]) -> None:
    error = refused(folder, "long.mkv", mkv([picture_track()], shown_at(SECOND[:3], [png(*size)])))

    assert error.code == "too_large"
    assert error.sentence.startswith(f"The picture is {size[0]}×{size[1]}, ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("huge.mov", mov([png()] * 25, size=(65_535, 65_535))),
        ("nothing.mkv", mkv([picture_track(size=(0, 0))], shown_at(SECOND, [png()]))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_small_picture_with_another_size_in_its_header_is_shown_or_refused(
    folder: Path, one_ffmpeg: str, name: str, content: bytes
) -> None:
    trial = outcome(folder, one_ffmpeg, name, content)

    assert trial.code in ("too_large", "not_a_video") or (trial.frames, trial.rungs) == (25, ((64, 36),))


@pytest.mark.parametrize("size", [(1, 1), (2, 8000)])
def test_films_may_have_the_oddest_shapes(folder: Path, one_ffmpeg: str, size: tuple[int, int]) -> None:
    trial = outcome(folder, one_ffmpeg, "odd.mov", mov([png(*size)] * 5, size=size))

    assert (trial.code, trial.frames) == ("", 5)


def test_a_film_that_grows_beyond_all_limits_keeps_its_last_good_picture(folder: Path, one_ffmpeg: str) -> None:
    pictures = [png(), png(), png(*HUGE), png(), png()]
    trial = outcome(folder, one_ffmpeg, "grows.mkv", mkv([picture_track()], shown_at(SECOND[:5], pictures)))

    assert (trial.code, trial.frames, trial.rungs) == ("", 5, ((64, 36),))


@pytest.mark.parametrize("turn", [(1, 0, 0, 1), (0, 1, -1, 0)])
def test_a_film_that_changes_its_size_with_every_picture_shows_every_picture(
    folder: Path, ffmpeg: str, turn: tuple[int, int, int, int]
) -> None:
    """Large white and small black pictures alternate: unprepared filters would read beyond the small ones."""
    pictures = [png(333, 211), png(fill=BLACK)] * 10
    trial = outcome(folder, ffmpeg, "changes.mov", mov(pictures, size=(333, 211), matrix=turn))
    shown = reader.read_pictures(folder / "out" / "120p.mp4")

    assert (trial.code, trial.frames) == ("", 20)
    assert [picture.brightness > reader.BRIGHT for picture in shown] == [True, False] * 10
    assert all(picture.brightness < 20 or picture.brightness > 230 for picture in shown)


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ten years.mov", mov([png()] * 25, duration=0xFFFF_FFFF)),
        ("never.mkv", mkv([picture_track()], shown_at(SECOND, [png()]), duration=math.nan)),
        ("four billion frames.avi", avi([png()] * 25, frames=0xFFFF_FFFF)),
        ("no rate.avi", avi([png()] * 25, rate=0)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_duration_that_only_the_header_claims_is_not_believed(
    folder: Path, one_ffmpeg: str, name: str, content: bytes
) -> None:
    trial = outcome(folder, one_ffmpeg, name, content)

    assert (trial.code, trial.frames) == ("", 25)
    assert trial.seconds < 10


def test_three_pictures_in_an_hour_are_an_hour_of_one_frame_a_second(folder: Path, one_ffmpeg: str) -> None:
    trial = outcome(
        folder, one_ffmpeg, "slow.mkv", mkv([picture_track()], shown_at([0, 1_800_000, 3_599_960], [png()]))
    )

    assert (trial.code, trial.frames) == ("", HOUR_S)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("jump.mkv", mkv([picture_track()], shown_at([*SECOND, 1000 * HOUR_S * 1000], [png()]))),
        ("slow.mov", mov([png()] * 3, timescale=1, ticks=5 * HOUR_S)),
        ("slow.avi", avi([png()] * 5, rate=1, scale=0x7FFF_FFFF)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pictures_beyond_the_longest_film_are_refused(folder: Path, name: str, content: bytes) -> None:
    error = refused(folder, name, content)

    assert error.code == "too_long"
    assert error.sentence.endswith(" minutes long; this site allows 240.")


def test_a_long_pause_is_filled_without_keeping_all_of_it_in_memory(folder: Path, ffmpeg: str) -> None:
    """In a recording of a screen nothing moves for a while: one picture lasts 1200 frames."""
    times = [*range(0, 1000, 33), 41_000, 41_033]
    trial = outcome(folder, ffmpeg, "pause.mkv", mkv([picture_track(frame_ns=0)], shown_at(times, [png(426, 240)])))

    assert trial.code == ""
    assert trial.frames == pytest.approx(41.066 * 30, abs=5)
    assert trial.peak_mib < 150


def test_thousands_of_pictures_at_the_same_moment_are_no_video(folder: Path) -> None:
    error = refused(folder, "burst.mkv", mkv([picture_track(frame_ns=0)], shown_at([0] * 3000, [png()])))

    assert (error.code, error.sentence) == (
        "not_a_video",
        "The file holds 3000 pictures for 0.0 seconds; it is damaged or not a video.",
    )


@pytest.mark.parametrize("times_ms", [[0], [5000]])
def test_one_picture_without_a_duration_is_a_film_of_one_frame(folder: Path, ffmpeg: str, times_ms: list[int]) -> None:
    trial = outcome(folder, ffmpeg, "still.mkv", mkv([picture_track(frame_ns=0)], shown_at(times_ms, [png()])))

    assert (trial.code, trial.frames) == ("", 1)


def test_times_that_go_back_do_not_make_a_film_longer(folder: Path, one_ffmpeg: str) -> None:
    times = [time for _ in range(20) for time in range(0, 400, 40)]
    trial = outcome(folder, one_ffmpeg, "back.mkv", mkv([picture_track()], shown_at(times, [png()])))

    assert trial.code == ""
    assert trial.frames < 30


# --- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("four billion samples of a byte.mov", mov([png()], sizes=numbers(1, 0xFFFF_FFFF))),
        ("five hundred million times.mov", mov([png()], times=numbers(0x1FFF_FFFF, 3, 1000))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_index_that_claims_more_than_the_file_holds_is_refused(
    folder: Path, one_ffmpeg: str, name: str, content: bytes
) -> None:
    trial = outcome(folder, one_ffmpeg, name, content)

    assert trial.code in ("not_a_video", "truncated")
    assert trial.seconds < 10


# --- sound -----------------------------------------------------------------------------------------------------------


def film_with_sound(*, sample_rate: float = 48_000, channels: int = 2) -> bytes:
    sound = cluster(0, block(2, bytes(48_000 * 4)))
    return mkv(
        [picture_track(), sound_track(sample_rate=sample_rate, channels=channels)], [sound, *shown_at(SECOND, [png()])]
    )


@pytest.mark.parametrize("sample_rate", [1.0, 4e9, math.nan])
def test_a_sample_rate_that_no_sound_has_costs_no_memory(folder: Path, one_ffmpeg: str, sample_rate: float) -> None:
    trial = outcome(folder, one_ffmpeg, "film.mkv", film_with_sound(sample_rate=sample_rate))

    assert (trial.code, trial.frames) == ("", 25)


@pytest.mark.parametrize(("channels", "has_sound"), [(0, False), (63, True), (65, False)])
def test_a_number_of_channels_that_no_sound_has_leaves_the_film_silent(
    folder: Path, one_ffmpeg: str, channels: int, has_sound: bool
) -> None:
    trial = outcome(folder, one_ffmpeg, "film.mkv", film_with_sound(channels=channels))

    assert (trial.code, trial.frames, trial.has_sound) == ("", 25, has_sound)


def test_sound_that_goes_on_for_hours_ends_with_the_picture(folder: Path, ffmpeg: str) -> None:
    sound = [cluster(at * 1000, block(2, bytes(48))) for at in range(0, 40_000, 20)]
    film = mkv([picture_track(), sound_track()], [*shown_at(SECOND, [png()]), *sound])
    trial = outcome(folder, ffmpeg, "film.mkv", film)

    assert (trial.code, trial.frames) == ("", 25)
    assert trial.written_bytes < 100_000


# --- elsewhere -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/etc/passwd", "{folder}/neighbour.mov"])
def test_a_film_that_lies_in_another_file_is_not_fetched_from_there(folder: Path, path: str) -> None:
    neighbour = mov([png()] * 25)
    (folder / "neighbour.mov").write_bytes(neighbour)
    error = refused(folder, "film.mov", mov([png()] * 25, reference=alias(path.format(folder=folder))))

    assert (error.code, error.sentence) == (
        "not_a_video",
        "This file has no picture of its own; it only refers to another file.",
    )


def test_a_language_tag_of_a_megabyte_is_ignored(folder: Path, one_ffmpeg: str) -> None:
    sounds = [sound_track(number, language=b"e" * 1024**2) for number in range(2, 20)]
    film = mkv([picture_track(), *sounds], shown_at(SECOND[:5], [png(fill=WHITE)]))
    trial = outcome(folder, one_ffmpeg, "film.mkv", film)

    assert (trial.code, trial.frames) == ("", 5)
    assert "eee" not in (folder / "out" / "master.m3u8").read_text()
