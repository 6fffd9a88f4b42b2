"""What ffmpeg's last words mean; pure."""

from media_pipeline.errors import (
    EncoderFailed,
    NotAVideo,
    PipelineError,
    StorageUnavailable,
    Truncated,
    UnsupportedCodec,
)

# The first phrase found decides.
MEANINGS: tuple[tuple[str, type[PipelineError]], ...] = (
    ("No space left on device", StorageUnavailable),
    ("File too large", StorageUnavailable),
    ("moov atom not found", Truncated),
    ("Decoder not found", UnsupportedCodec),
    ("Unknown decoder", UnsupportedCodec),
    ("no decoder found", UnsupportedCodec),
    ("Format not on whitelist", NotAVideo),
)
# The last line when the file could not be opened. Elsewhere it is a complaint about one damaged frame.
UNREADABLE = "Invalid data found when processing input"
MOST_FRAMES_DAMAGED = 69  # ffmpeg's exit status when more than two thirds of the frames did not decode
DETAIL_CHARACTERS = 2000


def diagnose(returncode: int, stderr: str) -> PipelineError:
    """The error that a failed ffmpeg run stands for, with the end of what it said as detail."""
    said = stderr.strip()
    detail = f"exit status {returncode}: {said[-DETAIL_CHARACTERS:]}"
    if returncode < 0:  # ended by a signal, such as the kernel's when memory runs out: says nothing about the file
        return EncoderFailed(detail=detail)
    if returncode == MOST_FRAMES_DAMAGED:
        return NotAVideo("Most of this file is damaged and cannot be decoded.", detail=detail)
    for phrase, error in MEANINGS:
        if phrase in said:
            return error(detail=detail)
    return NotAVideo(detail=detail) if said.endswith(UNREADABLE) else EncoderFailed(detail=detail)
