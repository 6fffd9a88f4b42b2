"""Cuts the encoded soundtracks where the picture's segments end, and writes those that have files of their own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed
from media_pipeline.mp4 import build
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.tracks import Track, codec_name, read_track
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import AudioVariant, Segment
from media_pipeline.planning.plan import AUDIO_RATE
from media_pipeline.planning.tracks import AudioRendition

AAC_FRAME = 1024  # samples
# Samples that the AAC encoder puts before the first one; the edit list skips them.
PRIMING = 1024


@dataclass(frozen=True)
class Sound:
    """One encoded soundtrack, in one piece for each segment of the picture."""

    rendition: AudioRendition
    track: Track
    pieces: tuple["Piece", ...]


@dataclass(frozen=True)
class Piece:
    """The AAC frames that belong to one segment: the number of the first, their sizes, and where their bytes are."""

    first_sample: int
    sizes: list[int]
    spans: list[tuple[int, int]]  # (offset, size) in the encoder's file

    @property
    def media_bytes(self) -> int:
        return sum(self.sizes)

    @property
    def duration_s(self) -> Fraction:
        return Fraction(len(self.sizes) * AAC_FRAME, AUDIO_RATE)

    def head(self, number: int) -> bytes:
        """The fragment with this sequence number up to its media; empty when the piece has none."""
        if not self.sizes:
            return b""
        moof = build.audio_moof(number, self.first_sample * AAC_FRAME, AAC_FRAME, self.sizes)
        return moof + build.mdat_header(self.media_bytes)

    def read_media(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            for offset, size in self.spans:
                file.seek(offset)
                yield file.read(size)


def read_sound(path: Path, rendition: AudioRendition, boundaries_s: list[Fraction]) -> Sound | None:
    """The sound in pieces that end where the picture's segments end; None when nothing of it could be decoded."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        track = read_track(path)
    except BadMp4 as error:
        raise EncoderFailed(detail=f"{path.name}: {error}") from error
    samples: list[tuple[int, int]] = []  # (offset, size)
    for fragment in track.fragments:
        offset = fragment.offset + fragment.data_offset
        for size in fragment.sample_sizes:
            samples.append((offset, size))
            offset += size
    if not samples:
        return None
    # A piece begins with the first AAC frame that starts playing at or after the picture's cut, so that both stay
    # together in every segment, however long the film is.
    starts = [-(-(boundary_s * AUDIO_RATE + PRIMING) // AAC_FRAME) for boundary_s in boundaries_s[1:]]
    cuts = [0, *(min(len(samples), start) for start in starts)]
    pieces = [
        Piece(first, [size for _, size in samples[first:last]], merge_ranges(samples[first:last]))
        for first, last in pairwise(cuts)
    ]
    return Sound(rendition, track, tuple(pieces))


def merge_ranges(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(offset, size) ranges, adjacent ones joined, so that a piece is read in one go or two."""
    result: list[tuple[int, int]] = []
    for offset, size in ranges:
        if result and sum(result[-1]) == offset:
            result[-1] = (result[-1][0], result[-1][1] + size)
        else:
            result.append((offset, size))
    return result


# --- writing ---------------------------------------------------------------------------------------------------------


def write_soundtrack(out: Path, sound: Sound, duration_s: Fraction, on_segment: Callable[[], None]) -> AudioVariant:
    """Writes a further soundtrack as an MP4 of its own, which HLS reads by byte range."""
    file = layout.audio_file(sound.rendition.key)
    segments = []
    with (out / file).open("wb") as media:
        media.write(build.init_bytes([(sound.track.moov, build.AUDIO_TRACK)], duration_s))
        for number, piece in enumerate(sound.pieces):
            offset, head = media.tell(), piece.head(number + 1)
            if head:
                media.write(head)
                media.writelines(piece.read_media(sound.track.path))
                segments.append(Segment(offset, media.tell() - offset, piece.duration_s))
            on_segment()
    return write_hls_objects(out, sound, file, tuple(segments), duration_s)


def write_hls_objects(
    out: Path, sound: Sound, file: str, segments: tuple[Segment, ...], duration_s: Fraction
) -> AudioVariant:
    """Writes the init object and playlist by which HLS reads a soundtrack from these byte ranges of a file."""
    rendition = sound.rendition
    init = layout.audio_init_file(rendition.key)
    (out / init).write_bytes(build.init_bytes([(sound.track.moov, build.AUDIO_TRACK)], duration_s))
    playlist = playlists.media_playlist(file, init, segments)
    (out / layout.audio_playlist_file(rendition.key)).write_text(playlist)
    codec = codec_name(sound.track.moov)
    return AudioVariant(rendition.key, file, rendition.track.language, rendition.name, codec, segments)
