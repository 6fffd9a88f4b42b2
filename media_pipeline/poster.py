"""Which frame stands for the film; pure. Looks at small grey frames that the encoder wrote along the way."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, pstdev

THUMB_WIDTH = 64
THUMB_HEIGHT = 36
THUMB_BYTES = THUMB_WIDTH * THUMB_HEIGHT

DARK = 32.0
BRIGHT = 225.0
FLAT = 12.0  # less contrast than this is a blank, a title's background or the depth of a fade


def split_thumbs(data: bytes) -> list[bytes]:
    """Whole frames only: an encoder that was cut off leaves part of one."""
    return [data[start : start + THUMB_BYTES] for start in range(0, len(data) - THUMB_BYTES + 1, THUMB_BYTES)]


def choose_poster(thumbs: Sequence[bytes]) -> int:
    """The index of the frame to show: bright enough, rich in contrast and detail, standing still between neighbours."""
    if not thumbs:
        return 0
    return max(range(len(thumbs)), key=lambda index: score(thumbs, index))


def score(thumbs: Sequence[bytes], index: int) -> float:
    """Higher is better; a frame that is black, white or flat scores below every one that is not."""
    frame = thumbs[index]
    brightness, contrast = fmean(frame), pstdev(frame)
    penalty = 1000.0 if is_blank(brightness, contrast) else 0.0
    return min(contrast, 70.0) + 1.5 * detail(frame) - 25.0 * fading(thumbs, index) - edge(index, len(thumbs)) - penalty


def is_blank(brightness: float, contrast: float) -> bool:
    return brightness < DARK or brightness > BRIGHT or contrast < FLAT


def detail(frame: bytes) -> float:
    """Mean difference of neighbouring pixels: sharp pictures have more than blurred or cross-faded ones."""
    rows = [frame[start : start + THUMB_WIDTH] for start in range(0, THUMB_BYTES, THUMB_WIDTH)]
    return fmean(abs(a - b) for row in rows for a, b in pairwise(row))


def fading(thumbs: Sequence[bytes], index: int) -> float:
    """0 to 1: how much brightness moves steadily through this frame, as it does in the middle of a fade."""
    if not 0 < index < len(thumbs) - 1:
        return 0.5
    before, here, after = (fmean(thumbs[i]) for i in (index - 1, index, index + 1))
    is_steady_move = (here - before) * (after - here) > 0
    return min(1.0, abs(after - before) / 60.0) if is_steady_move else 0.0


def edge(index: int, count: int) -> float:
    """Films open with logos and close with credits: the outer tenths count less."""
    position = (index + 0.5) / count
    return 15.0 if position < 0.1 or position > 0.9 else 0.0
