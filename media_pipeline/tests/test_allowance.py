"""The limits of children grow with their work, and with nothing that a file merely claims."""

from fractions import Fraction

import pytest

from media_pipeline.limits import GIB, MIB
from media_pipeline.planning.allowance import encoder_limits, probe_limits
from media_pipeline.planning.plan import EncodePlan, PlanSettings, plan_encode
from media_pipeline.sources.source import Source
from media_pipeline.tests.sources import FILM, film

SPECK = film(width=160, height=120, stored_size=(160, 120), audio=())
CINEMA = film(width=8192, height=4352, stored_size=(8192, 4352))


def plan(source: Source = FILM) -> EncodePlan:
    return plan_encode(source, PlanSettings())


def memory(source: Source, processors: int = 2) -> float:
    """The memory of the encoder in GiB."""
    return encoder_limits(plan(source), processors).memory_bytes / GIB


def test_memory_follows_the_size_of_the_pictures() -> None:
    assert 1 < memory(SPECK) < 1.5
    assert memory(SPECK) < memory(FILM) < memory(CINEMA) < 8


def test_memory_follows_the_number_of_threads() -> None:
    assert memory(FILM, 64) - memory(FILM, 2) == pytest.approx(62 * 0.15, rel=0.3)


def test_disk_follows_the_length() -> None:
    second, hour = (encoder_limits(plan(film(duration_s=Fraction(s))), 2).file_bytes for s in (1, 3600))

    assert second < 70 * MIB
    assert hour < 8 * GIB
    # The best rung may peak at twice its 6 Mbit/s from beginning to end.
    assert hour - second == pytest.approx(3599 * 2 * 6_000_000 / 8, rel=0.2)


def test_a_folder_has_room_for_every_rung_and_soundtrack() -> None:
    limits = encoder_limits(plan(film(duration_s=Fraction(3600))), 2)

    assert limits.file_bytes < limits.folder_bytes < 3 * limits.file_bytes


def test_processor_time_is_the_time_limit_on_every_processor() -> None:
    assert encoder_limits(plan(), 4).cpu_s == 4 * plan().time_limit_s


def test_a_probe_has_room_for_the_largest_picture_and_writes_nothing() -> None:
    limits = probe_limits(60, processors=2)

    assert GIB < limits.memory_bytes < 4 * GIB
    assert (limits.cpu_s, limits.file_bytes) == (60, 0)
