"""Which colours a source has, and how every rung comes to BT.709, limited range, 8 bits; pure.

Code points are those of H.273, which files, ffmpeg and PyAV share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNKNOWN = "unknown"
PRIMARIES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
TRANSFERS = {1: "bt709", 6: "smpte170m", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
             18: "arib-std-b67"}  # fmt: skip
MATRICES = {0: "gbr", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
FULL_RANGE = 2

HDR_NAMES = {"smpte2084": "HDR10 (PQ)", "arib-std-b67": "HLG"}
WIDE = frozenset({"bt2020", "smpte431", "smpte432"})
# Of one nit value the tone curve makes white: what BT.2408 calls a bright highlight, and mastering displays reach.
PEAK_NITS = 1000
WHITE_NITS = 100
# What the scale filter calls the matrices.
SCALE_MATRICES = {"bt2020nc": "bt2020", "bt2020c": "bt2020", "bt709": "bt709", "bt470bg": "bt601",
                  "smpte170m": "bt601", "smpte240m": "smpte240m"}  # fmt: skip
TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


@dataclass(frozen=True)
class Colour:
    """What a picture's numbers mean; names as ffmpeg has them, `unknown` where the file does not say."""

    primaries: str = UNKNOWN
    transfer: str = UNKNOWN
    matrix: str = UNKNOWN
    is_full_range: bool = False
    is_rgb: bool = False
    depth_bits: int = 8

    @property
    def is_hdr(self) -> bool:
        return self.transfer in HDR_NAMES

    @property
    def is_wide(self) -> bool:
        return self.primaries in WIDE


def parse_colour(report: Mapping[str, Any]) -> Colour:
    """From the probe's code points."""
    return Colour(
        primaries=PRIMARIES.get(report["primaries"], UNKNOWN),
        transfer=TRANSFERS.get(report["transfer"], UNKNOWN),
        matrix=MATRICES.get(report["matrix"], UNKNOWN),
        is_full_range=report["range"] == FULL_RANGE,
        is_rgb=report["is_rgb"],
        depth_bits=report["depth_bits"],
    )


def to_bt709(colour: Colour, *, width: int, height: int, target: tuple[int, int]) -> str:
    """The filters that scale a picture to `target` and make it BT.709, limited range, 4:2:0 of 8 bits, tagged so.

    `width` and `height` are the source's: what does not say how it is coded is judged by its size, as players do.
    """
    scale = f"scale={target[0]}:{target[1]}:flags=bicubic"
    if colour.is_hdr or colour.is_wide:
        steps = [scale, *(tone_map(colour) if colour.is_hdr else narrow_gamut(colour)), "format=yuv420p"]
    else:
        steps = [scale + matrix_options(colour, width, height), "format=yuv420p"]
    return ",".join([*steps, "setsar=1", TAGS])


def tone_map(colour: Colour) -> list[str]:
    """Through linear light, where gamut and brightness are changed; on the largest rung's pixels, not the source's."""
    return [
        said(colour),
        f"zscale=transfer=linear:npl={WHITE_NITS}",
        "format=gbrpf32le",
        "zscale=primaries=bt709",
        f"tonemap=tonemap=hable:desat=0:peak={PEAK_NITS // WHITE_NITS}",
        "zscale=transfer=bt709:matrix=bt709:range=limited",
    ]


def narrow_gamut(colour: Colour) -> list[str]:
    return [said(colour), "zscale=primaries=bt709:transfer=bt709:matrix=bt709:range=limited"]


def said(colour: Colour) -> str:
    """In full, on every frame: not all of them carry what the file says, and zscale does not guess."""
    primaries = "bt2020" if colour.primaries == UNKNOWN else colour.primaries
    transfer = "bt709" if colour.transfer == UNKNOWN else colour.transfer
    matrix = "gbr" if colour.is_rgb else "bt2020nc" if colour.matrix in (UNKNOWN, "gbr") else colour.matrix
    in_range = "pc" if colour.is_full_range or colour.is_rgb else "tv"
    return f"setparams=range={in_range}:color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}"


def matrix_options(colour: Colour, width: int, height: int) -> str:
    """Options only where something changes: with any of them the scaler works even on a picture of the same size."""
    if colour.is_rgb:
        return ":out_color_matrix=bt709:out_range=tv"
    matrix = SCALE_MATRICES.get(colour.matrix, guessed_matrix(width, height))
    options = "" if matrix == "bt709" else f":in_color_matrix={matrix}:out_color_matrix=bt709"
    return options + (":in_range=pc:out_range=tv" if colour.is_full_range else "")


def guessed_matrix(width: int, height: int) -> str:
    """Of a picture that does not say: BT.709 from 720p on, BT.601 below."""
    return "bt709" if max(width, height) >= 1280 or min(width, height) > 576 else "bt601"
