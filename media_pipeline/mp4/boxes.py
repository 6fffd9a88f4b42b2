"""Boxes: in memory as trees, in a file as places."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

MAX_INDEX_BYTES = 16 * 1024**2  # bytes of a box that is read into memory
MAX_BOXES = 10_000  # of one segment, or within one box: a box for each picture of a long segment
MAX_DEPTH = 16  # boxes within boxes; real files have seven
CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"edts", b"mvex", b"moof", b"traf", b"minf", b"stbl"})


class Readable(Protocol):
    """A file, or an object of which parts are read."""

    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


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


def parse_boxes(data: bytes, depth: int = 0, counter: Iterator[int] | None = None) -> tuple[Box, ...]:
    """Raises BadMp4. `counter` counts the boxes of all depths: eight bytes make one, which takes many times that."""
    if depth > MAX_DEPTH:
        raise BadMp4("boxes lie too deep within each other")
    counter, found = counter or count(), []
    for kind, body in iterate_boxes(data):
        if next(counter) == MAX_BOXES:
            raise BadMp4("it has too many boxes")
        is_container = kind in CONTAINERS
        found.append(Box(kind, children=parse_boxes(body, depth + 1, counter)) if is_container else Box(kind, body))
    return tuple(found)


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


def top_level(file: Readable, file_bytes: int) -> Iterator[tuple[bytes, int, int, int]]:
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


def read_payload(file: Readable, offset: int, header: int, size: int) -> bytes:
    if size > MAX_INDEX_BYTES:
        raise BadMp4("an index box is too large")
    file.seek(offset + header)
    return file.read(size - header)
