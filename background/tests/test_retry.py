"""How long work waits before it is tried again, and when it is given up."""

import pytest

from background.retry import Retry


@pytest.mark.parametrize(
    ("retry", "waits_s"),
    [
        (Retry(first_s=5), [5, 10, 20, 40]),
        (Retry(first_s=60, factor=3), [60, 180, 540, 1620]),
        (Retry(first_s=5, max_s=15), [5, 10, 15, 15]),
        (Retry(first_s=0), [0, 0, 0, 0]),
    ],
)
def test_each_wait_is_longer_up_to_the_longest(retry: Retry, waits_s: list[float]) -> None:
    assert [retry.wait_s(failed) for failed in (1, 2, 3, 4)] == waits_s


def test_it_ends_after_the_last_try() -> None:
    retry = Retry(first_s=1, tries=3)
    assert [retry.is_over(failed) for failed in (1, 2, 3, 4)] == [False, False, True, True]


def test_without_a_number_of_tries_it_never_ends() -> None:
    assert not Retry(first_s=1).is_over(1000)
