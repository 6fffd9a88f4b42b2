"""A damaged file becomes a film that plays, or is refused with a sentence, and costs little either way."""

from pathlib import Path

import pytest

from media_pipeline.tests.mutations import mutated
from media_pipeline.tests.trial import tried
from media_pipeline.tests.versions import Studio
from tests.clips import Clip

CLIPS = {
    "mp4": Clip(size="160x90", duration_s=1),
    "index first": Clip(size="160x90", duration_s=1, flags=("-movflags", "+faststart")),
    "mkv": Clip(size="160x90", duration_s=1, container="mkv"),
    "webm": Clip(size="160x90", duration_s=1, container="webm", codec=("libvpx", "-cpu-used", "8")),
    "ts": Clip(size="160x90", duration_s=1, container="ts"),
    "avi": Clip(size="160x90", duration_s=1, container="avi", codec=("mpeg4",)),
}
ODD_SOURCE_CODES = {"", "not_a_video", "no_video_stream", "unsupported_codec", "truncated", "too_large", "too_long"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CLIPS)
def test_a_damaged_file_plays_or_says_why_not(
    studio: Studio, folder: Path, one_ffmpeg: str, name: str, seed: int
) -> None:
    carry_damaged(studio, folder, one_ffmpeg, name, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 150))
@pytest.mark.parametrize("name", CLIPS)
def test_hundreds_of_damaged_files_play_or_say_why_not(
    studio: Studio, folder: Path, one_ffmpeg: str, name: str, seed: int
) -> None:
    carry_damaged(studio, folder, one_ffmpeg, name, seed)


def carry_damaged(studio: Studio, folder: Path, ffmpeg: str, name: str, seed: int) -> None:
    whole = studio.clip(f"to damage {name}", CLIPS[name])
    source = folder / f"film{whole.suffix}"
    source.write_bytes(mutated(whole.read_bytes(), f"{name} {seed}"))

    trial = tried(folder, source, ffmpeg)

    assert trial.code in ODD_SOURCE_CODES, trial.detail
    assert trial.sentence.endswith(".") == bool(trial.code)
    assert trial.frames > 0 or trial.code
    assert trial.peak_mib < 400
    assert trial.written_bytes < 20_000_000
