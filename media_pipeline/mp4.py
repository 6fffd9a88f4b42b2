"""Fragmented MP4, box by box: reads what the encoder wrote and builds what we publish. Pure but for reading files.

Terms and layouts are those of ISO/IEC 14496-12. The encoder writes one file per rung (picture only) and one for the
sound; we publish per rung one file with both, one `moof` per track and segment, and tiny init objects for HLS.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

MOVIE_TIMESCALE = 1000
VIDEO_TRACK = 1
AUDIO_TRACK = 2
SAMPLE_IS_SYNC = 0x02000000
SAMPLE_IS_NOT_SYNC = 0x00010000
SAP_TYPE_1 = 0x90000000
LARGEST_MOOV = 16 * 1024**2

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"edts", b"mvex", b"moof", b"traf", b"minf", b"stbl"})


class BadMp4(ValueError):
    """The bytes are not the MP4 that they should be."""


@dataclass(frozen=True)
class Box:
    """A box in memory: `payload` of a leaf, `children` of a container."""

    kind: bytes
    payload: bytes = b""
    children: tuple["Box", ...] = ()

    def to_bytes(self) -> bytes:
        body = self.payload + b"".join(child.to_bytes() for child in self.children)
        return struct.pack(">I4s", 8 + len(body), self.kind) + body

    def find(self, *path: bytes) -> "Box":
        """The first box at this path of kinds below this one; raises BadMp4."""
        box = self
        for kind in path:
            match = next((child for child in box.children if child.kind == kind), None)
            if match is None:
                raise BadMp4(f"no {kind.decode()} in {box.kind.decode()}")
            box = match
        return box

    def all(self, kind: bytes) -> list["Box"]:
        return [child for child in self.children if child.kind == kind]


def parse_boxes(data: bytes) -> tuple[Box, ...]:
    return tuple(
        Box(kind, children=parse_boxes(body)) if kind in CONTAINERS else Box(kind, body)
        for kind, body in iterate_boxes(data)
    )


def iterate_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while offset < len(data):
        if offset + 8 > len(data):
            raise BadMp4("a box header is cut off")
        size, kind = struct.unpack_from(">I4s", data, offset)
        if size < 8 or offset + size > len(data):
            raise BadMp4(f"box {kind!r} claims {size} bytes")
        yield kind, data[offset + 8 : offset + size]
        offset += size


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fragment:
    """A `moof` and its `mdat`. Times in ticks of the track; offset and size in bytes of the file."""

    offset: int
    size: int
    moof: Box
    moof_bytes: int
    decode_time: int
    durations: tuple[int, ...]
    sample_sizes: tuple[int, ...]
    starts_with_sync: bool
    data_offset: int  # of the first sample, from the start of the moof

    @property
    def duration(self) -> int:
        return sum(self.durations)

    @property
    def first_sample_end(self) -> int:
        """Bytes from the start of the fragment to the end of its first sample: what an I-frame playlist names."""
        return self.data_offset + self.sample_sizes[0]


@dataclass(frozen=True)
class Track:
    """A fragmented MP4 with one track, as the encoder writes it."""

    path: Path
    moov: Box
    fragments: tuple[Fragment, ...]

    @property
    def timescale(self) -> int:
        return timescale_of(self.moov.find(b"trak"))

    @property
    def duration(self) -> int:
        return sum(fragment.duration for fragment in self.fragments)

    @property
    def samples(self) -> int:
        return sum(len(fragment.sample_sizes) for fragment in self.fragments)


def timescale_of(trak: Box) -> int:
    mdhd = trak.find(b"mdia", b"mdhd").payload
    return int(struct.unpack_from(">I", mdhd, 20 if mdhd[0] == 1 else 12)[0])


def read_track(path: Path) -> Track:
    """The moov and all fragments of a one-track file, without reading the media. Raises BadMp4."""
    try:
        return read_boxes_of_track(path)
    except (struct.error, IndexError) as error:
        raise BadMp4(f"a box of {path.name} is shorter than it claims") from error


def read_boxes_of_track(path: Path) -> Track:
    moov: Box | None = None
    fragments: list[Fragment] = []
    with path.open("rb") as file:
        for kind, offset, header, size in top_level(file, path.stat().st_size):
            if kind == b"moov":
                moov = Box(b"moov", children=parse_boxes(read_payload(file, offset, header, size)))
            elif kind == b"moof":
                fragments.append(parse_fragment(read_payload(file, offset, header, size), offset, size))
            elif kind == b"mdat" and fragments and fragments[-1].size == fragments[-1].moof_bytes:
                fragments[-1] = grown(fragments[-1], size)
    if moov is None:
        raise BadMp4(f"{path.name} has no moov")
    return Track(path, moov, tuple(fragments))


def top_level(file: BinaryIO, file_bytes: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, offset, header bytes and whole size of each top-level box."""
    offset = 0
    while offset < file_bytes:
        file.seek(offset)
        raw = file.read(16)
        if len(raw) < 8:
            raise BadMp4("the file is cut off in a box header")
        size, kind = struct.unpack_from(">I4s", raw)
        header = 8
        if size == 1 and len(raw) == 16:
            size, header = struct.unpack_from(">Q", raw, 8)[0], 16
        if size < header or offset + size > file_bytes:
            raise BadMp4(f"box {kind!r} reaches past the end of the file")
        yield kind, offset, header, size
        offset += size


