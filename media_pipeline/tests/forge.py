"""Forges files byte by byte: containers with any header that a test asks for, and with tiny pictures.

MOV and MP4 are boxes, Matroska is EBML elements, AVI is RIFF chunks; the pictures are PNGs in all of them.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence

IDENTITY = (1, 0, 0, 1)
BLACK, WHITE = 0x00, 0xFF
RAW = bytes(4)  # raw video, which needs no decoder: 64×36 pixels of three bytes

# --- pictures --------------------------------------------------------------------------------------------------------


def png(
    width: int = 64,
    height: int = 36,
    *,
    fill: int = WHITE,
    is_rich: bool = False,
    text: bytes = b"",
    claims: tuple[int, int] | None = None,
) -> bytes:
    """A PNG of one colour, with one bit or eight bytes for a pixel.

    `text` is compressed into a comment; `claims` is the size in its header.
    """
    packer = zlib.compressobj(9)
    row = b"\0" + bytes([fill]) * (8 * width if is_rich else -(-width // 8))
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", *(claims or (width, height)), *((16, 6) if is_rich else (1, 0)), 0, 0, 0)
    comment = [(b"zTXt", b"Comment\0\0" + text)] if text else []
    chunks = [(b"IHDR", head), *comment, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(size: int) -> bytes:
    """Zero bytes of this length, compressed a thousandfold."""
    packer = zlib.compressobj(9)
    block = bytes(1024**2)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


# --- MOV and MP4 -----------------------------------------------------------------------------------------------------


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", flags), *parts)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


HERE = full_box(b"url ", flags=1)  # the media are in this file


def mov(
    samples: Sequence[bytes],
    *,
    size: tuple[int, int] = (64, 36),
    timescale: int = 25_000,
    times: bytes = b"",
    sizes: bytes = b"",
    ticks: int = 1000,
    duration: int | None = None,
    matrix: tuple[int, int, int, int] = IDENTITY,
    edits: bytes = b"",
    reference: bytes = HERE,
    tracks: int = 1,
    compressed: bytes = b"",
    more: bytes = b"",
) -> bytes:
    """A QuickTime film.

    `times` and `sizes` replace the bodies of `stts` and `stsz`, `ticks` is the duration of a sample, `compressed`
    replaces the whole index by a zlib stream, and `more` comes after the last track.
    """
    head = box(b"ftyp", b"qt  ", numbers(512), b"qt  ")
    media = box(b"mdat", *samples)
    length = len(samples) * ticks if duration is None else duration
    table = box(
        b"stbl",
        full_box(b"stsd", numbers(1), picture_entry(size)),
        full_box(b"stts", times or numbers(1, len(samples), ticks)),
        full_box(b"stsc", numbers(1, 1, len(samples), 1)),
        full_box(b"stsz", sizes or numbers(0, len(samples), *map(len, samples))),
        full_box(b"stco", numbers(1, len(head) + 8)),
    )
    places = box(b"dinf", full_box(b"dref", numbers(1), reference))
    track = box(
        b"trak",
        track_header(size, length, matrix),
        edits,
        box(
            b"mdia",
            full_box(b"mdhd", numbers(0, 0, timescale, length, 0x55C4_0000)),
            full_box(b"hdlr", b"mhlrvide", bytes(13)),
            box(b"minf", full_box(b"vmhd", bytes(8), flags=1), places, table),
        ),
    )
    film = full_box(b"mvhd", numbers(0, 0, 1000, min(length, 0xFFFF_FFFF), 0x1_0000), bytes(12), bytes(60), numbers(2))
    return head + media + box(b"moov", compressed or film + track * tracks + more)


def picture_entry(size: tuple[int, int]) -> bytes:
    shape = struct.pack(">HHIIIH", *size, 0x48_0000, 0x48_0000, 0, 1)
    return box(b"png ", bytes(6), struct.pack(">H", 1), bytes(16), shape, bytes(32), struct.pack(">Hh", 24, -1))


def track_header(size: tuple[int, int], length: int, matrix: tuple[int, int, int, int]) -> bytes:
    a, b, c, d = (value * 0x1_0000 for value in matrix)
    turn = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x4000_0000)
    return full_box(b"tkhd", numbers(0, 0, 1, 0, length), bytes(16), turn, numbers(*(n << 16 for n in size)), flags=7)


def compressed_index(claimed_bytes: int, packed: bytes) -> bytes:
    """The content of a `moov` with a compressed index."""
    return box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", numbers(claimed_bytes), packed))


def alias(path: str) -> bytes:
    """A QuickTime reference to another file."""
    name = path.encode() + b"\0" * (len(path) % 2)
    volume = bytes(2) + b"\x04disk".ljust(28, b"\0") + bytes(4) + b"H+" + bytes(6)
    file = b"\x08film.mov".ljust(64, b"\0") + bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    paths = b"".join(struct.pack(">hH", kind, len(path)) + name for kind in (2, 18))
    return full_box(b"alis", bytes(4), struct.pack(">HH", 0, 2), volume, file, paths, struct.pack(">hh", -1, 0))


# --- Matroska --------------------------------------------------------------------------------------------------------


def element(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(kind) + (1 << 56 | len(body)).to_bytes(8, "big") + body


def integer(kind: str, value: int) -> bytes:
    return element(kind, value.to_bytes(8, "big"))


def decimal(kind: str, value: float) -> bytes:
    return element(kind, struct.pack(">d", value))


def mkv(tracks: Iterable[bytes], blocks: Iterable[bytes], *, duration: float | None = None, more: bytes = b"") -> bytes:
    """A Matroska film with a clock in milliseconds; `more` comes between the tracks and the pictures."""
    head = element("1A45DFA3", element("4282", b"matroska"), integer("4287", 4), integer("4285", 2))
    length = b"" if duration is None else decimal("4489", duration)
    info = element("1549A966", integer("2AD7B1", 1_000_000), element("4D80", b"x"), element("5741", b"x"), length)
    return head + element("18538067", info, element("1654AE6B", *tracks), more, *blocks)


def picture_track(
    *, size: tuple[int, int] = (64, 36), frame_ns: int = 40_000_000, codec: bytes = b"MPNG", more: bytes = b""
) -> bytes:
    """A track of PNGs with a Windows bitmap header, or of another codec; `frame_ns=0` omits the frames' duration."""
    bitmap = struct.pack("<IiiHH4sIiiII", 40, 64, 36, 1, 24, codec, 0, 0, 0, 0, 0)
    rate = integer("23E383", frame_ns) if frame_ns else b""
    windows = element("86", b"V_MS/VFW/FOURCC") + element("63A2", bitmap)
    shape = element("E0", integer("B0", size[0]), integer("BA", size[1]))
    return element("AE", integer("D7", 1), integer("73C5", 1), integer("83", 1), windows, rate, shape, more)


