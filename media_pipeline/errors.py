"""What can go wrong with a video: a code for programs, a sentence for people, and whether trying again can help."""

from typing import Self


class PipelineError(Exception):
    """`permanent` is True when the same file will fail the same way again."""

    code = "encoder_failed"
    permanent = True
    sentence = "The video could not be processed."

    def __init__(self, sentence: str = "", *, detail: str = "") -> None:
        super().__init__(sentence or self.sentence)
        self.sentence = sentence or self.sentence
        self.detail = detail  # for the log, never for a page

    @property
    def may_pass(self) -> bool:
        """True when a person who tries again with the same file may have more luck."""
        return not self.permanent

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}" + (f" [{self.detail}]" if self.detail else "")


class NotAVideo(PipelineError):
    code = "not_a_video"
    sentence = "This file is not a video that can be read."


class NoVideoStream(PipelineError):
    code = "no_video_stream"
    sentence = "This file has no picture, only sound or other data."


class Truncated(PipelineError):
    code = "truncated"
    sentence = "The file is cut off: its index is missing, so nothing of it can be played. Upload it again."


class UnsupportedCodec(PipelineError):
    code = "unsupported_codec"
    sentence = "The picture is stored in a format that this site cannot decode."


class TooLong(PipelineError):
    code = "too_long"
    sentence = "The video is longer than this site allows."


class TooLarge(PipelineError):
    code = "too_large"
    sentence = "The picture is larger than this site can process."

    @classmethod
    def by_size(cls, width: int, height: int) -> Self:
        return cls(f"The picture is {width}×{height}, larger than this site can process.")

    @classmethod
    def by_frames(cls, max_frames: int) -> Self:
        return cls(f"The video has more than {max_frames} frames, more than this site can process.")

    @classmethod
    def by_tracks(cls, max_tracks: int) -> Self:
        return cls(f"The file has more than {max_tracks} tracks; no video needs that many.")


class SourceMissing(PipelineError):
    code = "source_missing"
    sentence = "The uploaded file is no longer there. Upload it again."


class SourceExchanged(SourceMissing):
    sentence = "The uploaded file was replaced after it had been checked. Upload it again."


class EncoderFailed(PipelineError):
    code = "encoder_failed"
    permanent = False
    sentence = "The encoder failed on this file."


class EncoderOverLimit(EncoderFailed):
    """The program tried to write more than such a film can need. The same file will make it do so again."""

    permanent = True
    sentence = "Encoding this video takes far more disk space than its size and length explain, so it was stopped."


class OutOfTime(PipelineError):
    code = "out_of_time"
    permanent = False
    sentence = "Processing took longer than allowed and was stopped."


class StorageUnavailable(PipelineError):
    code = "storage_unavailable"
    permanent = False
    sentence = "The storage could not be reached or is full."
