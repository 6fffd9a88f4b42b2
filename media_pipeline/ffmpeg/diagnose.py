"""Turns the messages and exit status of ffmpeg and of the probe's child into errors; pure."""

import re
import signal

from media_pipeline.errors import (
    EncoderFailed,
    EncoderOverLimit,
    NotAVideo,
    PipelineError,
    StorageUnavailable,
    TooLarge,
    Truncated,
    UnsupportedCodec,
)
from media_pipeline.limits import MAX_STREAMS

MOSTLY_DAMAGED = "Most of this file is damaged and cannot be decoded."
DISK_FULL = "No space left on device"
FILE_FULL = "File too large"
OUT_OF_MEMORY = "Cannot allocate memory"
# (phrase, error, sentence). The first phrase that occurs decides; an empty sentence leaves the error its own.
MEANINGS: tuple[tuple[str, type[PipelineError], str], ...] = (
    (DISK_FULL, StorageUnavailable, ""),
    (FILE_FULL, EncoderOverLimit, ""),
    ("moov atom not found", Truncated, ""),
    ("Decoder not found", UnsupportedCodec, ""),
    ("Unknown decoder", UnsupportedCodec, ""),
    ("no decoder found", UnsupportedCodec, ""),
    ("Format not on whitelist", NotAVideo, ""),
    ("matches no streams", NotAVideo, "This file is damaged: programs do not agree on which tracks it has."),
    ("Cannot determine format of input stream", NotAVideo, MOSTLY_DAMAGED),
    # ffmpeg may have met its own limit or the machine's: a second attempt shows which.
    (OUT_OF_MEMORY, EncoderFailed, "Encoding this video takes more memory than there is."),
    # x264's words for the same.
    ("malloc of size", EncoderFailed, "Encoding this video takes more memory than there is."),
)
# As the last line it means that the file could not be opened, elsewhere that one frame is damaged.
UNREADABLE = "Invalid data found when processing input"
# ffmpeg's exit status when more than two thirds of the frames did not decode.
EXIT_TOO_MANY_ERRORS = 69
DETAIL_CHARACTERS = 2000

OVERSIZED = re.compile(r"Picture size (\d+)x(\d+) exceeds specified max pixel count")
MANY_STREAMS = "Number of streams exceeds max_streams"
EXTERNAL_TRACK = "Skipped opening external track"
OUT_OF_PYTHON_MEMORY = "MemoryError"
# Signals of a program that has crashed.
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}


def diagnose(returncode: int, stderr: str) -> PipelineError:
    """The error that a failed run of ffmpeg stands for, with the end of its messages as detail."""
    messages = stderr.strip()
    detail = f"exit status {returncode}: {messages[-DETAIL_CHARACTERS:]}"
    # A signal ended ffmpeg, for example from the kernel when memory ran out: that says nothing about the file.
    if returncode < 0:
        return EncoderFailed(detail=detail)
    if returncode == EXIT_TOO_MANY_ERRORS:
        return NotAVideo(MOSTLY_DAMAGED, detail=detail)
    for phrase, error, sentence in MEANINGS:
        if phrase in messages:
            return error(sentence, detail=detail)
    return NotAVideo(detail=detail) if messages.endswith(UNREADABLE) else EncoderFailed(detail=detail)


def has_succeeded(returncode: int, stderr: str) -> bool:
    """True when ffmpeg reports success and has written everything."""
    # Not every ffmpeg counts it as a failure when the end of a file could not be written.
    return returncode == 0 and DISK_FULL not in stderr and FILE_FULL not in stderr


def diagnose_probe(refused: PipelineError, returncode: int, stderr: str) -> PipelineError:
    """The cause of a refusal by the probe, where its child's messages or exit status tell more than its report."""
    if refused.code not in (NotAVideo.code, Truncated.code, UnsupportedCodec.code):
        return refused
    detail = f"exit status {returncode}: {refused.detail} {stderr.strip()[-DETAIL_CHARACTERS:]}"
    return cause_in_messages(stderr, detail) or cause_of_exit(returncode, detail) or refused


def cause_in_messages(stderr: str, detail: str) -> PipelineError | None:
    if size := OVERSIZED.search(stderr):
        return TooLarge.by_size(int(size[1]), int(size[2]))
    if MANY_STREAMS in stderr:
        return TooLarge.by_tracks(MAX_STREAMS)
    if EXTERNAL_TRACK in stderr:
        return NotAVideo("This file has no picture of its own; it only refers to another file.", detail=detail)
    if OUT_OF_MEMORY in detail or OUT_OF_PYTHON_MEMORY in stderr:
        return NotAVideo("Reading this file takes more memory than any video needs; it is damaged.", detail=detail)
    return None


def cause_of_exit(returncode: int, detail: str) -> PipelineError | None:
    if returncode == 0:
        return None
    # A mistake in the probe's own program, or a broken installation.
    if returncode > 0:
        return EncoderFailed("The program that reads videos failed; the log says why.", detail=detail)
    if returncode == -signal.SIGXCPU:
        return NotAVideo("Reading this file took too long; it is damaged or not a video.", detail=detail)
    if -returncode in CRASHES:
        return NotAVideo("The program that reads videos crashed on this file; it is damaged.", detail=detail)
    # The kernel, a service manager or a person ended the probe: that says nothing about the file.
    return EncoderFailed("Reading this file was ended from outside, perhaps for lack of memory.", detail=detail)
