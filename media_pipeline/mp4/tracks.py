"""Reads fragmented MP4 with one track, as the encoder writes it: its fragments, without the media."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from pathlib import Path

from media_pipeline.mp4.boxes import BadMp4, Box, parse_boxes, read_payload, refuse_short_boxes, top_level

SAMPLE_IS_NOT_SYNC = 0x00010000
# Samples of one fragment. A file of a few bytes can claim any number where samples have no fields of their own.
MAX_SAMPLES = 1_000_000
# The fields that the samples of a run may have, by the flag of the trun that says so.
FIELDS = {0x100: "duration", 0x200: "size", 0x400: "flags", 0x800: "composition"}


@dataclass(frozen=True)
class Defaults:
    """The values of samples that have none of their own, of a track (trex) or of a fragment (tfhd)."""

    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True)
class TrackRun:
    """A `trun`: consecutive samples. Their fields stay bytes until they are read: most callers need only a sum."""

    samples: int
    data_offset: int
    first_flags: int
    defaults: Defaults
    fields: tuple[str, ...]
    data: bytes  # of the fields, sample by sample

    def values(self, field: str) -> Iterator[int]:
        """The duration or size of each sample: its own, else the default."""
        if field not in self.fields:
            return repeat(self.default(field), self.samples)
        position = self.fields.index(field)
        return (own[position] for own in struct.iter_unpack(sample_format(self.fields), self.data))

    def total(self, field: str) -> int:
        return sum(self.values(field)) if field in self.fields else self.samples * self.default(field)

    def default(self, field: str) -> int:
        return self.defaults.duration if field == "duration" else self.defaults.size


def sample_format(fields: tuple[str, ...]) -> str:
    return f">{len(fields)}I"


@dataclass(frozen=True)
class Fragment:
    """A `moof` and its `mdat`. Times in ticks of the track; offset and size in bytes of the file."""

    offset: int
    size: int
    moof: Box
    moof_bytes: int
    decode_time: int
    runs: tuple[TrackRun, ...]
    starts_with_sync: bool
    data_offset: int  # of the first sample, from the start of the moof

    @cached_property
    def duration(self) -> int:
        return sum(run.total("duration") for run in self.runs)

    @property
    def media_bytes(self) -> int:
        return sum(run.total("size") for run in self.runs)

    @property
    def samples(self) -> int:
        return sum(run.samples for run in self.runs)

    @property
    def durations(self) -> tuple[int, ...]:
        return tuple(duration for run in self.runs for duration in run.values("duration"))

    @property
    def sample_sizes(self) -> tuple[int, ...]:
        return tuple(size for run in self.runs for size in run.values("size"))

    @property
    def first_sample_end(self) -> int:
        """Bytes from the start of the fragment to the end of its first sample, as an I-frame playlist needs them."""
        return self.data_offset + self.sample_sizes[0]


@dataclass(frozen=True)
class Track:
    """A fragmented MP4 with one track, as the encoder writes it."""

    path: Path
    moov: Box
    fragments: tuple[Fragment, ...]

    @property
    def timescale(self) -> int:
        return parse_timescale(self.moov.find(b"trak"))

    @property
    def duration(self) -> int:
        return sum(fragment.duration for fragment in self.fragments)

    @property
    def samples(self) -> int:
        return sum(fragment.samples for fragment in self.fragments)


def parse_timescale(trak: Box) -> int:
    """Ticks a second."""
    mdhd = trak.find(b"mdia", b"mdhd").payload
    return int(struct.unpack_from(">I", mdhd, 20 if mdhd[0] == 1 else 12)[0])


@refuse_short_boxes()
def read_track(path: Path) -> Track:
    """The moov and all fragments of a one-track file, without reading the media. Raises BadMp4."""
    moov: Box | None = None
    fragments: list[Fragment] = []
    with path.open("rb") as file:
        for kind, offset, header, size in top_level(file, path.stat().st_size):
            if kind == b"moov":
                moov = Box(b"moov", children=parse_boxes(read_payload(file, offset, header, size)))
            elif kind == b"moof":
                fragments.append(parse_fragment(read_payload(file, offset, header, size), offset, size))
            elif kind == b"mdat" and fragments and fragments[-1].size == fragments[-1].moof_bytes:
                fragments[-1] = replace(fragments[-1], size=fragments[-1].size + size)
    if moov is None:
        raise BadMp4(f"{path.name} has no moov")
    return Track(path, moov, tuple(fragments))


def parse_fragment(
    payload: bytes, offset: int, size: int, track_defaults: Defaults | None = None, *, max_samples: int = MAX_SAMPLES
) -> Fragment:
    """The fragment of a moof that has one traf with one or more truns, as ffmpeg writes them.

    Raises BadMp4, also when all runs together claim more than `max_samples`.
    """
    moof = Box(b"moof", children=parse_boxes(payload))
    traf = moof.find(b"traf")
    defaults = parse_tfhd(traf.find(b"tfhd").payload, track_defaults or Defaults())
    tfdt = traf.find(b"tfdt").payload
    truns = [trun.payload for trun in traf.all(b"trun")]
    if not truns:
        raise BadMp4("a fragment holds no samples")
    # Checked before any run is parsed.
    claimed = sum(struct.unpack_from(">I", trun, 4)[0] for trun in truns)
    if claimed > max_samples:
        raise BadMp4(f"a fragment claims {claimed} samples")
    runs = tuple(parse_trun(trun, defaults) for trun in truns)
    return Fragment(
        offset=offset,
        size=size,
        moof=moof,
        moof_bytes=size,
        decode_time=int(struct.unpack_from(">Q" if tfdt[0] == 1 else ">I", tfdt, 4)[0]),
        runs=runs,
        starts_with_sync=not runs[0].first_flags & SAMPLE_IS_NOT_SYNC,
        data_offset=runs[0].data_offset,
    )


def parse_trex(payload: bytes) -> Defaults:
    return Defaults(*struct.unpack_from(">III", payload, 12))


def parse_tfhd(payload: bytes, track_defaults: Defaults) -> Defaults:
    """The fragment's own defaults, and the track's for those that it does not have."""
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
        values.get("duration", track_defaults.duration),
        values.get("size", track_defaults.size),
        values.get("flags", track_defaults.flags),
    )


def parse_trun(payload: bytes, defaults: Defaults) -> TrackRun:
    flags, samples = struct.unpack_from(">II", payload)
    offset, data_offset, first_flags = 8, 0, None
    if flags & 0x1:
        data_offset = struct.unpack_from(">i", payload, offset)[0]
        offset += 4
    if flags & 0x4:
        first_flags = struct.unpack_from(">I", payload, offset)[0]
        offset += 4
    fields = tuple(name for bit, name in FIELDS.items() if flags & bit)
    data = payload[offset : offset + samples * 4 * len(fields)]
    if len(data) < samples * 4 * len(fields):
        raise BadMp4(f"a run claims {samples} samples")
    if first_flags is None and "flags" in fields and samples:
        first_flags = struct.unpack_from(sample_format(fields), data)[fields.index("flags")]
    first_flags = defaults.flags if first_flags is None else first_flags
    return TrackRun(samples, data_offset, first_flags, defaults, fields, data)


def codec_name(moov: Box) -> str:
    """The RFC 6381 name of the first track's codec, from its decoder configuration: `avc1.64001f`, `mp4a.40.2`."""
    stsd = moov.find(b"trak", b"mdia", b"minf", b"stbl", b"stsd").payload
    at = stsd.find(b"avcC")
    if at >= 0:
        return "avc1." + stsd[at + 5 : at + 8].hex()
    if stsd[12:16] == b"mp4a":
        return "mp4a.40.2"  # AAC-LC, the only sound that is encoded here
    raise BadMp4("a track is neither H.264 nor AAC")
