"""Numbers and lists as people read them."""

from fractions import Fraction

import pytest

from media_pipeline.report.number_text import bytes_text, enumerate_words, rate_text, seconds_text


@pytest.mark.parametrize(
    ("rate", "text"), [("24000/1001", "23.976"), ("25", "25"), ("119.88", "119.88"), ("1/2", "0.5")]
)
def test_a_rate_has_the_decimals_it_needs(rate: str, text: str) -> None:
    assert rate_text(Fraction(rate)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.04 s"), (Fraction(1), "1 s"), (9.5, "9.5 s"), (9.999, "10 s"), (42.4, "42 s"), (59.9, "1 min"),
        (125, "2 min 5 s"), (3600, "1 h"), (5520, "1 h 32 min"), (86_399.9, "24 h"),
    ],
)  # fmt: skip
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 kB"), (1_024_000, "1.0 MB"), (26_529_792, "25.3 MB"),
        (200 * 1024**2, "200 MB"), (4 * 1024**3, "4.0 GB"), (5000 * 1024**4, "5000 TB"),
    ],
)  # fmt: skip
def test_bytes_are_written_in_the_unit_that_fits(count: int, text: str) -> None:
    assert bytes_text(count) == text


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_a_list_ends_with_a_word(names: list[str], text: str) -> None:
    assert enumerate_words(names, "and") == text
