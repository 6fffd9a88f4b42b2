"""Videos that are cut off or damaged: they play as far as they decode, or are refused."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest

from media_pipeline.errors import PipelineError
from media_pipeline.probe import probe
from media_pipeline.tests import reader
from media_pipeline.tests.processes import MIB, processes_with
from media_pipeline.tests.refusals import FTYP, NOISE, QUICK_S, carry_through, refusal


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_recording_without_its_index_is_truncated(folder: Path, tmp_path: Path, clip: Path, kept: float) -> None:
    data = clip.read_bytes()
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: int(data.index(b"moov") * kept)])

    error = refusal(folder, source)

    assert error.code == "truncated"
    assert "cut off" in error.sentence


def test_a_file_that_ends_within_its_index_is_truncated(folder: Path, tmp_path: Path, front_clip: Path) -> None:
    data = front_clip.read_bytes()
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: data.index(b"moov") + 300])

    assert refusal(folder, source).code == "truncated"


def test_a_file_with_gigabytes_missing_is_truncated(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    with source.open("wb") as file:
        file.write(FTYP + struct.pack(">I4sQ", 1, b"mdat", 3 * 1024 * MIB))
        file.truncate(2 * 1024 * MIB)

    assert refusal(folder, source).code == "truncated"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_video_that_is_cut_off_behind_its_index_plays_as_far_as_it_goes(
    folder: Path, tmp_path: Path, front_clip: Path, kept: float
) -> None:
    data = front_clip.read_bytes()
    media = data.index(b"mdat")
    source = tmp_path / "film.mp4"
    source.write_bytes(data[: media + int((len(data) - media) * kept)])

    carry_through(folder, source)
    pictures = reader.read_pictures(folder / "out" / "120p.mp4")

    assert 100 * kept * 0.6 < len(pictures) <= 100
    assert [picture.time_s * 25 for picture in pictures] == list(range(len(pictures)))


@pytest.mark.parametrize("every", [5000, 700, 40])
def test_damaged_media_play_or_are_refused_and_leave_no_process(
    folder: Path, tmp_path: Path, front_clip: Path, every: int
) -> None:
    data = bytearray(front_clip.read_bytes())
    for position in range(data.index(b"mdat") + 100, len(data), every):
        data[position] ^= 0x5A
    source = tmp_path / "film.mp4"
    source.write_bytes(data)

    with suppress(PipelineError):
        carry_through(folder, source)
    assert processes_with(str(source)) == []


@pytest.mark.parametrize("every", [11, 37, 101])
def test_a_damaged_index_plays_or_is_refused_and_leaves_no_process(
    folder: Path, tmp_path: Path, front_clip: Path, every: int
) -> None:
    data = bytearray(front_clip.read_bytes())
    for position in range(data.index(b"moov") + 60, data.index(b"mdat"), every):
        data[position] ^= 0xFF
    source = tmp_path / "film.mp4"
    source.write_bytes(data)

    with suppress(PipelineError):
        carry_through(folder, source)
    assert processes_with(str(source)) == []


@pytest.mark.parametrize("name", ["-i", "a b.mp4", "über film.mp4", "%d.mp4", "http:film.mp4", "film:1.mp4", "'x'.mp4"])
def test_an_odd_file_name_is_taken_as_a_name(tmp_path: Path, clip: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(clip.read_bytes())

    assert probe(source, time_limit_s=QUICK_S).frames == 100


def test_the_next_video_is_unaffected(folder: Path, tmp_path: Path, clip: Path) -> None:
    source = tmp_path / "bad.mp4"
    source.write_bytes(NOISE)
    refusal(folder, source)

    carry_through(folder, clip)

    assert len(reader.read_pictures(folder / "out" / "120p.mp4")) == 100
