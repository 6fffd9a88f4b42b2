"""What the last words of ffmpeg and of the probe's reader mean; pure."""

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
# The first phrase found decides; without a sentence of its own the error's is said.
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
    # Its own limit, or the machine's: trying again tells.
    (OUT_OF_MEMORY, EncoderFailed, "Encoding this video takes more memory than there is."),
    ("malloc of size", EncoderFailed, "Encoding this video takes more memory than there is."),  # says x264
)
# The last line when the file could not be opened. Elsewhere it is a complaint about one damaged frame.
UNREADABLE = "Invalid data found when processing input"
EXIT_TOO_MANY_ERRORS = 69  # ffmpeg's exit status when more than two thirds of the frames did not decode
DETAIL_CHARACTERS = 2000

OVERSIZED = re.compile(r"Picture size (\d+)x(\d+) exceeds specified max pixel count")
MANY_STREAMS = "Number of streams exceeds max_streams"
ELSEWHERE = "Skipped opening external track"
OUT_OF_PYTHON_MEMORY = "MemoryError"
BREAKDOWNS = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}


def diagnose(returncode: int, stderr: str) -> PipelineError:
    """The error that a failed ffmpeg run stands for, with the end of what it said as detail."""
    said = stderr.strip()
    detail = f"exit status {returncode}: {said[-DETAIL_CHARACTERS:]}"
    if returncode < 0:  # ended by a signal, such as the kernel's when memory runs out: says nothing about the file
        return EncoderFailed(detail=detail)
    if returncode == EXIT_TOO_MANY_ERRORS:
        return NotAVideo(MOSTLY_DAMAGED, detail=detail)
    for phrase, error, sentence in MEANINGS:
        if phrase in said:
            return error(sentence, detail=detail)
    return NotAVideo(detail=detail) if said.endswith(UNREADABLE) else EncoderFailed(detail=detail)


def has_succeeded(returncode: int, stderr: str) -> bool:
    """Not every ffmpeg counts it as a failure when the end of a file could not be written."""
    return returncode == 0 and DISK_FULL not in stderr and FILE_FULL not in stderr


def diagnose_probe(refused: PipelineError, returncode: int, stderr: str) -> PipelineError:
    """What a refusal by the probe comes from, if the reader's words or its end tell more than its report."""
    if refused.code not in (NotAVideo.code, Truncated.code, UnsupportedCodec.code):
        return refused
    detail = f"exit status {returncode}: {refused.detail} {stderr.strip()[-DETAIL_CHARACTERS:]}"
    return what_it_met(stderr, detail) or how_it_ended(returncode, detail) or refused


def what_it_met(stderr: str, detail: str) -> PipelineError | None:
    if size := OVERSIZED.search(stderr):
        return TooLarge.by_size(int(size[1]), int(size[2]))
    if MANY_STREAMS in stderr:
        return TooLarge.by_tracks(MAX_STREAMS)
    if ELSEWHERE in stderr:
        return NotAVideo("This file holds no picture, it only says in which other file it is.", detail=detail)
    if OUT_OF_MEMORY in detail or OUT_OF_PYTHON_MEMORY in stderr:
        return NotAVideo("Reading this file takes more memory than any video needs; it is damaged.", detail=detail)
    return None


def how_it_ended(returncode: int, detail: str) -> PipelineError | None:
    if returncode == 0:
        return None
    if returncode > 0:  # our own program's mistake, or a package that is not as it should be
        return EncoderFailed("The program that reads videos failed; the log says why.", detail=detail)
    if returncode == -signal.SIGXCPU:
        return NotAVideo("Reading this file took too long; it is damaged or not a video.", detail=detail)
    if -returncode in BREAKDOWNS:
        return NotAVideo("The program that reads videos broke down on this file; it is damaged.", detail=detail)
    # By the kernel, a service manager or a person: says nothing about the file.
    return EncoderFailed("Reading this file was ended from outside, perhaps for lack of memory.", detail=detail)
