"""Turns the encoder's files into a version: per rung one MP4 with picture and sound, init objects and playlists."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from media_pipeline import layout
from media_pipeline.errors import EncoderFailed, Truncated
from media_pipeline.mp4 import build
from media_pipeline.mp4.boxes import BadMp4
from media_pipeline.mp4.tracks import Fragment, Track, codec_name, read_track
from media_pipeline.packaging import caption_files, playlists, soundtrack
from media_pipeline.packaging.playlists import AudioVariant, Segment, VideoVariant
from media_pipeline.packaging.soundtrack import Piece, Sound
from media_pipeline.planning import ffmpeg_args
from media_pipeline.planning.plan import EncodePlan
from media_pipeline.planning.tracks import CaptionTrack


@dataclass(frozen=True)
class Package:
    """The content of a version's folder. `duration_s` is that of the picture; the main soundtrack comes first."""

    videos: tuple[VideoVariant, ...]
    audios: tuple[AudioVariant, ...]
    captions: tuple[CaptionTrack, ...]
    duration_s: Fraction
    frames: int


def package(plan: EncodePlan, work: Path, out: Path, *, on_segment: Callable[[], None] = lambda: None) -> Package:
    """Writes the files that are played and returns their description. Raises EncoderFailed or Truncated.

    `on_segment` is called for every segment of every rung: packaging a long film takes minutes.
    """
    tracks = [read_rung(ffmpeg_args.video_path(work, rung.name)) for rung in plan.rungs]
    cuts = {(t.timescale, tuple((f.decode_time, f.duration, f.starts_with_sync) for f in t.fragments)) for t in tracks}
    if len(cuts) != 1 or not all(fragment.starts_with_sync for fragment in tracks[0].fragments):
        raise EncoderFailed(detail="the rungs do not cut at the same frames")
    timescale = tracks[0].timescale
    boundaries = [0, *accumulate(fragment.duration for fragment in tracks[0].fragments)]
    duration_s = Fraction(boundaries[-1], timescale)
    sounds = read_sounds(plan, work, [Fraction(boundary, timescale) for boundary in boundaries])
    videos: list[VideoVariant] = []
    audios: list[AudioVariant] = []
    for rung, track in zip(plan.rungs, tracks, strict=True):
        rung_file = plan_rung_file(track, sounds[0] if sounds else None, duration_s)
        write_rung(out, rung.name, rung_file, duration_s, on_segment)
        codec = codec_name(track.moov)
        videos.append(VideoVariant(rung.name, rung.width, rung.height, plan.frame_rate, codec, rung_file.pictures))
        if sounds and not audios:
            # Players read the main soundtrack from the lowest rung, the smallest file.
            name = layout.rendition_file(rung.name)
            audios.append(soundtrack.write_hls_objects(out, sounds[0], name, rung_file.sounds, duration_s))
    audios += [soundtrack.write_soundtrack(out, sound, duration_s, on_segment) for sound in sounds[1:]]
    (out / layout.MASTER).write_text(playlists.master_playlist(videos, audios))
    captions_written = write_captions(plan, work, out, duration_s)
    return Package(tuple(videos), tuple(audios), captions_written, duration_s, tracks[0].samples)


def read_rung(path: Path) -> Track:
    try:
        track = read_track(path)
    except (BadMp4, OSError) as error:
        raise EncoderFailed(detail=f"{path.name}: {error}") from error
    if not track.fragments:
        raise Truncated("Not a single picture of this file could be decoded.")
    return track


def read_sounds(plan: EncodePlan, work: Path, boundaries_s: list[Fraction]) -> list[Sound]:
    """The soundtracks of which something could be decoded. The first of them is the main one, whatever was planned."""
    sounds: list[Sound] = []
    for rendition in plan.audio:
        sound = soundtrack.read_sound(ffmpeg_args.audio_path(work, rendition.key), rendition, boundaries_s)
        if sound:
            sounds.append(sound if sounds else replace(sound, rendition=replace(rendition, key="")))
    return sounds


@dataclass(frozen=True)
class RungSegment:
    """One segment of a rung's file: the picture's fragment, then the sound's."""

    fragment: Fragment
    moof: bytes  # of the picture, renumbered
    piece: Piece | None  # of the sound
    sound_head: bytes  # the sound's fragment without its media; empty when the segment has no sound

    @property
    def sound_bytes(self) -> int:
        return len(self.sound_head) + self.piece.media_bytes if self.piece and self.sound_head else 0


