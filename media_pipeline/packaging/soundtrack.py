"""The encoded soundtracks, cut where the picture's segments end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed
from media_pipeline.mp4 import build
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.tracks import Track, codec_of, read_track
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import AudioVariant, Segment
from media_pipeline.planning.plan import AUDIO_RATE
from media_pipeline.planning.tracks import AudioRendition

AAC_FRAME = 1024
PRIMING = 1024  # samples that the AAC encoder puts before the first; the edit list skips them


@dataclass(frozen=True)
class Sound:
    """One encoded soundtrack, cut at the picture's segment boundaries: sample sizes and where their bytes lie."""

    rendition: AudioRendition
    track: Track
    pieces: tuple["Piece", ...]


@dataclass(frozen=True)
class Piece:
    first_sample: int
    sizes: list[int]
    spans: list[tuple[int, int]]  # byte ranges of the encoder's file

    @property
    def bytes(self) -> int:
        return sum(self.sizes)


def read_sound(path: Path, rendition: AudioRendition, boundaries_s: list[Fraction]) -> Sound | None:
    """The sound in pieces that end where the picture's segments end; None when nothing of it could be decoded."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        track = read_track(path)
    except BadMp4 as error:
        raise EncoderFailed(detail=f"{path.name}: {error}") from error
    sizes, offsets = sample_table(track)
    if not sizes:
        return None
    cuts = [0, *(min(len(sizes), first_sample_after(boundary)) for boundary in boundaries_s[1:])]
    pieces = [
        Piece(first, sizes[first:last], merged(zip(offsets[first:last], sizes[first:last], strict=True)))
        for first, last in pairwise(cuts)
    ]
    return Sound(rendition, track, tuple(pieces))


def first_sample_after(time_s: Fraction) -> int:
    """The first AAC frame that starts playing at or after this moment."""
    return -(-(time_s * AUDIO_RATE + PRIMING) // AAC_FRAME)


def sample_table(track: Track) -> tuple[list[int], list[int]]:
    """Size and file offset of every sample."""
    sizes: list[int] = []
    offsets: list[int] = []
    for fragment in track.fragments:
        offset = fragment.offset + fragment.data_offset
        for size in fragment.sample_sizes:
            sizes.append(size)
            offsets.append(offset)
            offset += size
    return sizes, offsets


def merged(ranges: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring (offset, size) ranges made one: a piece is read in one go, or two."""
    result: list[tuple[int, int]] = []
    for offset, size in ranges:
        if result and sum(result[-1]) == offset:
            result[-1] = (result[-1][0], result[-1][1] + size)
        else:
            result.append((offset, size))
    return result


def fragment_head(number: int, piece: Piece) -> bytes:
    """Everything of a fragment but its media; empty when the piece has none."""
    if not piece.sizes:
        return b""
    moof = build.audio_moof(number, piece.first_sample * AAC_FRAME, AAC_FRAME, piece.sizes)
    return moof + build.mdat_header(piece.bytes)


def piece_duration_s(piece: Piece) -> Fraction:
    return Fraction(len(piece.sizes) * AAC_FRAME, AUDIO_RATE)


def read_spans(path: Path, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for offset, size in spans:
            file.seek(offset)
            yield file.read(size)


# --- writing ---------------------------------------------------------------------------------------------------------


def write_language(out: Path, sound: Sound, duration_s: Fraction, on_segment: Callable[[], None]) -> AudioVariant:
    """A soundtrack of its own: one MP4 that HLS reads by byte range."""
    file = layout.audio_file(sound.rendition.key)
    movie = build.build_moov([(sound.track.moov, build.AUDIO_TRACK)], duration_s).to_bytes()
    segments = []
    with (out / file).open("wb") as media:
        media.write(build.ftyp() + movie)
        for number, piece in enumerate(sound.pieces):
            offset, head = media.tell(), fragment_head(number + 1, piece)
            if head:
                media.write(head)
                media.writelines(read_spans(sound.track.path, piece.spans))
                segments.append(Segment(offset, media.tell() - offset, piece_duration_s(piece)))
            on_segment()
    return write_audio_objects(out, sound, file, tuple(segments), duration_s)


def write_audio_objects(
    out: Path, sound: Sound, file: str, segments: tuple[Segment, ...], duration_s: Fraction
) -> AudioVariant:
    """What HLS needs to read a soundtrack from these ranges of a file: its init object and playlist."""
    rendition = sound.rendition
    moov = build.build_moov([(sound.track.moov, build.AUDIO_TRACK)], duration_s)
    init = layout.audio_init_file(rendition.key)
    (out / init).write_bytes(build.ftyp() + moov.to_bytes())
    playlist = playlists.media_playlist(file, init, segments)
    (out / layout.audio_playlist_file(rendition.key)).write_text(playlist)
    codec = codec_of(sound.track.moov)
    return AudioVariant(rendition.key, file, rendition.track.language, rendition.name, codec, segments)
