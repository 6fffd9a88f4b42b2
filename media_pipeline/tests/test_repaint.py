"""Posters from uploaded pictures, with every ffmpeg: upright, small, and without any other data of the file."""

import functools
import subprocess
import zlib
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.pictures.repaint import NotAPicture, make_poster
from media_pipeline.pictures.uploaded import PNG_HEAD
from media_pipeline.tests.processes import processes_with
from media_pipeline.tests.refusals import NOISE
from media_pipeline.tests.test_pictures import WHERE, exif, in_jpeg, in_png

CONTAINERS = {"mjpeg": "image2pipe", "png": "image2pipe", "libwebp": "webp", "gif": "gif"}
HEAD_OF_PNG = 33  # bytes up to the end of its first chunk
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
CORNERS = (
    "color=red:size=64x32,drawbox=x=32:color=lime:t=fill,drawbox=y=16:w=32:color=blue:t=fill,"
    "drawbox=x=32:y=16:color=white:t=fill,format=rgb24"
)
# For each orientation, where the four corners (upper left to lower right) are seen once the picture is upright.
UPRIGHT = {
    1: (RED, GREEN, BLUE, WHITE), 2: (GREEN, RED, WHITE, BLUE), 3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN), 5: (RED, BLUE, GREEN, WHITE), 6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED), 8: (GREEN, WHITE, RED, BLUE),
}  # fmt: skip


@functools.cache
def draw(codec: str, source: str = CORNERS, *options: str) -> bytes:
    """A picture with these corners, or with what the filters draw."""
    made = ["-f", "lavfi", "-i", source, "-frames:v", "1", *options, "-c:v", codec, "-f", CONTAINERS[codec], "-"]
    return subprocess.run([find_ffmpeg(), "-v", "error", *made], check=True, capture_output=True).stdout


def repainted(ffmpeg: str, folder: Path, picture: bytes) -> Path:
    source, made = folder / "upload", folder / "made"
    source.write_bytes(picture)
    made.mkdir(exist_ok=True)
    return make_poster(ffmpeg, source, made)[0]


def small_copy(poster: Path) -> Path:
    return poster.with_name("poster_small.jpg")


def look(ffmpeg: str, poster: Path) -> tuple[tuple[int, int], bytes]:
    """The size and RGB pixels of a picture."""
    command = [ffmpeg, "-v", "error", "-i", str(poster), "-pix_fmt", "rgb24", "-f", "image2pipe", "-c:v", "ppm", "-"]
    magic, size, depth, pixels = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\n", 3)
    assert (magic, depth) == (b"P6", b"255")
    width, height = map(int, size.split())
    return (width, height), pixels


def corners(size: tuple[int, int], pixels: bytes) -> tuple[tuple[int, ...], ...]:
    """The colour in the middle of each quarter, rounded to full or no red, green and blue."""
    width, height = size
    places = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    starts = [(y * width + x) * 3 for x, y in places]
    return tuple(tuple(255 * (value > 127) for value in pixels[start : start + 3]) for start in starts)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_photo_is_shown_upright(ffmpeg: str, tmp_path: Path, orientation: int) -> None:
    jpeg = draw("mjpeg")
    poster = repainted(ffmpeg, tmp_path, in_jpeg(exif(orientation), jpeg[2:]))
    for path in (poster, small_copy(poster)):
        size, pixels = look(ffmpeg, path)
        assert size == ((32, 64) if orientation > 4 else (64, 32))
        assert corners(size, pixels) == UPRIGHT[orientation]


def test_every_kind_of_picture_is_accepted_and_its_metadata_are_removed(ffmpeg: str, tmp_path: Path) -> None:
    png = draw("png")
    pictures = {
        "png": png[:HEAD_OF_PNG] + in_png(exif(6), rest=b"")[len(PNG_HEAD) :] + png[HEAD_OF_PNG:],
        "jpeg": in_jpeg(exif(6), draw("mjpeg")[2:]),
        "webp": draw("libwebp", CORNERS, "-metadata", f"comment={WHERE.decode()}"),
    }
    for kind, picture in pictures.items():
        poster = repainted(ffmpeg, tmp_path, picture)
        for content in (poster.read_bytes(), small_copy(poster).read_bytes()):
            assert content.startswith(b"\xff\xd8\xff"), kind
            assert not [word for word in (WHERE, b"Exif", b"http", b"Lav") if word in content], kind


