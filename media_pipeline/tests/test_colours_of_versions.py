"""The colours of versions: every rung is BT.709 in limited range and says so, however the source was coded."""

from dataclasses import dataclass, replace
from pathlib import Path

import av
import pytest

from media_pipeline.tests.versions import Studio, Version
from tests.clips import Clip

BT709 = 1
LIMITED = 1
ORANGE = (224, 128, 32)
TEN_BITS = ("libx264", "-preset", "ultrafast", "-profile:v", "high10")


@dataclass(frozen=True)
class Shown:
    """The colour in the middle of the first picture, as a player that obeys the tags shows it, and the tags."""

    red: int
    green: int
    blue: int
    tags: tuple[int, int, int, int]  # primaries, transfer, matrix, range


def shown(version: Version) -> Shown:
    with av.open(str(version.media(version.rungs[-1]))) as container:
        frame = next(container.decode(video=0))
    tags = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), int(frame.color_range))
    rgb = frame.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="DEFAULT", dst_color_range="JPEG")
    plane = rgb.planes[0]
    middle = plane.line_size * (rgb.height // 2) + 3 * (rgb.width // 2)
    red, green, blue = bytes(plane)[middle : middle + 3]
    return Shown(red, green, blue, tags)


def flat(pixels: str, conversion: str, *tags: str, **changes: object) -> Clip:
    """Returns a clip of one colour, converted from RGB by `conversion`."""
    colour = "0x{:02X}{:02X}{:02X}".format(*ORANGE)
    plain = {"size": "160x120", "rate": "10", "duration_s": 0.3, "sound": "", "container": "mkv"}
    filters = f"format=gbrp,scale={conversion},format={pixels}"
    return Clip(picture=f"color=color={colour}", filters=filters, pixels=pixels, flags=tags, **{**plain, **changes})  # type: ignore[arg-type]


def tagged(name: str, code: str) -> tuple[str, ...]:
    return ("-color_primaries", name, "-color_trc", name, "-colorspace", code)


ORANGES = {
    "BT.709": flat("yuv420p", "out_color_matrix=bt709", *tagged("bt709", "bt709")),
    "BT.601, tagged": flat("yuv420p", "out_color_matrix=bt601", *tagged("smpte170m", "smpte170m")),
    "BT.601, for its size": flat("yuv420p", "out_color_matrix=bt601"),
    "full range": flat("yuvj420p", "out_color_matrix=bt709:out_range=pc", *tagged("bt709", "bt709")),
    "ten bits": flat("yuv420p10le", "out_color_matrix=bt709", *tagged("bt709", "bt709"), codec=TEN_BITS),
    "4:2:2": flat("yuv422p", "out_color_matrix=bt709", *tagged("bt709", "bt709")),
    "4:4:4": flat("yuv444p", "out_color_matrix=bt709", *tagged("bt709", "bt709")),
    "RGB": flat("gbrp", "160:120", codec=("ffv1",)),
    "wide gamut": flat(
        "yuv420p", "out_color_matrix=bt2020", "-color_primaries", "bt2020", "-color_trc", "bt709",
        "-colorspace", "bt2020nc",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ORANGES)
def test_orange_stays_orange_and_is_tagged_as_bt709(studio: Studio, ffmpeg: str, name: str) -> None:
    seen = shown(studio.version(f"orange {name}", ORANGES[name], ffmpeg))

    assert seen.tags == (BT709, BT709, BT709, LIMITED)
    # In a wider gamut the same numbers mean a stronger colour; colours that BT.709 cannot show are clipped.
    red, green, blue = (255, 111, 0) if name == "wide gamut" else ORANGE
    assert (seen.red, seen.green, seen.blue) == pytest.approx((red, green, blue), abs=6)


def grey(code: int, transfer: str) -> Clip:
    """A clip of one brightness in ten bits, coded as HDR."""
    return Clip(
        size="160x120", rate="10", duration_s=0.3, sound="", container="mkv", codec=TEN_BITS, pixels="yuv420p10le",
        picture="color=color=gray", filters=f"format=yuv420p10le,geq=lum={code}:cb=512:cr=512",
        flags=("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc", "-color_range", "tv"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("transfer", "code", "least", "most"),
    [
        ("smpte2084", 64, 0, 3),  # black
        ("smpte2084", 399, 60, 115),  # 26 nits, a face in a room
        ("smpte2084", 573, 165, 205),  # 203 nits: white paper, "HDR reference white"
        ("smpte2084", 723, 245, 255),  # 1000 nits: a lamp
        ("smpte2084", 940, 250, 255),  # 10,000 nits
        ("arib-std-b67", 64, 0, 3),
        ("arib-std-b67", 721, 160, 215),  # 75 % of the signal: white paper
        ("arib-std-b67", 940, 240, 255),
    ],
)
def test_hdr_is_tone_mapped_to_the_range_of_a_usual_screen(
    studio: Studio, ffmpeg: str, transfer: str, code: int, least: int, most: int
) -> None:
    seen = shown(studio.version(f"grey {transfer} {code}", grey(code, transfer), ffmpeg))

    assert least <= seen.green <= most
    assert max(seen.red, seen.green, seen.blue) - min(seen.red, seen.green, seen.blue) <= 4, "grey stays grey"
    assert seen.tags == (BT709, BT709, BT709, LIMITED)


def test_hdr_that_only_the_container_declares_is_tone_mapped_too(studio: Studio, ffmpeg: str) -> None:
    plain = replace(grey(573, "smpte2084"), codec=("ffv1",))
    seen = shown(studio.version("grey that the container calls HDR", plain, ffmpeg))

    assert 165 <= seen.green <= 205


def test_hdr_is_recognised(studio: Studio, ffmpeg: str) -> None:
    colour = studio.version("grey smpte2084 573", grey(573, "smpte2084"), ffmpeg).made.source.colour

    assert colour.is_hdr
    assert colour.depth_bits == 10


def test_the_posters_and_the_storyboard_have_the_film_s_colours(studio: Studio, ffmpeg: str) -> None:
    out = studio.version("orange BT.601, tagged", ORANGES["BT.601, tagged"], ffmpeg).out

    for name in ("poster.jpg", "poster_small.jpg", "storyboard.jpg"):
        assert jpeg_colour(out / name) == pytest.approx(ORANGE, abs=8)


def jpeg_colour(path: Path) -> tuple[int, ...]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    # JPEG is BT.601 and full range by definition; ffmpeg's tags of the decoded frames may say otherwise.
    rgb = frame.reformat(format="rgb24", src_colorspace="ITU601", src_color_range="JPEG", dst_color_range="JPEG")
    plane = rgb.planes[0]
    middle = plane.line_size * (rgb.height // 2) + 3 * (rgb.width // 2)
    return tuple(bytes(plane)[middle : middle + 3])
