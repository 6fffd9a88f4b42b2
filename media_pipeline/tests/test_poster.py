"""Which frame stands for the film."""

import random

import pytest

from media_pipeline.poster import THUMB_BYTES, THUMB_HEIGHT, THUMB_WIDTH, choose_poster, split_thumbs


def flat(level: int) -> bytes:
    return bytes([level]) * THUMB_BYTES


def picture(*, brightness: float = 1.0, contrast: float = 1.0, seed: int = 1) -> bytes:
    """A scene of blocks with a mean of 128 and much detail, made darker or flatter."""
    dice = random.Random(seed)  # noqa: S311 - a picture, not a secret
    blocks = [[dice.randrange(30, 226) for _ in range(THUMB_WIDTH // 4)] for _ in range(THUMB_HEIGHT // 4)]
    levels = (blocks[y // 4][x // 4] for y in range(THUMB_HEIGHT) for x in range(THUMB_WIDTH))
    return bytes(round(max(0, min(255, (128 + (level - 128) * contrast) * brightness))) for level in levels)


def fade_in(frames: int) -> list[bytes]:
    return [picture(brightness=number / frames) for number in range(frames)]


SCENE = picture()
TINY_NOISE = bytes(128 + (number % 3) for number in range(THUMB_BYTES))


@pytest.mark.parametrize(
    ("others", "kind"),
    [
        (flat(0), "black"),
        (flat(16), "television black"),
        (flat(255), "white"),
        (flat(128), "grey"),
        (TINY_NOISE, "nearly grey"),
        (picture(brightness=0.1), "a dark scene"),
        (picture(contrast=0.08), "a title's background"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_scene_is_chosen_before_a_blank(others: bytes, kind: str) -> None:
    thumbs = [others] * 10
    thumbs[6] = SCENE

    assert choose_poster(thumbs) == 6


def test_the_scene_after_a_fade_from_black_is_chosen_and_not_the_fade() -> None:
    thumbs = [flat(0)] * 3 + fade_in(6) + [SCENE] * 6 + fade_in(6)[::-1] + [flat(0)] * 3

    assert thumbs[choose_poster(thumbs)] == SCENE


def test_a_fade_from_white_is_not_chosen_either() -> None:
    fade = [picture(contrast=number / 6, brightness=2 - number / 6) for number in range(6)]
    thumbs = fade + [SCENE] * 6

    assert thumbs[choose_poster(thumbs)] == SCENE


def test_the_richer_of_two_scenes_is_chosen() -> None:
    thumbs = [picture(contrast=0.3, seed=seed) for seed in range(10)]
    thumbs[4] = picture(seed=4)

    assert choose_poster(thumbs) == 4


def test_of_equal_scenes_it_is_neither_the_opening_nor_the_end() -> None:
    assert 0.1 <= (choose_poster([SCENE] * 30) + 0.5) / 30 <= 0.9


def test_a_film_of_blanks_still_has_a_poster() -> None:
    assert choose_poster([flat(0)] * 5) in range(5)


def test_a_film_of_one_frame_shows_that_frame() -> None:
    assert choose_poster([flat(0)]) == 0


def test_without_any_frame_it_is_the_first() -> None:
    assert choose_poster([]) == 0


def test_only_whole_thumbs_are_looked_at() -> None:
    assert split_thumbs(SCENE + flat(7) + b"cut off") == [SCENE, flat(7)]
    assert split_thumbs(b"") == []
