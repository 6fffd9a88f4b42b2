"""Reads MP4 that another service has cut into an init segment and media segments (ISO/IEC 23009-1, 6.3.4)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media_pipeline.mp4.boxes import (
    MAX_BOXES,
    BadMp4,
    Box,
    Readable,
    iterate_boxes,
    parse_boxes,
    read_payload,
    refuse_short_boxes,
    top_level,
)
from media_pipeline.mp4.tracks import MAX_SAMPLES, Defaults, Fragment, parse_fragment, parse_timescale, parse_trex

KINDS = {b"vide": "video", b"soun": "audio"}
ENCRYPTED = (b"encv", b"enca")
BRAND = re.compile(rb"[A-Za-z0-9-]+")
# Bytes of a stsd before its sample entries: version, flags, count.
BEFORE_SAMPLE_ENTRIES = 8
# Bytes of a sample entry's fields, behind which its codec is described.
BEFORE_CONFIGURATION = {"video": 78, "audio": 28}
# The object type of MPEG-4 audio (ISO/IEC 14496-1, table 5).
MPEG4_AUDIO = 0x40


@dataclass(frozen=True)
class InitSegment:
    """One track without media. `codec` is the RFC 6381 name, complete for H.264 and MPEG-4 audio."""

    kind: str  # video or audio
    codec: str
    timescale: int
    track_id: bytes
    width: int
    height: int
    language: str  # ISO 639-2
    defaults: Defaults


@dataclass(frozen=True)
class MediaSegment:
    """The times of a segment in ticks of its track, and what it holds."""

    size_bytes: int
    decode_time: int
    duration: int
    samples: int
    starts_with_sync: bool

    @property
    def end(self) -> int:
        return self.decode_time + self.duration


@refuse_short_boxes()
def parse_init(data: bytes) -> InitSegment:
    """Raises BadMp4 for anything but one track of picture or sound that is described and not encrypted."""
    moov = next((Box(kind, children=parse_boxes(body)) for kind, body in iterate_boxes(data) if kind == b"moov"), None)
    if moov is None:
        raise BadMp4("there is no moov in it")
    if len(moov.all(b"trak")) != 1:
        raise BadMp4("picture and sound must lie apart, one track in each")
    trak = moov.find(b"trak")
    kind = KINDS.get(trak.find(b"mdia", b"hdlr").payload[8:12])
    if kind is None:
        raise BadMp4("its track is neither picture nor sound")
    tkhd = trak.find(b"tkhd").payload
    # Times before the id have 64 bits in version 1, else 32.
    at = 20 if tkhd[0] == 1 else 12
    track_id = tkhd[at : at + 4]
    trex = next((one.payload for one in moov.find(b"mvex").all(b"trex") if one.payload[4:8] == track_id), None)
    entries = list(iterate_boxes(trak.find(b"mdia", b"minf", b"stbl", b"stsd").payload[BEFORE_SAMPLE_ENTRIES:]))
    if trex is None or not entries or not parse_timescale(trak):
        raise BadMp4("its track is not described")
    if any(name in ENCRYPTED for name, _ in entries):
        raise BadMp4("it is encrypted")
    name, entry = entries[0]
    width, height = struct.unpack_from(">HH", entry, 24) if kind == "video" else (0, 0)
    codec = parse_codec(name, entry[BEFORE_CONFIGURATION[kind] :])
    mdhd = trak.find(b"mdia", b"mdhd").payload
    # Three letters of five bits each.
    packed = struct.unpack_from(">H", mdhd, 32 if mdhd[0] == 1 else 20)[0]
    language = "".join(chr(0x60 + (packed >> shift & 0x1F)) for shift in (10, 5, 0))
    return InitSegment(kind, codec, parse_timescale(trak), track_id, width, height, language, parse_trex(trex))


def parse_codec(name: bytes, configuration: bytes) -> str:
    """`avc1.64001f`, `mp4a.40.2`; for other codecs the name of the sample entry alone. Raises BadMp4."""
    if not BRAND.fullmatch(name.strip()):
        raise BadMp4("its codec has no name")
    text, boxes = name.decode().strip(), dict(iterate_boxes(configuration))
    if b"avcC" in boxes:
        return f"{text}.{boxes[b'avcC'][1:4].hex()}"
    if name == b"mp4a" and b"esds" in boxes:
        return f"mp4a.{parse_audio_type(boxes[b'esds'][4:])}"
    return text


def parse_audio_type(descriptors: bytes) -> str:
    """`40.2`: the object type of the decoder configuration and, for MPEG-4 audio, its audio object type."""
    tag, body = parse_descriptor(descriptors)
    # 3 is the ES_Descriptor. The flags announce optional parts, which are not read because no file has them.
    if tag != 3 or body[2] & 0xE0:
        raise BadMp4("its sound is not described")
    # 4 is the DecoderConfigDescriptor.
    tag, body = parse_descriptor(body[3:])
    if tag != 4:
        raise BadMp4("its sound is not described")
    object_type = body[0]
    if object_type != MPEG4_AUDIO:
        return f"{object_type:02x}"
    _, specific = parse_descriptor(body[13:])
    audio_type = specific[0] >> 3
    # 31 means that six more bits follow.
    if audio_type == 31:
        audio_type = 32 + ((specific[0] & 7) << 3 | specific[1] >> 5)
    return f"40.{audio_type}"


def parse_descriptor(data: bytes) -> tuple[int, bytes]:
    """Tag and body of the first descriptor (ISO/IEC 14496-1, 8.3.3), whose length takes one to four bytes."""
    length, at = 0, 1
    while at <= 4:
        length = length << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            break
    return data[0], data[at : at + length]


@refuse_short_boxes()
def read_segment(file: Readable, size_bytes: int, init: InitSegment) -> MediaSegment:
    """Describes a segment without reading its media.

    Raises BadMp4 unless it has one or more complete fragments of the init segment's track, in order.
    """
    start: int | None = None
    end, samples, starts_with_sync = 0, 0, False
    # One fragment is in memory at a time: a segment may have thousands.
    for one in iterate_fragments(file, size_bytes, init):
        if one.moof.find(b"traf", b"tfhd").payload[4:8] != init.track_id:
            raise BadMp4("a fragment is of another track than the init segment's")
        if one.samples and not one.media_bytes:
            raise BadMp4("its samples are empty")
        if start is None:
            start, starts_with_sync = one.decode_time, one.starts_with_sync
        elif one.decode_time < end:
            raise BadMp4("its fragments are not in order")
        end = one.decode_time + one.duration
        samples += one.samples
    if start is None:
        raise BadMp4("there is no fragment in it")
    if end <= start:
        raise BadMp4("it plays for no time")
    return MediaSegment(size_bytes, start, end - start, samples, starts_with_sync)


def iterate_fragments(file: Readable, size_bytes: int, init: InitSegment) -> Iterator[Fragment]:
    """Raises BadMp4 when a fragment has no media behind it, or not all of its media."""
    pending: Fragment | None = None
    # The limit is for all fragments together, so that many small ones do not add up.
    samples_left = MAX_SAMPLES
    for number, (kind, offset, header, size) in enumerate(top_level(file, size_bytes)):
        if number == MAX_BOXES:
            raise BadMp4("it has too many boxes")
        if kind == b"moof":
            if pending:
                break
            payload = read_payload(file, offset, header, size)
            pending = parse_fragment(payload, offset, size, init.defaults, max_samples=samples_left)
            samples_left -= pending.samples
        elif kind == b"mdat" and pending:
            if size - header < pending.media_bytes:
                break
            yield pending
            pending = None
    if pending:
        raise BadMp4("the media of a fragment are not all there")