@pytest.mark.parametrize(
    ("size", "shown", "small"),
    [
        ("1281x800", (1280, 798), (640, 398)),
        ("900x2560", (450, 1280), (224, 640)),
        ("300x200", (300, 200), (300, 200)),
        ("301x201", (300, 200), (300, 200)),
        ("1x1", (2, 2), (2, 2)),
        ("4000x1", (1280, 2), (640, 2)),
    ],
)
def test_the_long_side_has_1280_and_640_pixels_at_the_most(
    ffmpeg: str, tmp_path: Path, size: str, shown: tuple[int, int], small: tuple[int, int]
) -> None:
    poster = repainted(ffmpeg, tmp_path, draw("png", f"color=gray:size={size},format=rgb24"))

    assert look(ffmpeg, poster)[0] == shown
    assert look(ffmpeg, small_copy(poster))[0] == small


@pytest.mark.parametrize("size", ["301x201", "5x5", "1x1"])
def test_a_colour_reaches_to_every_edge(ffmpeg: str, tmp_path: Path, size: str) -> None:
    (width, _), pixels = look(ffmpeg, repainted(ffmpeg, tmp_path, draw("png", f"color=red:size={size},format=rgb24")))

    assert all(pixels[at] > 240 and pixels[at + 1] < 15 for at in range(0, len(pixels), 3))
    assert width % 2 == 0


@pytest.mark.parametrize("pixels", ["rgba64be", "gray16be", "pal8", "ya8"])
def test_pixels_of_any_form_become_colours(ffmpeg: str, tmp_path: Path, pixels: str) -> None:
    picture = draw("png", CORNERS.replace("rgb24", pixels))
    size, shown = look(ffmpeg, repainted(ffmpeg, tmp_path, picture))

    assert size == (64, 32)
    assert pixels != "rgba64be" or corners(size, shown) == UPRIGHT[1]


def test_transparent_pixels_become_black(ffmpeg: str, tmp_path: Path) -> None:
    picture = draw("png", "color=white@0:size=64x32,format=rgba")

    assert set(look(ffmpeg, repainted(ffmpeg, tmp_path, picture))[1]) == {0}


def test_data_behind_a_photo_are_ignored(ffmpeg: str, tmp_path: Path) -> None:
    jpeg = draw("mjpeg")
    size, pixels = look(ffmpeg, repainted(ffmpeg, tmp_path, jpeg + jpeg + NOISE))

    assert corners(size, pixels) == UPRIGHT[1]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (b"", "The file is empty."),
        (
            b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10) + b"ANIM\6\0\0\0" + bytes(6),
            "This picture is animated; upload one that",
        ),
        (b"GIF89a", "This is not a JPEG, PNG or WebP picture"),
    ],
)
def test_the_sentence_says_what_is_wrong(ffmpeg: str, tmp_path: Path, picture: bytes, sentence: str) -> None:
    with pytest.raises(NotAPicture, match=sentence):
        repainted(ffmpeg, tmp_path, picture)


def test_an_incomplete_or_foreign_file_is_refused(ffmpeg: str, tmp_path: Path) -> None:
    jpeg, png = draw("mjpeg"), draw("png")
    moving = draw("gif")
    fakes = {
        "empty": b"",
        "half a JPEG": jpeg[: len(jpeg) // 2],
        "half a PNG": png[: len(png) // 2],
        "head only": jpeg[:4],
        "PNG and noise": png[:33] + NOISE,
        "JPEG and noise": jpeg[:20] + NOISE,
        "WebP and noise": b"RIFF\xff\xff\0\0WEBPVP8 " + NOISE,
        "GIF": moving,
        "text": b"a letter\n" * 100,
        "playlist": b"#EXTM3U\n/etc/passwd\n",
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "playlist under a picture's head": b"\xff\xd8\xff#EXTM3U\n/etc/passwd\n",
    }
    for name, content in fakes.items():
        with pytest.raises(NotAPicture) as refused:
            repainted(ffmpeg, tmp_path, content)
        assert refused.value.code == "not_a_picture", name
        assert refused.value.sentence.endswith("."), name
        assert str(tmp_path) not in refused.value.sentence, name
    assert not processes_with(str(tmp_path))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_drawn(ffmpeg: str, tmp_path: Path) -> None:
    """The header claims 30,000×30,000 pixels, and none of them are in the file."""
    png = draw("png")
    head = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + png[24:29]
    with pytest.raises(NotAPicture, match="megapixels"):
        repainted(ffmpeg, tmp_path, png[:12] + head + zlib.crc32(head).to_bytes(4, "big") + png[HEAD_OF_PNG:])


def test_a_name_that_looks_like_another_kind_changes_nothing(ffmpeg: str, tmp_path: Path) -> None:
    source = tmp_path / "%d.m3u8"
    source.write_bytes(draw("png"))
    (made := tmp_path / "made").mkdir()
    poster, _ = make_poster(ffmpeg, source, made)

    assert look(ffmpeg, poster)[0] == (64, 32)
