"""The sizes in which a video is encoded."""

import pytest

from media_pipeline.planning.ladder import DEFAULT_LADDER, KNOWN_RUNGS, parse_ladder, plan_ladder

LADDER = parse_ladder(DEFAULT_LADDER)
SIZES = [
    (1920, 1080), (1280, 720), (3840, 2160), (1920, 800), (854, 480), (637, 359), (4096, 1716), (320, 180), (160, 120),
    (122, 120), (100, 100), (33, 19), (32, 18), (16, 16), (3, 3), (2, 2), (1, 1), (1279, 719), (361, 361), (8000, 121),
]  # fmt: skip


def sizes_of(width: int, height: int) -> dict[str, tuple[int, int]]:
    return {rung.name: (rung.width, rung.height) for rung in plan_ladder(width, height, LADDER)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1920, 1080), {"120p": (214, 120), "360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}),
        ((1280, 720), {"120p": (214, 120), "360p": (640, 360), "720p": (1280, 720)}),
        ((720, 1280), {"120p": (120, 214), "360p": (360, 640), "720p": (720, 1280)}),
        ((3840, 2160), {"120p": (214, 120), "360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}),
        ((1920, 800), {"120p": (288, 120), "360p": (864, 360), "720p": (1728, 720)}),
        ((637, 359), {"120p": (212, 120), "360p": (636, 358)}),
        ((1278, 718), {"120p": (214, 120), "360p": (640, 360), "720p": (1278, 718)}),
        ((1250, 704), {"120p": (214, 120), "360p": (640, 360), "480p": (852, 480)}),
        ((854, 480), {"120p": (214, 120), "360p": (640, 360), "480p": (854, 480)}),
        ((1280, 544), {"120p": (282, 120), "360p": (848, 360), "480p": (1130, 480)}),
        ((352, 640), {"120p": (120, 218), "240p": (240, 436)}),
        ((320, 180), {"120p": (214, 120)}),
        ((4096, 1716), {"120p": (286, 120), "360p": (860, 360), "720p": (1718, 720), "1080p": (2578, 1080)}),
        ((361, 361), {"120p": (120, 120), "360p": (360, 360)}),
        ((32, 18), {"120p": (32, 18)}),
        ((33, 19), {"120p": (32, 18)}),
        ((1280, 100), {"120p": (1280, 100)}),
    ],
)
def test_it_offers_the_rungs_that_the_short_side_can_fill(
    source: tuple[int, int], expected: dict[str, tuple[int, int]]
) -> None:
    assert sizes_of(*source) == expected


@pytest.mark.parametrize("source", [size for size in SIZES if min(size) >= 2])
def test_it_never_upscales(source: tuple[int, int]) -> None:
    assert all(width <= source[0] and height <= source[1] for width, height in sizes_of(*source).values())


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_portrait_picture_gets_the_rungs_of_the_same_picture_lying_down(width: int, height: int) -> None:
    turned = {name: (h, w) for name, (w, h) in sizes_of(height, width).items()}

    assert sizes_of(width, height) == turned


@pytest.mark.parametrize("source", SIZES)
def test_every_size_is_even_and_at_least_two(source: tuple[int, int]) -> None:
    lengths = [length for size in sizes_of(*source).values() for length in size]

    assert all(length >= 2 and length % 2 == 0 for length in lengths)


@pytest.mark.parametrize("source", SIZES)
def test_the_lowest_rung_always_exists(source: tuple[int, int]) -> None:
    assert next(iter(sizes_of(*source))) == "120p"


@pytest.mark.parametrize("source", [size for size in SIZES if min(size) >= 100])
def test_the_shape_of_the_picture_stays_within_a_pixel(source: tuple[int, int]) -> None:
    for width, height in sizes_of(*source).values():
        assert abs(width - height * source[0] / source[1]) <= 1 + source[0] / source[1]


@pytest.mark.parametrize(
    ("ladder", "source", "expected"),
    [
        (["360p"], (1920, 1080), ["360p"]),
        (["720p"], (854, 480), ["720p"]),
        (["120p", "1080p"], (1280, 720), ["120p", "720p"]),
        (["120p", "1080p"], (160, 150), ["120p"]),
    ],
)
def test_a_film_between_two_rungs_gets_one_of_its_own_size_and_none_above_the_ladder(
    ladder: list[str], source: tuple[int, int], expected: list[str]
) -> None:
    assert [rung.name for rung in plan_ladder(*source, parse_ladder(ladder))] == expected


def test_a_rung_in_between_has_the_quality_of_the_ladder() -> None:
    rungs = plan_ladder(854, 480, parse_ladder(DEFAULT_LADDER, crf=30))

    assert [rung.rung.crf for rung in rungs] == [30, 30, 30]


def test_a_rung_in_between_has_no_higher_peak_than_the_next_one() -> None:
    rungs = plan_ladder(854, 480, parse_ladder(["360p@400", "720p@800"]))

    assert [(rung.name, rung.rung.max_kbps) for rung in rungs] == [("360p", 400), ("480p", 800)]


def test_rungs_come_lowest_first_in_any_order_of_the_setting() -> None:
    ladder = parse_ladder(["1080p", "120p", "720p"])

    assert [rung.name for rung in ladder] == ["120p", "720p", "1080p"]
    assert [rung.name for rung in plan_ladder(1920, 1080, reversed(ladder))] == ["120p", "720p", "1080p"]


def test_a_rung_may_be_given_a_peak_rate() -> None:
    (rung,) = parse_ladder([" 720p@2500 "])

    assert (rung.short_side, rung.max_kbps) == (720, 2500)


def test_a_rung_named_twice_counts_once_and_the_last_rate_wins() -> None:
    assert [rung.max_kbps for rung in parse_ladder(["360p@900", "360p@800"])] == [800]


@pytest.mark.parametrize("rung", KNOWN_RUNGS, ids=lambda rung: rung.name)
def test_a_rung_is_named_for_its_short_side(rung: object) -> None:
    assert rung.name == f"{rung.short_side}p"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "VIDEO_LADDER is empty; name at least one rung, for example 360p."),
        (["361p"], "VIDEO_LADDER names '361p'; known rungs are 120p, 144p,"),
        ([""], "VIDEO_LADDER names ''"),
        (["720"], "VIDEO_LADDER names '720'"),
        (["720p@fast"], "VIDEO_LADDER gives 720p the rate 'fast'; write it as a whole number of kbit/s"),
        (["720p@0"], "VIDEO_LADDER gives 720p the rate '0'"),
        (["720p@-5"], "VIDEO_LADDER gives 720p the rate '-5'"),
        (["720p@٣"], "VIDEO_LADDER gives 720p the rate '٣'"),
        (
            ["720p@1000001"],
            "VIDEO_LADDER gives 720p the rate '1000001'; write it as a whole number of kbit/s, at most 1",
        ),
        (["720p@" + "9" * 5000], "VIDEO_LADDER gives 720p the rate '999"),
        (["720p@2.5"], "VIDEO_LADDER gives 720p the rate '2.5'"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused_with_a_sentence(names: list[str], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the sentence is compared below
        parse_ladder(names)

    assert str(refused.value).startswith(sentence)


def test_one_quality_may_be_set_for_all_rungs() -> None:
    assert {rung.crf for rung in parse_ladder(["120p", "1080p"], crf=28)} == {28}
    with pytest.raises(ValueError, match="VIDEO_CRF is 60; the most it can be is 51"):
        parse_ladder(["120p"], crf=60)
