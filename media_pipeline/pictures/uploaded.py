"""Pictures that people upload as posters: which kind they are, which way up, and how ffmpeg repaints them; pure."""

import struct
from collections.abc import Iterator
from pathlib import Path

from media_pipeline.pictures.poster import (
    POSTER_LONG_SIDE,
    POSTER_QUALITY,
    SMALL_POSTER_LONG_SIDE,
    SMALL_POSTER_QUALITY,
)
from media_pipeline.sources.formats import PROTOCOLS

# By demuxer. None of them opens another file, and one that lies about its kind is not decoded as another.
KINDS = ("jpeg_pipe", "png_pipe", "webp_pipe")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
MAX_MEGAPIXELS = 64
MAX_ALLOCATION_BYTES = 512 * 1024**2

ORIENTATION_TAG = 0x0112
SHORT = 3  # the type of the tag's value
# What a viewer does to a picture with this EXIF orientation; ffmpegs differ in whether they do it by themselves.
TURNS = {
    2: "hflip", 3: "hflip,vflip", 4: "vflip", 5: "transpose=cclock_flip", 6: "transpose=clock",
    7: "transpose=clock_flip", 8: "transpose=cclock",
}  # fmt: skip


def kind_of(picture: bytes) -> str | None:
    """By its first bytes; None for what is no JPEG, PNG or WebP."""
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpeg_pipe"
    if picture.startswith(PNG_HEAD):
        return "png_pipe"
    return "webp_pipe" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else None


def picture_args(ffmpeg: str, kind: str, turn: str, source: Path, poster: Path, small: Path) -> list[str]:
    """One picture as JPEGs of at most 1280 and 640 on the long side, turned upright, nothing else kept of it."""
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
        *("-protocol_whitelist", PROTOCOLS, "-format_whitelist", ",".join(KINDS)),
        *("-max_pixels", str(MAX_MEGAPIXELS * 1_000_000), "-max_alloc", str(MAX_ALLOCATION_BYTES)),
        # Half a picture is none; and the turning is left to the filters below.
        *("-err_detect", "explode", "-threads", "1", "-noautorotate", "-f", kind, "-i", f"file:{source}"),
        *("-filter_complex_threads", "1", "-filter_complex", picture_filter(turn)),
        *jpeg_args("[poster]", POSTER_QUALITY, poster),
        *jpeg_args("[small]", SMALL_POSTER_QUALITY, small),
    ]


def jpeg_args(stage: str, quality: int, path: Path) -> list[str]:
    return [
        *("-map", stage, "-frames:v", "1", "-map_metadata", "-1"),
        # bitexact: without a comment that names the encoder.
        *("-c:v", "mjpeg", "-q:v", str(quality), "-threads", "1", "-flags", "+bitexact", "-f", "mjpeg", str(path)),
    ]


def picture_filter(turn: str) -> str:
    """Scaled down first, which is the cheapest; what is transparent becomes black."""
    steps = [
        scale_within(POSTER_LONG_SIDE),
        "format=gbrap",
        "premultiply=inplace=1",
        *([turn] if turn else []),
        # A JPEG's colours are those of BT.601 in full range.
        "scale=out_color_matrix=bt601:out_range=pc",
        "format=yuvj420p",
        "setsar=1",
    ]
    return f"[0:v:0]{','.join(steps)},split=2[poster][r];[r]{scale_within(SMALL_POSTER_LONG_SIDE)},setsar=1[small]"


def scale_within(long_side: int) -> str:
    """Never larger than it is, and of even lengths: colours have half as many pixels, and the last must not be half one
    of the picture and half none. A picture of a line becomes one of two."""
    fitted = f"min(1,{long_side}/max(iw,ih))"
    width, height = (f"'max(2,2*trunc({side}*{fitted}/2+0.001))'" for side in ("iw", "ih"))
    return f"scale={width}:{height}:flags=bicubic"


def turn_of(picture: bytes) -> str:
    """The filters that turn it upright, as its EXIF data say; empty when nothing is to be done or nothing is said."""
    try:
        return next((TURNS.get(orientation_of(exif), "") for exif in find_exif(picture)), "")
    except (struct.error, IndexError):
        return ""  # cut off in the middle of them


def is_moving(picture: bytes) -> bool:
    """Animations in WebP, which ffmpeg's decoder does not know."""
    return kind_of(picture) == "webp_pipe" and any(name == b"ANIM" for name, _ in webp_chunks(picture))


def find_exif(picture: bytes) -> Iterator[bytes]:
    """The blocks of EXIF data, without the name that JPEG and some WebP files put before them."""
    chunks = {"jpeg_pipe": jpeg_segments, "png_pipe": png_chunks, "webp_pipe": webp_chunks}
    names = {b"\xe1", b"eXIf", b"EXIF"}
    kind = kind_of(picture)
    for name, content in chunks[kind](picture) if kind else ():
        is_named = content.startswith(b"Exif\0\0")
        if name in names and (is_named or name != b"\xe1"):
            yield content[6:] if is_named else content


def jpeg_segments(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Those before the image data."""
    at = 2
    while at + 4 <= len(picture) and picture[at] == 0xFF and picture[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", picture, at + 2)
        yield picture[at + 1 : at + 2], picture[at + 4 : at + 2 + size]
        at += 2 + max(size, 2)


def png_chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG_HEAD)
    while at + 8 <= len(picture):
        size, name = struct.unpack_from(">I4s", picture, at)
        yield name, picture[at + 8 : at + 8 + size] if name == b"eXIf" else b""
        at += 12 + size


def webp_chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(picture):
        name, size = struct.unpack_from("<4sI", picture, at)
        yield name, picture[at + 8 : at + 8 + size] if name == b"EXIF" else b""
        at += 8 + size + size % 2


def orientation_of(exif: bytes) -> int:
    """1 to 8; 1 where it is not said. Raises struct.error when the block ends too early."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, directory)
    for number in range(entries):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, directory + 2 + 12 * number)
        if tag == ORIENTATION_TAG and kind == SHORT:
            return int(value)
    return 1