@dataclass(frozen=True)
class RungFile:
    """One rung's MP4 before it is written: `ftyp moov sidx`, then its segments, and their byte ranges for HLS."""

    track: Track
    sound: Sound | None
    header: bytes
    segments: tuple[RungSegment, ...]
    pictures: tuple[Segment, ...]
    sounds: tuple[Segment, ...]


def plan_rung_file(track: Track, sound: Sound | None, duration_s: Fraction) -> RungFile:
    """Lays out the file: every header, and where every segment will lie."""
    pieces = sound.pieces if sound else (None,) * len(track.fragments)
    segments = []
    for number, (fragment, piece) in enumerate(zip(track.fragments, pieces, strict=True)):
        # The fragments of a file are numbered in its order, those of picture and sound together (ISO 14496-12, 8.8.5).
        moof = build.with_sequence(fragment.moof, 2 * number + 1)
        segments.append(RungSegment(fragment, moof, piece, piece.head(2 * number + 2) if piece else b""))
    # The index at the front has the size of every segment, so all of them are known before the first is written.
    references = [build.Reference(one.fragment.size + one.sound_bytes, one.fragment.duration) for one in segments]
    movie = [(track.moov, build.VIDEO_TRACK), *([(sound.track.moov, build.AUDIO_TRACK)] if sound else [])]
    header = build.init_bytes(movie, duration_s) + build.sidx(track.timescale, references)
    pictures, sounds, offset = [], [], len(header)
    for one in segments:
        lasts_s = Fraction(one.fragment.duration, track.timescale)
        pictures.append(Segment(offset, one.fragment.size, lasts_s, one.fragment.first_sample_end))
        offset += one.fragment.size
        if one.piece and one.sound_head:
            sounds.append(Segment(offset, one.sound_bytes, one.piece.duration_s))
        offset += one.sound_bytes
    return RungFile(track, sound, header, tuple(segments), tuple(pictures), tuple(sounds))


def write_rung(out: Path, name: str, rung_file: RungFile, duration_s: Fraction, on_segment: Callable[[], None]) -> None:
    """Writes the MP4 of a rung, its init object and its playlists."""
    file, init = layout.rendition_file(name), layout.init_file(name)
    with (out / file).open("wb") as media, rung_file.track.path.open("rb") as pictures:
        media.write(rung_file.header)
        for one in rung_file.segments:
            media.write(one.moof)
            pictures.seek(one.fragment.offset + one.fragment.moof_bytes)
            media.write(pictures.read(one.fragment.size - one.fragment.moof_bytes))
            if rung_file.sound and one.piece and one.sound_head:
                media.write(one.sound_head)
                media.writelines(one.piece.read_media(rung_file.sound.track.path))
            on_segment()
    # HLS reads picture and sound as two renditions of the same file, so this init object has the picture's track only:
    # muxed variants beside alternate soundtracks make hls.js fail when the language changes.
    (out / init).write_bytes(build.init_bytes([(rung_file.track.moov, build.VIDEO_TRACK)], duration_s))
    (out / layout.playlist_file(name)).write_text(playlists.media_playlist(file, init, rung_file.pictures))
    (out / layout.iframes_file(name)).write_text(playlists.iframe_playlist(file, init, rung_file.pictures))


def write_captions(plan: EncodePlan, work: Path, out: Path, duration_s: Fraction) -> tuple[CaptionTrack, ...]:
    """Writes the captions that come from the source; a track without any text is left out."""
    written = []
    for track in plan.captions:
        path = ffmpeg_args.caption_path(work, track.language)
        try:
            cues = caption_files.parse_captions(path.read_text(errors="replace") if path.exists() else "")
        except caption_files.BadCaptions:
            continue
        file = layout.captions_file(track.language)
        (out / file).write_text(caption_files.webvtt(caption_files.shift_cues(cues, -(plan.shift_s or Fraction(0)))))
        playlist = playlists.captions_playlist(file, duration_s)
        (out / layout.captions_playlist_file(track.language)).write_text(playlist)
        written.append(track)
    return tuple(written)