def read_payload(file: BinaryIO, offset: int, header: int, size: int) -> bytes:
    if size > LARGEST_MOOV:
        raise BadMp4("an index box is too large")
    file.seek(offset + header)
    return file.read(size - header)


def grown(fragment: Fragment, mdat_bytes: int) -> Fragment:
    return Fragment(**{**fragment.__dict__, "size": fragment.size + mdat_bytes})


def parse_fragment(payload: bytes, offset: int, size: int) -> Fragment:
    """A fragment from its moof; one traf with one or more truns, as ffmpeg writes them."""
    moof = Box(b"moof", children=parse_boxes(payload))
    traf = moof.find(b"traf")
    defaults = parse_tfhd(traf.find(b"tfhd").payload)
    tfdt = traf.find(b"tfdt").payload
    runs = [parse_trun(trun.payload, defaults) for trun in traf.all(b"trun")]
    if not runs:
        raise BadMp4("a fragment holds no samples")
    return Fragment(
        offset=offset,
        size=size,
        moof=moof,
        moof_bytes=size,
        decode_time=int(struct.unpack_from(">Q" if tfdt[0] == 1 else ">I", tfdt, 4)[0]),
        durations=tuple(d for run in runs for d in run.durations),
        sample_sizes=tuple(s for run in runs for s in run.sizes),
        starts_with_sync=not runs[0].first_flags & SAMPLE_IS_NOT_SYNC,
        data_offset=runs[0].data_offset,
    )


@dataclass(frozen=True)
class Defaults:
    duration: int = 0
    size: int = 0
    flags: int = 0


def parse_tfhd(payload: bytes) -> Defaults:
    flags = struct.unpack_from(">I", payload)[0] & 0xFFFFFF
    offset = 8
    values = {}
    for bit, name, form in (
        (0x1, "base", ">Q"),
        (0x2, "description", ">I"),
        (0x8, "duration", ">I"),
        (0x10, "size", ">I"),
        (0x20, "flags", ">I"),
    ):
        if flags & bit:
            values[name] = struct.unpack_from(form, payload, offset)[0]
            offset += struct.calcsize(form)
    return Defaults(values.get("duration", 0), values.get("size", 0), values.get("flags", 0))


@dataclass
class Run:
    data_offset: int = 0
    first_flags: int = 0
    durations: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


def parse_trun(payload: bytes, defaults: Defaults) -> Run:
    flags, count = struct.unpack_from(">II", payload)
    offset, run, first_flags = 8, Run(), None
    if flags & 0x1:
        run.data_offset = struct.unpack_from(">i", payload, offset)[0]
        offset += 4
    if flags & 0x4:
        first_flags = struct.unpack_from(">I", payload, offset)[0]
        offset += 4
    names = [name for bit, name in ((0x100, "d"), (0x200, "s"), (0x400, "f"), (0x800, "c")) if flags & bit]
    for sample in iterate_samples(payload[offset:], names, count):
        run.durations.append(sample.get("d", defaults.duration))
        run.sizes.append(sample.get("s", defaults.size))
        if first_flags is None:
            first_flags = sample.get("f", defaults.flags)
    run.first_flags = defaults.flags if first_flags is None else first_flags
    return run


def iterate_samples(data: bytes, names: list[str], count: int) -> Iterator[dict[str, int]]:
    """The fields that each sample has of its own: none where the defaults say it all, as for a single frame."""
    form = struct.Struct(f">{len(names)}I")
    if len(data) < form.size * count:
        raise BadMp4(f"a run claims {count} samples")
    for number in range(count):
        yield dict(zip(names, form.unpack_from(data, form.size * number), strict=True))


def codec_of(moov: Box) -> str:
    """RFC 6381 name of the first track's codec, from its decoder configuration: `avc1.64001f`, `mp4a.40.2`."""
    stsd = moov.find(b"trak", b"mdia", b"minf", b"stbl", b"stsd").payload
    at = stsd.find(b"avcC")
    if at >= 0:
        return "avc1." + stsd[at + 5 : at + 8].hex()
    if stsd[12:16] == b"mp4a":
        return "mp4a.40.2"  # AAC-LC, the only sound we encode
    raise BadMp4("a track is neither H.264 nor AAC")


# --- building --------------------------------------------------------------------------------------------------------


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
