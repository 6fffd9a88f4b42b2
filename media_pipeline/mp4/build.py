"""Builds the boxes of published files: init objects, the index of a whole file, fragments of sound."""

import struct
from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.mp4.boxes import BadMp4, Box

MOVIE_TIMESCALE = 1000
VIDEO_TRACK = 1
AUDIO_TRACK = 2
# Of a sample: it depends on no other one.
SAMPLE_IS_SYNC = 0x02000000
# Of a reference in a sidx: it starts with an access point of type 1, from which everything decodes.
SAP_TYPE_1 = 0x90000000


def ftyp() -> bytes:
    # iso6 has tfdt and default-base-is-moof, cmfc is CMAF, dash the sidx at the front.
    return Box(b"ftyp", b"iso6" + struct.pack(">I", 0) + b"iso6mp41cmfcdash").to_bytes()


def init_bytes(tracks: list[tuple[Box, int]], duration_s: Fraction) -> bytes:
    """`ftyp` and `moov` for these tracks, as in `build_moov`: an init object for HLS, or the beginning of a file."""
    return ftyp() + build_moov(tracks, duration_s).to_bytes()


def build_moov(tracks: list[tuple[Box, int]], duration_s: Fraction) -> Box:
    """One moov of the tracks of several one-track moovs, each with its new track id.

    The encoder leaves the duration open; here it stands where players look for it (mvhd, tkhd and mehd).
    """
    duration = round(duration_s * MOVIE_TIMESCALE)
    times = struct.pack(">QQIQ", 0, 0, MOVIE_TIMESCALE, duration)
    rate_and_volume = struct.pack(">IH10x", 0x10000, 0x100)
    # The matrix that changes nothing.
    identity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    next_track = struct.pack(">I", max(number for _, number in tracks) + 1)
    mvhd = Box(b"mvhd", b"\1\0\0\0" + times + rate_and_volume + identity + b"\0" * 24 + next_track)
    traks = [renumber_trak(moov.find(b"trak"), number, duration) for moov, number in tracks]
    mehd = Box(b"mehd", b"\1\0\0\0" + struct.pack(">Q", duration))
    # No defaults: every fragment brings its own.
    trexes = [Box(b"trex", b"\0\0\0\0" + struct.pack(">IIIII", number, 1, 0, 0, 0)) for _, number in tracks]
    return Box(b"moov", children=(mvhd, *traks, Box(b"mvex", children=(mehd, *trexes))))


def renumber_trak(trak: Box, number: int, duration: int) -> Box:
    tkhd = trak.find(b"tkhd").payload
    if tkhd[0] != 0:
        raise BadMp4("tkhd of an unexpected version")
    new_tkhd = tkhd[:12] + struct.pack(">II", number, 0) + struct.pack(">I", min(duration, 0xFFFFFFFF)) + tkhd[24:]
    others = tuple(child for child in trak.children if child.kind != b"tkhd")
    return Box(b"trak", children=(Box(b"tkhd", new_tkhd), *others))


@dataclass(frozen=True)
class Reference:
    """One segment in a sidx: its size in bytes and its duration in ticks."""

    size: int
    duration: int


def sidx(timescale: int, references: list[Reference]) -> bytes:
    """The index by which a plain `<video src>` seeks. The sizes include the sound's fragments.

    ffmpeg's own would count the picture's only.
    """
    entries = b"".join(struct.pack(">III", ref.size, ref.duration, SAP_TYPE_1) for ref in references)
    head = b"\1\0\0\0" + struct.pack(">IIQQHH", VIDEO_TRACK, timescale, 0, 0, 0, len(references))
    return Box(b"sidx", head + entries).to_bytes()


def with_sequence(moof: Box, sequence: int) -> bytes:
    """The moof with another sequence number. Its size stays, and so does every offset in it."""
    children = tuple(
        Box(b"mfhd", child.payload[:4] + struct.pack(">I", sequence)) if child.kind == b"mfhd" else child
        for child in moof.children
    )
    return Box(b"moof", children=children).to_bytes()


def audio_moof(sequence: int, decode_time: int, sample_duration: int, sizes: list[int]) -> bytes:
    """A moof for sound samples that all have the same duration (AAC: 1024 ticks)."""
    mfhd = Box(b"mfhd", struct.pack(">II", 0, sequence))
    # Offsets count from the moof; the default duration and flags follow.
    tfhd_flags = 0x020000 | 0x8 | 0x20
    tfhd = Box(b"tfhd", struct.pack(">IIII", tfhd_flags, AUDIO_TRACK, sample_duration, SAMPLE_IS_SYNC))
    tfdt = Box(b"tfdt", b"\1\0\0\0" + struct.pack(">Q", decode_time))
    trun_bytes = 8 + 12 + 4 * len(sizes)
    # The media begin behind the headers of moof and traf (8 each), mfhd (16), the boxes of traf, and the mdat's header.
    data_offset = 8 + 16 + 8 + len(tfhd.to_bytes()) + len(tfdt.to_bytes()) + trun_bytes + 8
    # Flags: the data offset and the size of each sample follow.
    trun = Box(b"trun", struct.pack(">IIi", 0x000201, len(sizes), data_offset) + struct.pack(f">{len(sizes)}I", *sizes))
    return Box(b"moof", children=(mfhd, Box(b"traf", children=(tfhd, tfdt, trun)))).to_bytes()


def mdat_header(payload_bytes: int) -> bytes:
    if payload_bytes + 8 > 0xFFFFFFFF:
        raise BadMp4("a segment is larger than 4 GiB")
    return struct.pack(">I4s", payload_bytes + 8, b"mdat")
