"""Turns the encoder's files into a version: per rung one MP4 with picture and sound, init objects and playlists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from media_pipeline import layout, playlists
from media_pipeline.errors import EncoderFailed, Truncated
from media_pipeline.ffmpeg import args
from media_pipeline.mp4 import build
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.tracks import Fragment, Track, codec_of, read_track
from media_pipeline.plan import AUDIO_RATE, EncodePlan
from media_pipeline.playlists import AudioVariant, Segment, VideoVariant

AAC_FRAME = 1024
PRIMING = 1024  # samples that the AAC encoder puts before the first; the edit list skips them


@dataclass(frozen=True)
class Package:
    """What lies in the version's folder. `duration_s` is that of the picture."""

    videos: tuple[VideoVariant, ...]
    audio: AudioVariant | None
    duration_s: Fraction
    frames: int


@dataclass(frozen=True)
class Sound:
    """The encoded sound, cut at the picture's segment boundaries: sample sizes and where their bytes lie."""

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


def package(plan: EncodePlan, work: Path, out: Path, *, on_segment: Callable[[], None] = lambda: None) -> Package:
    """Write everything but the poster and return what it is. Raises EncoderFailed or Truncated.

    `on_segment` is called for every segment of every rung: a long film takes minutes.
    """
    tracks = [read_rung(args.video_path(work, rung.name)) for rung in plan.rungs]
    refuse_unequal_cuts(tracks)
    boundaries = [0, *accumulate(fragment.duration for fragment in tracks[0].fragments)]
    duration_s = Fraction(boundaries[-1], tracks[0].timescale)
    sound = read_sound(args.audio_path(work), [Fraction(b, tracks[0].timescale) for b in boundaries])
    videos = []
    audio = None
    for rung, track in zip(plan.rungs, tracks, strict=True):
        video_segments, sound_segments = write_rung(out, rung.name, track, sound, duration_s, on_segment)
        videos.append(
            VideoVariant(rung.name, rung.width, rung.height, plan.frame_rate, codec_of(track.moov), video_segments)
        )
        if sound and plan.audio and audio is None:  # HLS reads the sound from the lowest rung, the smallest file
            file = layout.rendition_file(rung.name)
            audio = AudioVariant(file, plan.audio.language, codec_of(sound.track.moov), sound_segments)
    if sound and audio:
        write_audio_objects(out, sound, audio, duration_s)
    write_master(out, videos, audio)
    return Package(tuple(videos), audio, duration_s, tracks[0].samples)


def read_rung(path: Path) -> Track:
    try:
        track = read_track(path)
    except (BadMp4, OSError) as error:
        raise EncoderFailed(detail=f"{path.name}: {error}") from error
    if not track.fragments:
        raise Truncated("Not a single picture of this file could be decoded.")
    return track


def refuse_unequal_cuts(tracks: list[Track]) -> None:
    cuts = {(t.timescale, tuple((f.decode_time, f.duration, f.starts_with_sync) for f in t.fragments)) for t in tracks}
    if len(cuts) != 1 or not all(f.starts_with_sync for f in tracks[0].fragments):
        raise EncoderFailed(detail="the rungs do not cut at the same frames")


# --- sound -----------------------------------------------------------------------------------------------------------


def read_sound(path: Path, boundaries_s: list[Fraction]) -> Sound | None:
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
    return Sound(track, tuple(pieces))


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


# --- writing ---------------------------------------------------------------------------------------------------------


