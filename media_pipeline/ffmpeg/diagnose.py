"""What ffmpeg's last words mean; pure."""

from media_pipeline.errors import (
    EncoderFailed,
    NotAVideo,
    PipelineError,
    StorageUnavailable,
    Truncated,
    UnsupportedCodec,
)

# The first phrase found decides: specific ones before those that ffmpeg prints after any failure.
MEANINGS: tuple[tuple[str, type[PipelineError]], ...] = (
    ("No space left on device", StorageUnavailable),
    ("File too large", StorageUnavailable),
    ("moov atom not found", Truncated),
    ("Decoder not found", UnsupportedCodec),
    ("Unknown decoder", UnsupportedCodec),
    ("no decoder found", UnsupportedCodec),
    ("Format not on whitelist", NotAVideo),
    ("Invalid data found when processing input", NotAVideo),
)
DETAIL_CHARACTERS = 2000


def diagnose(stderr: str) -> PipelineError:
    """The error that a failed ffmpeg run stands for, with the end of what it said as detail."""
    detail = stderr.strip()[-DETAIL_CHARACTERS:]
    for phrase, error in MEANINGS:
        if phrase in stderr:
            return error(detail=detail)
    return EncoderFailed(detail=detail)
