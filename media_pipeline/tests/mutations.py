"""Damages real files, in the same ways in every run."""

import random
from collections.abc import Callable

EXTREMES = (0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0000_FFFF, 0xFFFF_0000)
# Headers and indexes are a small part of a file, and most damage that matters is in them.
HEAD_BYTES = 2000


def mutated(data: bytes, seed: str) -> bytes:
    """One to six mutations, mostly near either end, where headers and indexes are."""
    chance = random.Random(seed)  # noqa: S311 - damage that is the same in every run
    result = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        chance.choice(MUTATIONS)(result, chance)
    return bytes(result)


def somewhere(data: bytearray, chance: random.Random) -> int:
    size = max(1, len(data) - 8)
    reach = min(size, HEAD_BYTES)
    return chance.choice((chance.randrange(reach), size - 1 - chance.randrange(reach), chance.randrange(size)))


def flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 8, 64))):
        data[somewhere(data, chance)] ^= 1 << chance.randrange(8)


def say_extremes(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    data[at : at + 4] = chance.choice(EXTREMES).to_bytes(4, chance.choice(("big", "little")))


def cut_out(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    del data[at : at + chance.choice((1, 4, 188, 1000))]


def repeat(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    data[at:at] = data[at : at + chance.choice((1, 8, 188, 1000))] * chance.choice((1, 1, 50))


def move(data: bytearray, chance: random.Random) -> None:
    source, target, size = somewhere(data, chance), somewhere(data, chance), chance.choice((4, 64, 512))
    data[target : target + size] = data[source : source + size]


def make_noise(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    data[at : at + 256] = chance.randbytes(len(data[at : at + 256]))


def end_in_noise(data: bytearray, chance: random.Random) -> None:
    """A valid header, and after it bytes that do not belong to it."""
    at = somewhere(data, chance)
    data[at:] = chance.randbytes(len(data) - at)


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(flip, flip, say_extremes, say_extremes, cut_out, repeat, move, make_noise, end_in_noise),
)
