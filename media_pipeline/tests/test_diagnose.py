"""The errors that follow from messages and exit statuses of ffmpeg and the probe."""

import signal

import pytest

from media_pipeline.errors import (
    EncoderFailed,
    EncoderOverLimit,
    NotAVideo,
    PipelineError,
    StorageUnavailable,
    TooLarge,
    TooLong,
    Truncated,
    UnsupportedCodec,
)
from media_pipeline.ffmpeg.diagnose import diagnose, diagnose_probe, has_succeeded

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
        (1, "av_interleaved_write_frame(): File too large", EncoderOverLimit),
        (69, 40 * DAMAGED_FRAME, NotAVideo),
        (1, "Cannot allocate memory", EncoderFailed),
        (1, "x264 [error]: malloc of size 13257088 failed", EncoderFailed),
        (0, "Error writing trailer of out.mp4: No space left on device", StorageUnavailable),
        (1, "", EncoderFailed),
    ],
)
def test_the_messages_decide_the_error(returncode: int, stderr: str, error: type[PipelineError]) -> None:
    assert type(diagnose(returncode, stderr)) is error


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGXCPU, signal.SIGSEGV])
def test_an_encoder_that_was_killed_says_nothing_about_the_file(ended_by: signal.Signals) -> None:
    error = diagnose(-ended_by, DAMAGED_FRAME)

    assert isinstance(error, EncoderFailed)
    assert not error.permanent


def test_a_damaged_frame_on_the_way_does_not_make_the_file_no_video() -> None:
    error = diagnose(1, DAMAGED_FRAME + "Error initializing output stream: Cannot allocate memory\n")

    assert isinstance(error, EncoderFailed)


def test_the_end_of_the_messages_is_kept_for_the_log_and_not_shown_to_users() -> None:
    error = diagnose(1, "x" * 100_000 + "the end\n")

    assert error.detail.startswith("exit status 1: xxx")
    assert error.detail.endswith("the end")
    assert len(error.detail) < 2100
    assert "the end" not in error.sentence


@pytest.mark.parametrize(
    ("returncode", "stderr", "succeeded"),
    [
        (0, DAMAGED_FRAME, True),
        (0, "Error closing file tiles.yuv: No space left on device", False),
        (0, "Error writing trailer of 120p.mp4: File too large", False),
        (1, "", False),
    ],
)
def test_a_file_that_could_not_be_written_whole_is_a_failure(returncode: int, stderr: str, succeeded: bool) -> None:
    assert has_succeeded(returncode, stderr) is succeeded


# --- the probe -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returncode", "stderr", "error", "words"),
    [
        (0, "[png @ 0x1] Picture size 16000x16000 exceeds specified max pixel count 35651584", TooLarge, "16000×16000"),
        (0, "[mov @ 0x1] Number of streams exceeds max_streams parameter (500)", TooLarge, "more than 500 tracks"),
        (0, "[mov @ 0x1] Skipped opening external track: /etc/passwd", NotAVideo, "only refers to another file"),
        (0, "[png @ 0x1] get_buffer(): Cannot allocate memory", NotAVideo, "more memory than any video needs"),
        (1, "Traceback (most recent call last):\nMemoryError", NotAVideo, "more memory than any video needs"),
        (1, "Traceback (most recent call last):\nImportError: libx.so", EncoderFailed, "the log says why"),
        (-signal.SIGXCPU, "", NotAVideo, "took too long"),
        (-signal.SIGKILL, "", EncoderFailed, "from outside"),
        (-signal.SIGTERM, "", EncoderFailed, "from outside"),
        (-signal.SIGHUP, "", EncoderFailed, "from outside"),
        (-signal.SIGABRT, "", NotAVideo, "crashed on this file"),
        (-signal.SIGSEGV, "", NotAVideo, "crashed on this file"),
        (0, "", NotAVideo, NotAVideo.sentence),
    ],
)
def test_the_messages_of_the_reader_give_the_reason_of_the_refusal(
    returncode: int, stderr: str, error: type[PipelineError], words: str
) -> None:
    diagnosed = diagnose_probe(NotAVideo(), returncode, stderr)

    assert type(diagnosed) is error
    assert words in diagnosed.sentence
    assert "/etc/passwd" not in diagnosed.sentence


def test_a_specific_refusal_is_not_replaced() -> None:
    refused = TooLong("Too long.")

    assert diagnose_probe(refused, 0, "Cannot allocate memory") is refused