def sound_track(number: int = 2, *, sample_rate: float = 48_000, channels: int = 2, language: bytes = b"und") -> bytes:
    shape = element("E1", decimal("B5", sample_rate), integer("9F", channels), integer("6264", 16))
    codec = element("22B59C", language) + element("86", b"A_PCM/INT/LIT")
    return element("AE", integer("D7", number), integer("73C5", number), integer("83", 2), codec, shape)


def cluster(at_ms: int, *blocks: bytes) -> bytes:
    return element("1F43B675", integer("E7", at_ms), *blocks)


def block(track: int, data: bytes, after_ms: int = 0) -> bytes:
    """Returns a block with a picture or sound, at this time after the beginning of its cluster."""
    return element("A3", bytes([0x80 | track]), struct.pack(">hB", after_ms, 0x80), data)


def shown_at(times_ms: Iterable[int], pictures: Sequence[bytes]) -> list[bytes]:
    """Returns clusters with one picture each; the pictures repeat in this order."""
    return [cluster(time, block(1, pictures[number % len(pictures)])) for number, time in enumerate(times_ms)]


# --- AVI -------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def avi(
    pictures: Sequence[bytes], *, size: tuple[int, int] = (64, 36), rate: int = 25, scale: int = 1, frames: int = 0
) -> bytes:
    """An AVI of `rate` / `scale` frames a second; both headers claim `frames`, however many there are."""
    count = frames or len(pictures)
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, count, 0, 1, 0, *size, 0, 0, 0, 0)
    stream = struct.pack(
        "<4s4sIHHIIIIIIIIHHHH", b"vids", b"MPNG", 0, 0, 0, 0, scale, rate, 0, count, 0, 0, 0, 0, 0, 0, 0
    )
    bitmap = struct.pack("<IiiHH4sIiiII", 40, *size, 1, 24, b"MPNG", 0, 0, 0, 0, 0)
    tracks = chunk(b"LIST", b"strl", chunk(b"strh", stream), chunk(b"strf", bitmap))
    media = chunk(b"LIST", b"movi", *(chunk(b"00dc", picture) for picture in pictures))
    return chunk(b"RIFF", b"AVI ", chunk(b"LIST", b"hdrl", chunk(b"avih", main), tracks), media)


# --- MPEG-TS ---------------------------------------------------------------------------------------------------------


def stream_of_programs(programs: int, streams: int) -> bytes:
    """Makes a transport stream with `programs` programs of `streams` video streams each, and no packet of a stream."""
    tables = [(0, section(0, 1, b"".join(struct.pack(">HH", n + 1, 0xE000 | 0x100 + n) for n in range(programs))))]
    for number in range(programs):
        first = 0x400 + number * streams
        entries = b"".join(struct.pack(">BHH", 0x1B, 0xE000 | first + n, 0xF000) for n in range(streams))
        tables.append((0x100 + number, section(2, number + 1, struct.pack(">HH", 0xFFFF, 0xF000) + entries)))
    return b"".join(packet for pid, table in tables for packet in packets(pid, table)) * 20


def section(table: int, number: int, body: bytes) -> bytes:
    head = struct.pack(">BHHBBB", table, 0xB000 | len(body) + 9, number, 0xC1, 0, 0)
    return head + body + struct.pack(">I", crc_of_mpeg(head + body))


def crc_of_mpeg(data: bytes) -> int:
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return crc


def packets(pid: int, table: bytes) -> Iterable[bytes]:
    """Returns the table in packets of 188 bytes; the first one has the pointer to its beginning."""
    data = b"\0" + table
    for number, start in enumerate(range(0, len(data), 184)):
        head = struct.pack(">BHB", 0x47, pid | (0x4000 if number == 0 else 0), 0x10 | number & 0xF)
        yield head + data[start : start + 184].ljust(184, b"\xff")
