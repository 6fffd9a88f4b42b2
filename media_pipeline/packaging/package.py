"""Turns the encoder's files into a version: per rung one MP4 with picture and sound, init objects and playlists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, Truncated
from media_pipeline.mp4 import build
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.tracks import Fragment, Track, codec_of, read_track
from media_pipeline.packaging import captions, playlists, soundtrack
from media_pipeline.packaging.playlists import AudioVariant, Segment, VideoVariant
from media_pipeline.packaging.soundtrack import Piece, Sound
from media_pipeline.planning import ffmpeg_args
from media_pipeline.planning.plan import EncodePlan
from media_pipeline.planning.tracks import CaptionTrack


@dataclass(frozen=True)
class Package:
    """What lies in the version's folder. `duration_s` is that of the picture; the main soundtrack comes first."""

    videos: tuple[VideoVariant, ...]
    audios: tuple[AudioVariant, ...]
    captions: tuple[CaptionTrack, ...]
    duration_s: Fraction
    frames: int


def package(plan: EncodePlan, work: Path, out: Path, *, on_segment: Callable[[], None] = lambda: None) -> Package:
    """Write everything that is played and return what it is. Raises EncoderFailed or Truncated.

    `on_segment` is called for every segment of every rung: a long film takes minutes.
    """
    tracks = [read_rung(ffmpeg_args.video_path(work, rung.name)) for rung in plan.rungs]
    refuse_unequal_cuts(tracks)
    boundaries = [0, *accumulate(fragment.duration for fragment in tracks[0].fragments)]
    duration_s = Fraction(boundaries[-1], tracks[0].timescale)
    sounds = read_sounds(plan, work, [Fraction(b, tracks[0].timescale) for b in boundaries])
    videos, main = [], None
    for rung, track in zip(plan.rungs, tracks, strict=True):
        mux = Mux.of(track, sounds[0] if sounds else None, duration_s)
        mux.write(out, rung.name, on_segment)
        videos.append(VideoVariant(rung.name, rung.width, rung.height, plan.frame_rate, mux.codec, mux.pictures()))
        main = main or (layout.rendition_file(rung.name), mux.sounds())  # the lowest rung, the smallest file
    audios = write_audios(out, sounds, main, duration_s, on_segment)
    (out / layout.MASTER).write_text(playlists.master_playlist(videos, audios))
    return Package(tuple(videos), audios, write_captions(plan, work, out, duration_s), duration_s, tracks[0].samples)


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


def read_sounds(plan: EncodePlan, work: Path, boundaries_s: list[Fraction]) -> list[Sound]:
    """The soundtracks that something could be decoded of; the first of them is the main one, whatever was planned."""
    found = [
        sound
        for rendition in plan.audio
        if (sound := soundtrack.read_sound(ffmpeg_args.audio_path(work, rendition.key), rendition, boundaries_s))
    ]
    return [replace(found[0], rendition=replace(found[0].rendition, key="")), *found[1:]] if found else []


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interleaved:
    """One segment of a rung: the picture's fragment, then the sound's."""

    fragment: Fragment
    moof: bytes  # of the picture, renumbered
    piece: Piece | None
    sound_head: bytes  # all of the sound's fragment but its media; empty when there is none

    @property
    def sound_bytes(self) -> int:
        return len(self.sound_head) + self.piece.bytes if self.piece and self.sound_head else 0


