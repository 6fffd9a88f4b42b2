"""Pictures that people upload as posters: their kind, which way is up, and how ffmpeg repaints them; pure."""

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

# Demuxers. None of them opens another file, and a picture that lies about its kind is not decoded as another.
KINDS = ("jpeg_pipe", "png_pipe", "webp_pipe")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
# A picture is decoded whole before it is scaled.
MAX_MEGAPIXELS = 64
MAX_PICTURE_ALLOCATION_BYTES = 512 * 1024**2

# The tag of EXIF that says which way is up, and the type that its value must have.
ORIENTATION_TAG = 0x0112
SHORT = 3
# The filters that turn a picture of this EXIF orientation upright. Versions of ffmpeg differ in whether they do so by
# themselves, so they are told not to.
TURNS = {
    2: "hflip", 3: "hflip,vflip", 4: "vflip", 5: "transpose=cclock_flip", 6: "transpose=clock",
    7: "transpose=clock_flip", 8: "transpose=cclock",
}  # fmt: skip


def detect_kind(picture: bytes) -> str | None:
    """The demuxer for a picture, by its first bytes; None unless it is a JPEG, PNG or WebP."""
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpeg_pipe"
    if picture.startswith(PNG_HEAD):
        return "png_pipe"
    return "webp_pipe" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else None


def picture_args(ffmpeg: str, kind: str, turn: str, source: Path, poster: Path, small: Path) -> list[str]:
    """One picture as JPEGs of at most 1280 and 640 on the long side, turned upright, without anything else in it."""
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
        *("-protocol_whitelist", PROTOCOLS, "-format_whitelist", ",".join(KINDS)),
        *("-max_pixels", str(MAX_MEGAPIXELS * 1_000_000), "-max_alloc", str(MAX_PICTURE_ALLOCATION_BYTES)),
        # explode: a picture of which half is missing is refused, not shown half grey. noautorotate: the filters below
        # turn the picture.
        *("-err_detect", "explode", "-threads", "1", "-noautorotate", "-f", kind, "-i", f"file:{source}"),
        *("-filter_complex_threads", "1", "-filter_complex", picture_filter(turn)),
        *jpeg_args("[poster]", POSTER_QUALITY, poster),
        *jpeg_args("[small]", SMALL_POSTER_QUALITY, small),
    ]


def jpeg_args(stage: str, quality: int, path: Path) -> list[str]:
    return [
        # Cameras write where and when a picture was taken.
        *("-map", stage, "-frames:v", "1", "-map_metadata", "-1"),
        # bitexact leaves out the comment that names the encoder.
        *("-c:v", "mjpeg", "-q:v", str(quality), "-threads", "1", "-flags", "+bitexact", "-f", "mjpeg", str(path)),
    ]


def picture_filter(turn: str) -> str:
    """The filters for both sizes; `turn` has those that turn the picture upright."""
    steps = [
        # First, so that everything after it works on fewer pixels.
        scale_within(POSTER_LONG_SIDE),
        # JPEG has no transparency: transparent parts become black.
        "format=gbrap",
        "premultiply=inplace=1",
        *([turn] if turn else []),
        # JPEG is BT.601 and full range by definition.
        "scale=out_color_matrix=bt601:out_range=pc",
        "format=yuvj420p",
        "setsar=1",
    ]
    return f"[0:v:0]{','.join(steps)},split=2[poster][r];[r]{scale_within(SMALL_POSTER_LONG_SIDE)},setsar=1[small]"


def scale_within(long_side: int) -> str:
    """The scale filter that keeps the shape and never enlarges, but for a picture of one line, which becomes two."""
    shrink = f"min(1,{long_side}/max(iw,ih))"
    # Even numbers: two pixels share a colour sample, and the last of them must not lie outside the picture.
    width, height = (f"'max(2,2*trunc({side}*{shrink}/2+0.001))'" for side in ("iw", "ih"))
    return f"scale={width}:{height}:flags=bicubic"


def upright_filters(picture: bytes) -> str:
    """The filters that turn the picture upright according to its EXIF data; empty when there is nothing to turn."""
    try:
        return next((TURNS.get(parse_orientation(exif), "") for exif in find_exif(picture)), "")
    except (struct.error, IndexError):
        return ""  # the EXIF data are cut off


def is_animated(picture: bytes) -> bool:
    """True for an animated WebP, which ffmpeg's decoder does not know."""
    return detect_kind(picture) == "webp_pipe" and any(name == b"ANIM" for name, _ in webp_chunks(picture))


def find_exif(picture: bytes) -> Iterator[bytes]:
    """The blocks of EXIF data, without the signature that JPEG and some WebP files put before them."""
    chunks = {"jpeg_pipe": jpeg_segments, "png_pipe": png_chunks, "webp_pipe": webp_chunks}
    names = {b"\xe1", b"eXIf", b"EXIF"}
    kind = detect_kind(picture)
    for name, content in chunks[kind](picture) if kind else ():
        has_signature = content.startswith(b"Exif\0\0")
        # In JPEG other data than EXIF use the same segment.
        if name in names and (has_signature or name != b"\xe1"):
            yield content[6:] if has_signature else content


def jpeg_segments(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Marker and content of each segment before the image data."""
    at = 2
    while at + 4 <= len(picture) and picture[at] == 0xFF and picture[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", picture, at + 2)
        yield picture[at + 1 : at + 2], picture[at + 4 : at + 2 + size]
        at += 2 + max(size, 2)


def png_chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name of each chunk, and the content of those with EXIF data."""
    at = len(PNG_HEAD)
    while at + 8 <= len(picture):
        size, name = struct.unpack_from(">I4s", picture, at)
        yield name, picture[at + 8 : at + 8 + size] if name == b"eXIf" else b""
        at += 12 + size


def webp_chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name of each chunk, and the content of those with EXIF data."""
    at = 12
    while at + 8 <= len(picture):
        name, size = struct.unpack_from("<4sI", picture, at)
        yield name, picture[at + 8 : at + 8 + size] if name == b"EXIF" else b""
        at += 8 + size + size % 2


def parse_orientation(exif: bytes) -> int:
    """1 to 8; 1 (upright) when the block does not tell. Raises struct.error when the block ends too early."""
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
