"""What ffmpeg's last words mean."""

import signal

import pytest

from media_pipeline.errors import (
    EncoderFailed,
    NotAVideo,
    PipelineError,
    StorageUnavailable,
    Truncated,
    UnsupportedCodec,
)
from media_pipeline.ffmpeg.diagnose import diagnose

DAMAGED_FRAME = "Error while decoding stream #0:0: Invalid data found when processing input\n"


@pytest.mark.parametrize(
    ("returncode", "stderr", "error"),
    [
        (1, "file:source: Invalid data found when processing input\n", NotAVideo),
        (183, "Error opening input files: Invalid data found when processing input", NotAVideo),
        (1, "[mov @ 0x1] moov atom not found\nfile:source: Invalid data found when processing input", Truncated),
        (1, "[hls @ 0x1] Format not on whitelist 'mov,mp4'\nfile:source: Invalid argument", NotAVideo),
        (1, "Decoder (codec none) not found for input stream #0:0", EncoderFailed),
        (1, "Stream #0:0: Decoder not found", UnsupportedCodec),
        (1, "Unknown decoder 'x'", UnsupportedCodec),
        (1, "Decoding requested, but no decoder found for: dvvideo", UnsupportedCodec),
        (1, "av_interleaved_write_frame(): No space left on device\nConversion failed!", StorageUnavailable),
        (228, "Error writing trailer of out.mp4: No space left on device", StorageUnavailable),
        (1, "av_interleaved_write_frame(): File too large", StorageUnavailable),
        (69, 40 * DAMAGED_FRAME, NotAVideo),
        (1, "Cannot allocate memory", EncoderFailed),
        (1, "", EncoderFailed),
    ],
)
def test_the_words_decide_the_error(returncode: int, stderr: str, error: type[PipelineError]) -> None:
    assert type(diagnose(returncode, stderr)) is error


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGXCPU, signal.SIGSEGV])
def test_an_encoder_that_was_killed_says_nothing_about_the_file(ended_by: signal.Signals) -> None:
    error = diagnose(-ended_by, DAMAGED_FRAME)

    assert isinstance(error, EncoderFailed)
    assert not error.permanent


def test_a_damaged_frame_on_the_way_does_not_make_the_file_no_video() -> None:
    error = diagnose(1, DAMAGED_FRAME + "Error initializing output stream: Cannot allocate memory\n")

    assert isinstance(error, EncoderFailed)


def test_the_end_of_what_it_said_is_kept_for_the_log_and_off_the_page() -> None:
    error = diagnose(1, "x" * 100_000 + "the end\n")

    assert error.detail.startswith("exit status 1: xxx")
    assert error.detail.endswith("the end")
    assert len(error.detail) < 2100
    assert "the end" not in error.sentence
