"""What the encoder wrote: one track, fragment by fragment, without reading the media."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from media_pipeline.mp4.boxes import BadMp4, Box, parse_boxes, read_payload, top_level

SAMPLE_IS_NOT_SYNC = 0x00010000
MOST_SAMPLES = 1_000_000  # of one run; a count costs nothing to claim where no sample has fields of its own


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


def grown(fragment: Fragment, mdat_bytes: int) -> Fragment:
    return replace(fragment, size=fragment.size + mdat_bytes)


def parse_fragment(payload: bytes, offset: int, size: int, of_track: "Defaults | None" = None) -> Fragment:
    """A fragment from its moof; one traf with one or more truns, as ffmpeg writes them."""
    moof = Box(b"moof", children=parse_boxes(payload))
    traf = moof.find(b"traf")
    defaults = parse_tfhd(traf.find(b"tfhd").payload, of_track or Defaults())
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


def parse_trex(payload: bytes) -> Defaults:
    return Defaults(*struct.unpack_from(">III", payload, 12))


def parse_tfhd(payload: bytes, of_track: Defaults) -> Defaults:
    """The fragment's own defaults before those of its track."""
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
    return Defaults(
        values.get("duration", of_track.duration),
        values.get("size", of_track.size),
        values.get("flags", of_track.flags),
    )


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
    if len(data) < form.size * count or count > MOST_SAMPLES:
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
