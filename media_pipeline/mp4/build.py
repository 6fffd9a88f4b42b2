"""What we publish: init objects, the index of a whole file, fragments of sound."""

import struct
from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.mp4.boxes import BadMp4, Box

MOVIE_TIMESCALE = 1000
VIDEO_TRACK = 1
AUDIO_TRACK = 2
SAMPLE_IS_SYNC = 0x02000000
SAP_TYPE_1 = 0x90000000


def ftyp() -> bytes:
    return Box(b"ftyp", b"iso6" + struct.pack(">I", 0) + b"iso6mp41cmfcdash").to_bytes()


def init_bytes(moov: Box, duration_s: Fraction) -> bytes:
    """An init object for HLS: one track."""
    return ftyp() + build_moov([(moov, VIDEO_TRACK)], duration_s).to_bytes()


def build_moov(tracks: list[tuple[Box, int]], duration_s: Fraction) -> Box:
    """A moov of several one-track moovs with new track ids, and the real duration where players look for it."""
    duration = round(duration_s * MOVIE_TIMESCALE)
    traks = [renumbered_trak(moov.find(b"trak"), number, duration) for moov, number in tracks]
    trexes = [Box(b"trex", b"\0\0\0\0" + struct.pack(">IIIII", number, 1, 0, 0, 0)) for _, number in tracks]
    mehd = Box(b"mehd", b"\1\0\0\0" + struct.pack(">Q", duration))
    next_track = max(number for _, number in tracks) + 1
    return Box(b"moov", children=(mvhd(duration, next_track), *traks, Box(b"mvex", children=(mehd, *trexes))))


def mvhd(duration: int, next_track: int) -> Box:
    identity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    times = struct.pack(">QQIQ", 0, 0, MOVIE_TIMESCALE, duration)
    rate_and_volume = struct.pack(">IH10x", 0x10000, 0x100)
    return Box(b"mvhd", b"\1\0\0\0" + times + rate_and_volume + identity + b"\0" * 24 + struct.pack(">I", next_track))


def renumbered_trak(trak: Box, number: int, duration: int) -> Box:
    tkhd = trak.find(b"tkhd").payload
    if tkhd[0] != 0:
        raise BadMp4("tkhd of an unexpected version")
    new_tkhd = tkhd[:12] + struct.pack(">II", number, 0) + struct.pack(">I", min(duration, 0xFFFFFFFF)) + tkhd[24:]
    others = tuple(child for child in trak.children if child.kind != b"tkhd")
    return Box(b"trak", children=(Box(b"tkhd", new_tkhd), *others))


@dataclass(frozen=True)
class Reference:
    """One segment in a sidx: bytes of it, ticks of it."""

    size: int
    duration: int


def sidx(timescale: int, references: list[Reference]) -> bytes:
    """The index by which a plain `<video src>` seeks; sizes count the sound's fragments too."""
    entries = b"".join(struct.pack(">III", ref.size, ref.duration, SAP_TYPE_1) for ref in references)
    head = b"\1\0\0\0" + struct.pack(">IIQQHH", VIDEO_TRACK, timescale, 0, 0, 0, len(references))
    return Box(b"sidx", head + entries).to_bytes()


def with_sequence(moof: Box, sequence: int) -> bytes:
    """The moof with another sequence number; its size, and so every offset in it, stays."""
    children = tuple(
        Box(b"mfhd", child.payload[:4] + struct.pack(">I", sequence)) if child.kind == b"mfhd" else child
        for child in moof.children
    )
    return Box(b"moof", children=children).to_bytes()


def audio_moof(sequence: int, decode_time: int, sample_duration: int, sizes: list[int]) -> bytes:
    """A moof for a run of sound samples that all last equally long (AAC: 1024 ticks)."""
    mfhd = Box(b"mfhd", struct.pack(">II", 0, sequence))
    tfhd_flags = 0x020000 | 0x8 | 0x20  # base is the moof; default duration and flags follow
    tfhd = Box(b"tfhd", struct.pack(">IIII", tfhd_flags, AUDIO_TRACK, sample_duration, SAMPLE_IS_SYNC))
    tfdt = Box(b"tfdt", b"\1\0\0\0" + struct.pack(">Q", decode_time))
    trun_bytes = 8 + 12 + 4 * len(sizes)
    data_offset = 8 + 16 + 8 + len(tfhd.to_bytes()) + len(tfdt.to_bytes()) + trun_bytes + 8
    trun = Box(b"trun", struct.pack(">IIi", 0x000201, len(sizes), data_offset) + struct.pack(f">{len(sizes)}I", *sizes))
    return Box(b"moof", children=(mfhd, Box(b"traf", children=(tfhd, tfdt, trun)))).to_bytes()


def mdat_header(payload_bytes: int) -> bytes:
    if payload_bytes + 8 > 0xFFFFFFFF:
        raise BadMp4("a segment is larger than 4 GiB")
    return struct.pack(">I4s", payload_bytes + 8, b"mdat")
