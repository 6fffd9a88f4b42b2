"""The colours of a source, and the filters that bring every rung to BT.709, limited range, 8 bits; pure.

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
# The brightness that the tone curve makes white: mastering displays reach it, and for BT.2408 it is a bright highlight.
PEAK_NITS = 1000
# The brightness of white on an SDR reference screen.
WHITE_NITS = 100
# Names that the scale filter has for the matrices.
SCALE_MATRICES = {"bt2020nc": "bt2020", "bt2020c": "bt2020", "bt709": "bt709", "bt470bg": "bt601",
                  "smpte170m": "bt601", "smpte240m": "smpte240m"}  # fmt: skip
TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


@dataclass(frozen=True)
class Colour:
    """What a picture's numbers mean, by ffmpeg's names; `unknown` where the file does not say."""

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
    """The Colour that the probe's code points describe."""
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

    `width` and `height` are the source's: a picture without a matrix is judged by its size, as players do. Without the
    conversion, a change of quality would be a change of colour.
    """
    scale = f"scale={target[0]}:{target[1]}:flags=bicubic"
    if colour.is_hdr:
        # Scaled first: the slow steps below then work on the largest rung's pixels, not on the source's.
        steps = [
            scale,
            complete_tags(colour),
            # Gamut and brightness can only be changed in linear light, in floating point.
            f"zscale=transfer=linear:npl={WHITE_NITS}",
            "format=gbrpf32le",
            "zscale=primaries=bt709",
            f"tonemap=tonemap=hable:desat=0:peak={PEAK_NITS // WHITE_NITS}",
            "zscale=transfer=bt709:matrix=bt709:range=limited",
        ]
    elif colour.is_wide:
        steps = [
            scale,
            complete_tags(colour),
            "zscale=primaries=bt709:transfer=bt709:matrix=bt709:range=limited",
        ]
    else:
        steps = [scale + matrix_options(colour, width, height)]
    return ",".join([*steps, "format=yuv420p", "setsar=1", TAGS])


def complete_tags(colour: Colour) -> str:
    """The filter that tags every frame in full: not every frame carries the file's tags, and zscale does not guess."""
    primaries = "bt2020" if colour.primaries == UNKNOWN else colour.primaries
    transfer = "bt709" if colour.transfer == UNKNOWN else colour.transfer
    matrix = "gbr" if colour.is_rgb else "bt2020nc" if colour.matrix in (UNKNOWN, "gbr") else colour.matrix
    in_range = "pc" if colour.is_full_range or colour.is_rgb else "tv"
    return f"setparams=range={in_range}:color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}"


def matrix_options(colour: Colour, width: int, height: int) -> str:
    """The scale filter's options for this source, empty when its colours are right already.

    With any option the scaler works even on a picture that keeps its size.
    """
    if colour.is_rgb:
        return ":out_color_matrix=bt709:out_range=tv"
    # Players take an untagged picture for BT.709 from 720p on, for BT.601 below.
    guess = "bt709" if max(width, height) >= 1280 or min(width, height) > 576 else "bt601"
    matrix = SCALE_MATRICES.get(colour.matrix, guess)
    options = "" if matrix == "bt709" else f":in_color_matrix={matrix}:out_color_matrix=bt709"
    return options + (":in_range=pc:out_range=tv" if colour.is_full_range else "")
