"""Uploaded pictures: their kind, which way is up, and the command that repaints them."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from media_pipeline.pictures.uploaded import KINDS, TURNS, detect_kind, parse_orientation, picture_args, upright_filters
from media_pipeline.tests.golden import golden_list

JPEG_HEAD, JPEG_REST = b"\xff\xd8", b"\xff\xda\0\x02picture\xff\xd9"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
WHERE = b"N 48.1 E 11.5"  # a place, which must not be published


def exif(orientation: int, *, order: str = "<", tag: int = 0x0112, kind: int = 3) -> bytes:
    """A block of two entries: a description that says where the picture was taken, and the orientation."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, 2)
    described = struct.pack(f"{order}HHII", 0x010E, 2, len(WHERE), 38)
    turned = struct.pack(f"{order}HHIHH", tag, kind, 1, orientation, 0)
    return head + described + turned + struct.pack(f"{order}I", 0) + WHERE


def in_jpeg(block: bytes, rest: bytes = JPEG_REST) -> bytes:
    """The EXIF data after another segment, as cameras write them."""
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    return JPEG_HEAD + b"\xff\xe0\0\x04JF" + segment + rest


def in_png(block: bytes, rest: bytes = b"\0\0\0\0IDAT1234") -> bytes:
    return (
        PNG_HEAD
        + struct.pack(">I", len(block))
        + b"eXIf"
        + block
        + struct.pack(">I", zlib.crc32(b"eXIf" + block))
        + rest
    )


def in_webp(block: bytes) -> bytes:
    chunks = b"WEBPVP8 \x03\0\0\0abc\0EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


CONTAINERS = [in_jpeg, in_png, in_webp]


@pytest.mark.parametrize(
    ("name", "kind", "turn"),
    [("poster_jpeg_turned.txt", "jpeg_pipe", "transpose=clock"), ("poster_png.txt", "png_pipe", "")],
)
def test_the_command_is_exactly_this(name: str, kind: str, turn: str) -> None:
    source, poster, small = (Path("/scratch", name) for name in ("upload", "poster.jpg", "poster_small.jpg"))

    assert picture_args("ffmpeg", kind, turn, source, poster, small) == golden_list(name)


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg_pipe"),
        (PNG_HEAD, "png_pipe"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp_pipe"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"#EXTM3U", None),
        (b"\0\0\0\x20ftypavif", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(picture: bytes, kind: str | None) -> None:
    assert detect_kind(picture) == kind
    assert kind is None or kind in KINDS


@pytest.mark.parametrize("put_in", CONTAINERS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_says_which_way_up_it_is(put_in: Callable[[bytes], bytes], order: str, orientation: int) -> None:
    assert upright_filters(put_in(exif(orientation, order=order))) == TURNS.get(orientation, "")


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_invalid_orientation_turns_nothing(orientation: int) -> None:
    assert upright_filters(in_jpeg(exif(orientation))) == ""


@pytest.mark.parametrize(
    "block", [b"", b"II", b"XX*\0", exif(6, tag=0x0113), exif(6, kind=4), b"II*\0\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("put_in", CONTAINERS)
def test_a_block_without_an_orientation_turns_nothing(put_in: Callable[[bytes], bytes], block: bytes) -> None:
    assert upright_filters(put_in(block)) == ""


@pytest.mark.parametrize("put_in", CONTAINERS)
def test_a_picture_that_is_cut_off_anywhere_is_turned_correctly_or_not_at_all(put_in: Callable[[bytes], bytes]) -> None:
    picture = put_in(exif(6))

    assert {upright_filters(picture[:end]) for end in range(len(picture))} <= {"", TURNS[6]}


@pytest.mark.parametrize("size", [b"\0\0", b"\0\1", b"\xff\xff"])
def test_false_lengths_end_the_search(size: bytes) -> None:
    assert upright_filters(JPEG_HEAD + b"\xff\xe0" + size * 20_000) == ""
    assert upright_filters(PNG_HEAD + size * 20_000) == ""
    assert upright_filters(b"RIFF\0\0\0\0WEBP" + size * 20_000) == ""


def test_a_block_of_very_many_entries_is_read_to_its_end_only() -> None:
    with pytest.raises(struct.error):
        parse_orientation(b"II*\0\x08\0\0\0\xff\xff" + bytes(12) * 1000)
