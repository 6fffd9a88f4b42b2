"""Chooses the frames that may stand for the film, by the small grey frames that the encoder wrote; pure.

These come in pairs: a candidate, and the frame a quarter of a second later. In the middle of a fade, a dissolve or a
quick pan the two differ, so the second one shows whether the candidate stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from operator import mul, sub

THUMB_WIDTH = 64
THUMB_HEIGHT = 36
THUMB_BYTES = THUMB_WIDTH * THUMB_HEIGHT
MAX_POSTERS = 6

# Long sides in pixels, and the JPEG encoder's quantisers (2 is the best). The small one is for cards: 320 wide on a
# screen with two pixels to one, some 30 kB of a picture rich in detail, where the large one has 120.
POSTER_LONG_SIDE = 1280
POSTER_QUALITY = 6
SMALL_POSTER_LONG_SIDE = 640
SMALL_POSTER_QUALITY = 7

# Mean brightness (of 255) of frames that are too dark or too bright to show anything.
DARK = 32.0
BRIGHT = 225.0
# Frames with less contrast are blanks, backgrounds of titles or the depth of a fade.
FLAT = 12.0
# Pixels on each side of a block of `Look.blocks`.
BLOCK = 4
# Two frames whose blocks differ less than this on average are the same picture to a person.
ALIKE = 5.0
SHADES = 16


@dataclass(frozen=True)
class Look:
    """A poster candidate, and the frame a moment later."""

    frame: bytes
    later: bytes

    @cached_property
    def brightness(self) -> float:
        return sum(self.frame) / THUMB_BYTES

    @cached_property
    def contrast(self) -> float:
        """The standard deviation of the brightness."""
        squares: int = sum(map(mul, self.frame, self.frame))
        return sqrt(max(0.0, squares / THUMB_BYTES - self.brightness**2))

    @cached_property
    def detail(self) -> float:
        """Mean difference of neighbouring pixels: sharp pictures have more than blurred or cross-faded ones."""
        across = difference(self.frame[1:], self.frame[:-1])
        down = difference(self.frame[THUMB_WIDTH:], self.frame[:-THUMB_WIDTH])
        return (across + down) / 2

    @cached_property
    def blocks(self) -> bytes:
        """The mean brightness of each block: a slow pan moves every blade of grass, and keeps the picture."""
        rows = [self.frame[start : start + THUMB_WIDTH] for start in range(0, THUMB_BYTES, THUMB_WIDTH)]
        sums = (
            sum(sum(row[x : x + BLOCK]) for row in rows[y : y + BLOCK])
            for y in range(0, THUMB_HEIGHT, BLOCK)
            for x in range(0, THUMB_WIDTH, BLOCK)
        )
        return bytes(total // BLOCK**2 for total in sums)

    @cached_property
    def shades(self) -> tuple[float, ...]:
        """The share of the pixels in each of SHADES ranges of brightness."""
        counts = [0] * SHADES
        for level in self.frame:
            counts[level * SHADES // 256] += 1
        return tuple(count / THUMB_BYTES for count in counts)

    @property
    def is_blank(self) -> bool:
        return not DARK <= self.brightness <= BRIGHT or self.contrast < FLAT

    @cached_property
    def unrest(self) -> float:
        """0 to 1: how much the picture changes within the moment. A mean difference of 24 of 255 counts as 1."""
        return min(1.0, difference(self.frame, self.later) / 24.0)


def difference(one: bytes, other: bytes) -> float:
    total: int = sum(map(abs, map(sub, one, other)))
    return total / max(1, len(one))


def split_looks(data: bytes) -> list[Look]:
    """The pairs of frames in the encoder's raw output. A last frame without its pair counts as standing still."""
    # Whole frames only: an encoder that was ended leaves part of one.
    thumbs = [data[start : start + THUMB_BYTES] for start in range(0, len(data) - THUMB_BYTES + 1, THUMB_BYTES)]
    return [Look(thumbs[n], thumbs[min(n + 1, len(thumbs) - 1)]) for n in range(0, len(thumbs), 2)]


def choose_posters(looks: Sequence[Look], max_posters: int = MAX_POSTERS) -> list[int]:
    """Indexes of the frames to offer, the best first: apart in time and unlike each other.

    Blank frames are chosen only from a film that has no others.
    """
    shown = [n for n, look in enumerate(looks) if not look.is_blank] or list(range(len(looks)))
    mean_shades = [sum(looks[n].shades[shade] for n in shown) / max(1, len(shown)) for shade in range(SHADES)]

    def score(n: int) -> float:
        """Higher is better: rich in contrast and detail, standing still, and in the film's usual light."""
        look, position = looks[n], (n + 0.5) / len(looks)
        likeness = sum(map(min, look.shades, mean_shades))
        # Films open with logos and close with credits: the outer tenths count less.
        edge = 15.0 if position < 0.1 or position > 0.9 else 0.0
        return min(look.contrast, 70.0) + 1.5 * look.detail + 20.0 * likeness - 40.0 * look.unrest - edge

    chosen: list[int] = []
    for n in sorted(shown, key=score, reverse=True):
        # At least half as far apart as posters that were spread evenly over the film.
        is_apart = all(abs(n - m) * 2 * max_posters >= len(looks) for m in chosen)
        if is_apart and all(difference(looks[n].blocks, looks[m].blocks) > ALIKE for m in chosen):
            chosen.append(n)
    return chosen[:max_posters]
