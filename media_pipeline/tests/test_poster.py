"""The choice of the frame that stands for the film."""

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.pictures.poster import (
    ALIKE,
    MAX_POSTERS,
    THUMB_BYTES,
    THUMB_HEIGHT,
    THUMB_WIDTH,
    Look,
    choose_posters,
    difference,
    split_looks,
)


def flat(level: int) -> bytes:
    return bytes([level]) * THUMB_BYTES


def picture(*, brightness: float = 1.0, contrast: float = 1.0, seed: int = 1) -> bytes:
    """A scene of blocks with a mean of 128 and much detail, made darker or flatter."""
    dice = random.Random(seed)  # noqa: S311 - a picture, not a secret
    blocks = [[dice.randrange(30, 226) for _ in range(THUMB_WIDTH // 4)] for _ in range(THUMB_HEIGHT // 4)]
    levels = (blocks[y // 4][x // 4] for y in range(THUMB_HEIGHT) for x in range(THUMB_WIDTH))
    return bytes(round(max(0, min(255, (128 + (level - 128) * contrast) * brightness))) for level in levels)


def still(frame: bytes) -> Look:
    return Look(frame, frame)


def scene(number: int) -> Look:
    return still(picture(seed=number))


DEMO = Path(__file__).parents[2] / "demo" / "big-buck-bunny.mp4"
SCENE = picture()
TINY_NOISE = bytes(128 + (number % 3) for number in range(THUMB_BYTES))
HALF_WHITE = picture(contrast=0.5, brightness=1.5)


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
def test_a_scene_is_chosen_before_a_blank_which_is_not_even_offered(others: bytes, kind: str) -> None:
    looks = [still(others)] * 10
    looks[6] = still(SCENE)

    assert choose_posters(looks) == [6]


@pytest.mark.parametrize(
    ("now", "later"),
    [
        (picture(brightness=0.6), picture(brightness=0.85)),
        (HALF_WHITE, SCENE),
        (bytes((a + b) // 2 for a, b in zip(SCENE, picture(seed=2), strict=True)), picture(seed=2)),
    ],
    ids=["a fade from black", "a fade from white", "a dissolve"],
)
def test_a_changing_picture_is_not_chosen_before_a_still_one(now: bytes, later: bytes) -> None:
    looks = [Look(now, later)] * 10
    looks[4] = still(picture(seed=7, contrast=0.8))

    assert choose_posters(looks)[0] == 4


def test_the_richer_of_two_scenes_is_chosen() -> None:
    looks = [still(picture(contrast=0.3, seed=seed)) for seed in range(10)]
    looks[4] = scene(4)

    assert choose_posters(looks)[0] == 4


def test_a_blurred_scene_is_not_chosen_before_a_sharp_one() -> None:
    blurred = bytes(sum(SCENE[max(0, n - 4) : n + 5]) // len(SCENE[max(0, n - 4) : n + 5]) for n in range(THUMB_BYTES))
    looks = [still(blurred)] * 10
    looks[5] = scene(3)

    assert choose_posters(looks)[0] == 5


def test_among_equally_rich_scenes_the_film_s_usual_light_is_preferred() -> None:
    night = still(bytes(255 - level for level in picture(brightness=0.75, seed=1)))
    looks = [still(picture(brightness=0.75, seed=number)) for number in range(20)]
    looks[10] = night

    assert choose_posters(looks)[0] != 10


def test_among_equal_scenes_neither_the_opening_nor_the_end_is_chosen() -> None:
    assert 0.1 <= (choose_posters([still(SCENE)] * 30)[0] + 0.5) / 30 <= 0.9


def test_several_scenes_are_offered_with_different_looks_and_times() -> None:
    looks = [scene(number // 5) for number in range(60)]
    chosen = choose_posters(looks)

    assert len(chosen) == MAX_POSTERS
    assert len({number // 5 for number in chosen}) == MAX_POSTERS
    assert all(difference(looks[a].blocks, looks[b].blocks) > ALIKE for a in chosen for b in chosen if a != b)


def test_a_film_of_one_scene_offers_it_once() -> None:
    assert len(choose_posters([still(SCENE)] * 60)) == 1


def looks_of_the_demo() -> list[Look]:
    """Two frames a second: 8 of a slow pan over a meadow, 10 of a bird on a branch, 2 of a title."""
    grey = f"select='not(mod(n,6))',scale={THUMB_WIDTH}:{THUMB_HEIGHT}:out_range=pc,format=gray"
    output = ["-vf", grey, "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    made = subprocess.run([find_ffmpeg(), "-v", "error", "-i", str(DEMO), *output], check=True, capture_output=True)
    return split_looks(made.stdout)


def test_a_slow_pan_is_one_candidate_and_action_before_one_background_is_several() -> None:
    looks = looks_of_the_demo()
    scenes = Counter("meadow" if n < 8 else "bird" if n < 18 else "title" for n in choose_posters(looks))

    assert len(looks) == 20
    assert scenes == {"meadow": 1, "bird": 4, "title": 1}


def test_a_film_of_blanks_still_has_a_poster() -> None:
    assert len(choose_posters([still(flat(0))] * 5)) == 1


def test_a_film_of_one_frame_shows_that_frame() -> None:
    assert choose_posters([still(flat(0))]) == [0]


def test_frames_come_in_pairs_and_a_single_last_frame_counts_as_still() -> None:
    looks = split_looks(SCENE + flat(7) + flat(9) + b"cut off")

    assert [(look.frame, look.later) for look in looks] == [(SCENE, flat(7)), (flat(9), flat(9))]
    assert split_looks(b"") == []
