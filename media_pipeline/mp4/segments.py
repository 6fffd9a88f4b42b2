"""Fragmented MP4 that another service has cut into an init segment and media segments (ISO/IEC 23009-1, 6.3.4)."""

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
    top_level,
)
from media_pipeline.mp4.tracks import MAX_SAMPLES, Defaults, Fragment, parse_fragment, parse_trex, timescale_of

KINDS = {b"vide": "video", b"soun": "audio"}
ENCRYPTED = (b"encv", b"enca")
BRAND = re.compile(rb"[A-Za-z0-9-]+")
BEFORE_SAMPLE_ENTRIES = 8  # bytes of stsd: version, flags, count
BEFORE_CONFIGURATION = {"video": 78, "audio": 28}  # bytes of a sample entry's fields
MPEG4_AUDIO = 0x40


@dataclass(frozen=True)
class InitSegment:
    """One track without media. `codec` is its name in RFC 6381, in full for H.264 and MPEG-4 audio."""

    kind: str  # video or audio
    codec: str
    timescale: int
    track_id: bytes
    width: int
    height: int
    language: str  # as ISO 639-2 has it
    defaults: Defaults


@dataclass(frozen=True)
class MediaSegment:
    """Times in ticks of the track."""

    size_bytes: int
    decode_time: int
    duration: int
    samples: int
    starts_with_sync: bool

    @property
    def end(self) -> int:
        return self.decode_time + self.duration


def parse_init(data: bytes) -> InitSegment:
    """Raises BadMp4."""
    try:
        return _parse_init(data)
    except (struct.error, IndexError) as error:
        raise BadMp4("a box is shorter than it claims") from error


def _parse_init(data: bytes) -> InitSegment:
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
    at = 20 if tkhd[0] == 1 else 12
    track_id = tkhd[at : at + 4]
    trex = next((one.payload for one in moov.find(b"mvex").all(b"trex") if one.payload[4:8] == track_id), None)
    entries = list(iterate_boxes(trak.find(b"mdia", b"minf", b"stbl", b"stsd").payload[BEFORE_SAMPLE_ENTRIES:]))
    if trex is None or not entries or not timescale_of(trak):
        raise BadMp4("its track is not described")
    if any(name in ENCRYPTED for name, _ in entries):
        raise BadMp4("it is encrypted")
    name, entry = entries[0]
    width, height = struct.unpack_from(">HH", entry, 24) if kind == "video" else (0, 0)
    codec = codec_name(name, entry[BEFORE_CONFIGURATION[kind] :])
    language = language_of(trak.find(b"mdia", b"mdhd").payload)
    return InitSegment(kind, codec, timescale_of(trak), track_id, width, height, language, parse_trex(trex))


def language_of(mdhd: bytes) -> str:
    packed = struct.unpack_from(">H", mdhd, 32 if mdhd[0] == 1 else 20)[0]
    return "".join(chr(0x60 + (packed >> shift & 0x1F)) for shift in (10, 5, 0))


def codec_name(name: bytes, configuration: bytes) -> str:
    """`avc1.64001f`, `mp4a.40.2`; only the name of the sample entry where its parameters are not read here."""
    boxes = dict(iterate_boxes(configuration))
    if b"avcC" in boxes:
        return f"{ascii_of(name)}.{boxes[b'avcC'][1:4].hex()}"
    if name == b"mp4a" and b"esds" in boxes:
        return f"mp4a.{mpeg4_audio_name(boxes[b'esds'][4:])}"
    return ascii_of(name)


def ascii_of(name: bytes) -> str:
    if not BRAND.fullmatch(name.strip()):
        raise BadMp4("its codec has no name")
    return name.decode().strip()


def mpeg4_audio_name(descriptors: bytes) -> str:
    """`40.2`: the object type of the decoder configuration and, of MPEG-4 audio, of what it holds."""
    tag, body = descriptor(descriptors)
    if tag != 3 or body[2] & 0xE0:  # with parts that no file has
        raise BadMp4("its sound is not described")
    tag, body = descriptor(body[3:])
    if tag != 4:
        raise BadMp4("its sound is not described")
    object_type = body[0]
    if object_type != MPEG4_AUDIO:
        return f"{object_type:02x}"
    _, specific = descriptor(body[13:])
    audio_type = specific[0] >> 3
    if audio_type == 31:
        audio_type = 32 + ((specific[0] & 7) << 3 | specific[1] >> 5)
    return f"40.{audio_type}"


def descriptor(data: bytes) -> tuple[int, bytes]:
    """Tag and body of the first one (ISO/IEC 14496-1, 8.3.3); its length takes one to four bytes."""
    length, at = 0, 1
    while at <= 4:
        length = length << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            break
    return data[0], data[at : at + length]


def read_segment(file: Readable, size_bytes: int, init: InitSegment) -> MediaSegment:
    """One or more fragments of the init segment's track, each whole and in order. Reads no media. Raises BadMp4."""
    try:
        return _read_segment(file, size_bytes, init)
    except (struct.error, IndexError) as error:
        raise BadMp4("a box is shorter than it claims") from error


def _read_segment(file: Readable, size_bytes: int, init: InitSegment) -> MediaSegment:
    start: int | None = None
    end, samples, starts_with_sync = 0, 0, False
    for one in whole_fragments(file, size_bytes, init):  # one in memory at a time
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


def whole_fragments(file: Readable, size_bytes: int, init: InitSegment) -> Iterator[Fragment]:
    """Raises BadMp4 where one has no media behind it, or not all."""
    waiting: Fragment | None = None
    samples_left = MAX_SAMPLES  # of all fragments together
    for number, (kind, offset, header, size) in enumerate(top_level(file, size_bytes)):
        if number == MAX_BOXES:
            raise BadMp4("it has too many boxes")
        if kind == b"moof":
            if waiting:
                break
            payload = read_payload(file, offset, header, size)
            waiting = parse_fragment(payload, offset, size, init.defaults, max_samples=samples_left)
            samples_left -= waiting.samples
        elif kind == b"mdat" and waiting:
            if size - header < waiting.media_bytes:
                break
            yield waiting
            waiting = None
    if waiting:
        raise BadMp4("the media of a fragment are not all there")
