"""Which frames may stand for the film; pure. Looks at small grey frames that the encoder wrote along the way.

They come in pairs: a frame, and the one a quarter of a second later, which tells whether it stands still. In the middle
of a fade, a dissolve or a quick pan the two differ, however far the next candidate is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
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

DARK = 32.0
BRIGHT = 225.0
FLAT = 12.0  # less contrast than this is a blank, a title's background or the depth of a fade
BLOCK = 4  # pixels to a side
ALIKE = 5.0  # two frames whose blocks differ less than this on average are the same picture to a person
SHADES = 16


@dataclass(frozen=True)
class Look:
    """A frame and what is on the screen a moment later."""

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
        """What is roughly where: a slow pan moves every blade of grass, and is the same picture all the same."""
        rows = [self.frame[start : start + THUMB_WIDTH] for start in range(0, THUMB_BYTES, THUMB_WIDTH)]
        sums = (
            sum(sum(row[x : x + BLOCK]) for row in rows[y : y + BLOCK])
            for y in range(0, THUMB_HEIGHT, BLOCK)
            for x in range(0, THUMB_WIDTH, BLOCK)
        )
        return bytes(total // BLOCK**2 for total in sums)

    @cached_property
    def shades(self) -> tuple[float, ...]:
        """How much of the picture is how bright."""
        counts = [0] * SHADES
        for level in self.frame:
            counts[level * SHADES // 256] += 1
        return tuple(count / THUMB_BYTES for count in counts)

    @property
    def is_blank(self) -> bool:
        return not DARK <= self.brightness <= BRIGHT or self.contrast < FLAT

    @cached_property
    def unrest(self) -> float:
        """0 to 1: how much changes within the moment."""
        return min(1.0, difference(self.frame, self.later) / 24.0)


def difference(one: bytes, other: bytes) -> float:
    total: int = sum(map(abs, map(sub, one, other)))
    return total / max(1, len(one))


def split_looks(data: bytes) -> list[Look]:
    """Whole frames only: an encoder that was cut off leaves part of one. A last frame without its pair stands still."""
    thumbs = [data[start : start + THUMB_BYTES] for start in range(0, len(data) - THUMB_BYTES + 1, THUMB_BYTES)]
    return [Look(thumbs[n], thumbs[min(n + 1, len(thumbs) - 1)]) for n in range(0, len(thumbs), 2)]


def choose_posters(looks: Sequence[Look], most: int = MAX_POSTERS) -> list[int]:
    """Indexes of the frames to offer, the best first: apart in time, unlike each other, none blank if any is not."""
    shown = [n for n, look in enumerate(looks) if not look.is_blank] or list(range(len(looks)))
    usual = usual_shades([looks[n] for n in shown])
    ranked = sorted(shown, key=lambda n: score(looks[n], usual) - edge(n, len(looks)), reverse=True)
    chosen: list[int] = []
    for n in ranked:
        is_apart = all(abs(n - m) * 2 * most >= len(looks) for m in chosen)
        if is_apart and all(difference(looks[n].blocks, looks[m].blocks) > ALIKE for m in chosen):
            chosen.append(n)
    return chosen[:most]


def score(look: Look, usual: Sequence[float]) -> float:
    """Higher is better: rich in contrast and detail, standing still, and of the film's usual light."""
    likeness = sum(map(min, look.shades, usual))
    return min(look.contrast, 70.0) + 1.5 * look.detail + 20.0 * likeness - 40.0 * look.unrest


def usual_shades(looks: Sequence[Look]) -> list[float]:
    """How bright how much of the film is, blanks aside."""
    sums = [0.0] * SHADES
    for n, share in chain.from_iterable(enumerate(look.shades) for look in looks):
        sums[n] += share
    return [total / max(1, len(looks)) for total in sums]


def edge(index: int, count: int) -> float:
    """Films open with logos and close with credits: the outer tenths count less."""
    position = (index + 0.5) / count
    return 15.0 if position < 0.1 or position > 0.9 else 0.0
