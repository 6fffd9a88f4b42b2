"""Boxes: as trees in memory, and by their offsets in a file."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Protocol

# The largest box that is read into memory.
MAX_INDEX_BYTES = 16 * 1024**2
# Boxes of one segment, or within one box: enough for one for each picture of a long segment.
MAX_BOXES = 10_000
# Boxes within boxes. Real files have seven.
MAX_DEPTH = 16
# Boxes whose content is other boxes.
CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"edts", b"mvex", b"moof", b"traf", b"minf", b"stbl"})


class Readable(Protocol):
    """A file, or anything else of which parts can be read."""

    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


class BadMp4(ValueError):
    """The bytes are not the MP4 that they should be."""


@contextmanager
def refuse_short_boxes() -> Iterator[None]:
    """Raises BadMp4 where a box has fewer bytes than its fields need."""
    try:
        yield
    except (struct.error, IndexError) as error:
        raise BadMp4("a box is shorter than it claims") from error


@dataclass(frozen=True)
class Box:
    """A box in memory: a leaf has a `payload`, a container has `children`."""

    kind: bytes
    payload: bytes = b""
    children: tuple["Box", ...] = ()

    def to_bytes(self) -> bytes:
        body = self.payload + b"".join(child.to_bytes() for child in self.children)
        return struct.pack(">I4s", 8 + len(body), self.kind) + body

    def find(self, *path: bytes) -> "Box":
        """The first box at this path of kinds below this one. Raises BadMp4 when there is none."""
        box = self
        for kind in path:
            match = next((child for child in box.children if child.kind == kind), None)
            if match is None:
                raise BadMp4(f"no {kind.decode()} in {box.kind.decode()}")
            box = match
        return box

    def all(self, kind: bytes) -> list["Box"]:
        return [child for child in self.children if child.kind == kind]


def parse_boxes(data: bytes, depth: int = 0, counter: Iterator[int] | None = None) -> tuple[Box, ...]:
    """The boxes in these bytes, and those within them. `counter` counts the boxes of all depths. Raises BadMp4."""
    if depth > MAX_DEPTH:
        raise BadMp4("boxes lie too deep within each other")
    counter, result = counter or count(), []
    for kind, body in iterate_boxes(data):
        # Eight bytes of a file claim a box, which takes many times that in memory.
        if next(counter) == MAX_BOXES:
            raise BadMp4("it has too many boxes")
        is_container = kind in CONTAINERS
        result.append(Box(kind, children=parse_boxes(body, depth + 1, counter)) if is_container else Box(kind, body))
    return tuple(result)


def iterate_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and payload of each box, without looking into it. Raises BadMp4."""
    offset = 0
    while offset < len(data):
        if offset + 8 > len(data):
            raise BadMp4("a box header is cut off")
        size, kind = struct.unpack_from(">I4s", data, offset)
        if size < 8 or offset + size > len(data):
            raise BadMp4(f"box {kind!r} claims {size} bytes")
        yield kind, data[offset + 8 : offset + size]
        offset += size


def top_level(file: Readable, file_bytes: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, offset, header bytes and whole size of each top-level box, without reading its payload. Raises BadMp4."""
    offset = 0
    while offset < file_bytes:
        file.seek(offset)
        raw = file.read(16)
        if len(raw) < 8:
            raise BadMp4("the file is cut off in a box header")
        size, kind = struct.unpack_from(">I4s", raw)
        header = 8
        # A size of 1 means that the real one follows in 64 bits.
        if size == 1 and len(raw) == 16:
            size, header = struct.unpack_from(">Q", raw, 8)[0], 16
        if size < header or offset + size > file_bytes:
            raise BadMp4(f"box {kind!r} reaches past the end of the file")
        yield kind, offset, header, size
        offset += size


def read_payload(file: Readable, offset: int, header: int, size: int) -> bytes:
    if size > MAX_INDEX_BYTES:
        raise BadMp4("an index box is too large")
    file.seek(offset + header)
    return file.read(size - header)
