import time

from local.programs import Child, Program, Timing, describe_end

TIMING = Timing(first_delay_s=1, max_delay_s=8, settled_s=60)


def child_that_lived(seconds: float, *, delay_s: float) -> Child:
    return Child(Program("web", ["web"]), started_at=time.monotonic() - seconds, delay_s=delay_s)


def test_each_early_death_doubles_the_delay() -> None:
    child = child_that_lived(2, delay_s=2)
    child.plan_restart(TIMING)
    assert child.delay_s == 4
    assert child.due_at is not None
    assert 3.5 < child.due_at - time.monotonic() <= 4


def test_the_delay_has_an_upper_limit() -> None:
    child = child_that_lived(2, delay_s=8)
    child.plan_restart(TIMING)
    assert child.delay_s == 8


def test_a_program_that_had_settled_starts_again_at_once() -> None:
    child = child_that_lived(61, delay_s=8)
    child.plan_restart(TIMING)
    assert child.delay_s == 1


def test_a_program_that_waits_for_its_restart_has_not_ended() -> None:
    child = child_that_lived(2, delay_s=0)
    assert child.has_ended
    child.plan_restart(TIMING)
    assert not child.has_ended


def test_the_end_of_a_process_is_described_in_words() -> None:
    assert describe_end(-9) == "was ended by SIGKILL"
    assert describe_end(3) == "ended with exit code 3"