@dataclass(frozen=True)
class Mux:
    """One rung's MP4 before it is written: where everything will lie."""

    track: Track
    sound: Sound | None
    header: bytes
    parts: tuple[Interleaved, ...]
    duration_s: Fraction

    @classmethod
    def of(cls, track: Track, sound: Sound | None, duration_s: Fraction) -> "Mux":
        pieces = sound.pieces if sound else (None,) * len(track.fragments)
        parts = tuple(
            interleave(*numbered) for numbered in zip(range(len(pieces)), track.fragments, pieces, strict=True)
        )
        return cls(track, sound, file_header(track, sound, parts, duration_s), parts, duration_s)

    @property
    def codec(self) -> str:
        return codec_of(self.track.moov)

    def pictures(self) -> tuple[Segment, ...]:
        """The byte ranges of the picture."""
        segments, offset = [], len(self.header)
        for part in self.parts:
            duration_s = Fraction(part.fragment.duration, self.track.timescale)
            segments.append(Segment(offset, part.fragment.size, duration_s, part.fragment.first_sample_end))
            offset += part.fragment.size + part.sound_bytes
        return tuple(segments)

    def sounds(self) -> tuple[Segment, ...]:
        """The byte ranges of the sound, behind those of the picture."""
        behind = [picture.offset + picture.size for picture in self.pictures()]
        return tuple(
            Segment(offset, part.sound_bytes, soundtrack.piece_duration_s(part.piece))
            for offset, part in zip(behind, self.parts, strict=True)
            if part.piece and part.sound_head
        )

    def write(self, out: Path, name: str, on_segment: Callable[[], None]) -> None:
        """The MP4, its init object and its playlists."""
        file, init = layout.rendition_file(name), layout.init_file(name)
        self.write_media(out / file, on_segment)
        (out / init).write_bytes(build.init_bytes(self.track.moov, self.duration_s))
        (out / layout.playlist_file(name)).write_text(playlists.media_playlist(file, init, self.pictures()))
        (out / layout.iframes_file(name)).write_text(playlists.iframe_playlist(file, init, self.pictures()))

    def write_media(self, path: Path, on_segment: Callable[[], None]) -> None:
        with path.open("wb") as out, self.track.path.open("rb") as pictures:
            out.write(self.header)
            for part in self.parts:
                out.write(part.moof)
                pictures.seek(part.fragment.offset + part.fragment.moof_bytes)
                out.write(pictures.read(part.fragment.size - part.fragment.moof_bytes))
                if self.sound and part.piece and part.sound_head:
                    out.write(part.sound_head)
                    out.writelines(soundtrack.read_spans(self.sound.track.path, part.piece.spans))
                on_segment()


def interleave(number: int, fragment: Fragment, piece: Piece | None) -> Interleaved:
    moof = build.with_sequence(fragment.moof, 2 * number + 1)
    return Interleaved(fragment, moof, piece, soundtrack.fragment_head(2 * number + 2, piece) if piece else b"")


def file_header(track: Track, sound: Sound | None, parts: Sequence[Interleaved], duration_s: Fraction) -> bytes:
    references = [build.Reference(part.fragment.size + part.sound_bytes, part.fragment.duration) for part in parts]
    movie = [(track.moov, build.VIDEO_TRACK), *([(sound.track.moov, build.AUDIO_TRACK)] if sound else [])]
    return build.ftyp() + build.build_moov(movie, duration_s).to_bytes() + build.sidx(track.timescale, references)


def write_audios(
    out: Path,
    sounds: Sequence[Sound],
    main: tuple[str, tuple[Segment, ...]] | None,
    duration_s: Fraction,
    on_segment: Callable[[], None],
) -> tuple[AudioVariant, ...]:
    """`main`: the file that the main soundtrack is read from, and where it lies in it."""
    if not sounds or main is None:
        return ()
    first = soundtrack.write_audio_objects(out, sounds[0], *main, duration_s)
    return (first, *(soundtrack.write_language(out, sound, duration_s, on_segment) for sound in sounds[1:]))


def write_captions(plan: EncodePlan, work: Path, out: Path, duration_s: Fraction) -> tuple[CaptionTrack, ...]:
    """Captions that the source brought along; a track in which nothing is said is left out."""
    written = []
    for track in plan.captions:
        path = ffmpeg_args.caption_path(work, track.language)
        try:
            cues = captions.parse_captions(path.read_text(errors="replace") if path.exists() else "")
        except captions.BadCaptions:
            continue
        file = layout.captions_file(track.language)
        (out / file).write_text(captions.webvtt(captions.moved(cues, -(plan.shift_s or Fraction(0)))))
        playlist = playlists.captions_playlist(file, duration_s)
        (out / layout.captions_playlist_file(track.language)).write_text(playlist)
        written.append(track)
    return tuple(written)