def write_rung(
    out: Path,
    name: str,
    track: Track,
    sound: Sound | None,
    duration_s: Fraction,
    on_segment: Callable[[], None],
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """One rung's MP4, init object and playlists; returns the byte ranges of its picture and of its sound."""
    pieces = sound.pieces if sound else (None,) * len(track.fragments)
    moofs = [build_moofs(number, f, p) for number, (f, p) in enumerate(zip(track.fragments, pieces, strict=True))]
    references = [
        build.Reference(fragment.size + len(sound_head) + (piece.bytes if piece else 0), fragment.duration)
        for fragment, piece, (_, sound_head) in zip(track.fragments, pieces, moofs, strict=True)
    ]
    movie = [(track.moov, build.VIDEO_TRACK), *([(sound.track.moov, build.AUDIO_TRACK)] if sound else [])]
    header = build.ftyp() + build.build_moov(movie, duration_s).to_bytes() + build.sidx(track.timescale, references)
    write_media(out / layout.rendition_file(name), header, track, sound, moofs, on_segment)
    segments = place_segments(len(header), track, pieces, moofs)
    file, init = layout.rendition_file(name), layout.init_file(name)
    (out / init).write_bytes(build.init_bytes(track.moov, duration_s))
    (out / layout.playlist_file(name)).write_text(playlists.media_playlist(file, init, segments[0]))
    (out / layout.iframes_file(name)).write_text(playlists.iframe_playlist(file, init, segments[0]))
    return segments


def build_moofs(number: int, fragment: Fragment, piece: Piece | None) -> tuple[bytes, bytes]:
    """The picture's moof, renumbered, and everything of the sound's fragment but its bytes (empty without sound)."""
    picture = build.with_sequence(fragment.moof, 2 * number + 1)
    if piece is None or not piece.sizes:
        return picture, b""
    moof = build.audio_moof(2 * number + 2, piece.first_sample * AAC_FRAME, AAC_FRAME, piece.sizes)
    return picture, moof + build.mdat_header(piece.bytes)


def write_media(
    path: Path,
    header: bytes,
    track: Track,
    sound: Sound | None,
    moofs: list[tuple[bytes, bytes]],
    on_segment: Callable[[], None],
) -> None:
    with path.open("wb") as out, track.path.open("rb") as pictures:
        out.write(header)
        for number, (fragment, (picture, sound_head)) in enumerate(zip(track.fragments, moofs, strict=True)):
            out.write(picture)
            pictures.seek(fragment.offset + fragment.moof_bytes)
            out.write(pictures.read(fragment.size - fragment.moof_bytes))
            if sound and sound_head:
                out.write(sound_head)
                out.writelines(read_spans(sound.track.path, sound.pieces[number].spans))
            on_segment()


def read_spans(path: Path, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for offset, size in spans:
            file.seek(offset)
            yield file.read(size)


def place_segments(
    start: int, track: Track, pieces: tuple[Piece | None, ...], moofs: list[tuple[bytes, bytes]]
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Where the picture and the sound of each segment lie in the file that begins its media at `start`."""
    videos, sounds, offset = [], [], start
    for fragment, piece, (_, sound_head) in zip(track.fragments, pieces, moofs, strict=True):
        duration_s = Fraction(fragment.duration, track.timescale)
        videos.append(Segment(offset, fragment.size, duration_s, fragment.first_sample_end))
        offset += fragment.size
        if piece and sound_head:
            size = len(sound_head) + piece.bytes
            sounds.append(Segment(offset, size, Fraction(len(piece.sizes) * AAC_FRAME, AUDIO_RATE)))
            offset += size
    return tuple(videos), tuple(sounds)


def write_audio_objects(out: Path, sound: Sound, audio: AudioVariant, duration_s: Fraction) -> None:
    moov = build.build_moov([(sound.track.moov, build.AUDIO_TRACK)], duration_s)
    (out / layout.AUDIO_INIT).write_bytes(build.ftyp() + moov.to_bytes())
    playlist = playlists.media_playlist(audio.file, layout.AUDIO_INIT, audio.segments)
    (out / layout.AUDIO_PLAYLIST).write_text(playlist)


def write_master(out: Path, videos: list[VideoVariant], audio: AudioVariant | None) -> None:
    (out / layout.MASTER).write_text(playlists.master_playlist(videos, audio))
