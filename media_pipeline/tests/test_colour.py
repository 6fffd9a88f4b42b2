"""The filters that bring the colours of a source to BT.709, by table."""

from typing import Any

import pytest

from media_pipeline.sources.colour import Colour, parse_colour, to_bt709

PQ = Colour("bt2020", "smpte2084", "bt2020nc", depth_bits=10)
HLG = Colour("bt2020", "arib-std-b67", "bt2020nc", depth_bits=10)
TAGGED = "setsar=1,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
TONE_MAPPED = (
    "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=tonemap=hable:desat=0:peak=10,"
    "zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p"
)


def filters(colour: Colour, size: tuple[int, int] = (1920, 1080)) -> str:
    return to_bt709(colour, width=size[0], height=size[1], target=(1280, 720))


def scaled(options: str = "") -> str:
    return f"scale=1280:720:flags=bicubic{options},format=yuv420p,{TAGGED}"


@pytest.mark.parametrize(
    ("colour", "size", "expected"),
    [
        (Colour("bt709", "bt709", "bt709"), (1920, 1080), scaled()),
        (Colour(), (1920, 1080), scaled()),
        (Colour(), (1280, 534), scaled()),
        (Colour(), (720, 576), scaled(":in_color_matrix=bt601:out_color_matrix=bt709")),
        (Colour(matrix="bt709"), (720, 576), scaled()),
        (Colour(matrix="smpte170m"), (1920, 1080), scaled(":in_color_matrix=bt601:out_color_matrix=bt709")),
        (Colour(is_full_range=True), (1920, 1080), scaled(":in_range=pc:out_range=tv")),
        (Colour(matrix="gbr", is_rgb=True), (640, 480), scaled(":out_color_matrix=bt709:out_range=tv")),
        (Colour("bt709", "bt709", "bt709", depth_bits=10), (1920, 1080), scaled()),
    ],
)
def test_ordinary_colours_change_their_matrix_and_range_where_they_must(
    colour: Colour, size: tuple[int, int], expected: str
) -> None:
    assert filters(colour, size) == expected


@pytest.mark.parametrize(("colour", "transfer"), [(PQ, "smpte2084"), (HLG, "arib-std-b67")])
def test_hdr_is_tone_mapped_after_it_is_scaled(colour: Colour, transfer: str) -> None:
    tags = f"setparams=range=tv:color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc"

    assert colour.is_hdr
    assert filters(colour) == f"scale=1280:720:flags=bicubic,{tags},{TONE_MAPPED},{TAGGED}"


def test_hdr_that_names_only_its_curve_is_taken_for_bt2020() -> None:
    assert "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc" in filters(Colour(transfer="smpte2084"))


def test_a_wide_gamut_without_hdr_is_narrowed() -> None:
    wide = filters(Colour("smpte432", "bt709", "bt709"))

    assert "setparams=range=tv:color_primaries=smpte432:color_trc=bt709:colorspace=bt709,zscale=primaries=bt709" in wide
    assert "tonemap" not in wide


def report(**changes: Any) -> dict[str, Any]:
    return {"primaries": 2, "transfer": 2, "matrix": 2, "range": 0, "is_rgb": False, "depth_bits": 8, **changes}


@pytest.mark.parametrize(
    ("changes", "colour"),
    [
        ({}, Colour()),
        ({"primaries": 9, "transfer": 16, "matrix": 9, "range": 1, "depth_bits": 10}, PQ),
        ({"primaries": 9, "transfer": 18, "matrix": 9, "depth_bits": 10}, HLG),
        ({"range": 2}, Colour(is_full_range=True)),
        ({"primaries": 200, "transfer": 200, "matrix": 200, "range": 7}, Colour()),
        ({"matrix": 0, "is_rgb": True}, Colour(matrix="gbr", is_rgb=True)),
    ],
)
def test_code_points_become_names_and_unknown_ones_stay_empty(changes: dict[str, Any], colour: Colour) -> None:
    assert parse_colour(report(**changes)) == colour
