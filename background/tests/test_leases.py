"""A row has one worker at a time: who gets it, how long, and what a worker may write that has lost it."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from background.leases import Heartbeat, LeasedQuerySet, LeaseLost

# A table with leases. Its model is looked up by its name, because this package imports no app.
Upload: Any = apps.get_model("content_app", "DirectUpload")

SECOND = timedelta(seconds=1)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[datetime]:
    """The time, which stands still until the test moves it. Leases last ten seconds."""
    settings.LEASE_SECONDS = 10
    clock = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    return clock


@pytest.fixture
def row(owner: Any, now: list[datetime]) -> Any:
    """A row that no worker has."""
    return Upload.objects.create(owner=owner, key="originals/a.mp4", expires_at=now[0])


def take(row: Any, **how: Any) -> Any:
    return Upload.objects.filter(pk=row.pk).take(**how)


def as_stored(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = Upload.objects.values().get(pk=row.pk)
    return found


# --- taking ----------------------------------------------------------------------------------------------------------


def test_the_worker_that_takes_a_row_gets_it_as_it_is_stored_now(row: Any, now: list[datetime]) -> None:
    taken = take(row, problem="none yet")
    assert taken.lease_token is not None
    assert (taken.pk, taken.free_at, taken.attempts, taken.problem) == (row.pk, now[0] + 10 * SECOND, 1, "none yet")
    assert as_stored(row) == {field.attname: getattr(taken, field.attname) for field in Upload._meta.fields}


def test_a_row_is_taken_once(row: Any) -> None:
    before = take(row) and as_stored(row)
    assert take(row) is None
    assert as_stored(row) == before, "the attempt that took nothing is not counted"


@pytest.mark.django_db(transaction=True)
def test_if_several_workers_take_a_row_at_once_one_gets_it(row: Any) -> None:
    barrier, taken = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        try:
            taken.append(take(row))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = (one for one in taken if one is not None)
    assert len(taken) == 4
    assert (as_stored(row)["lease_token"], as_stored(row)["attempts"]) == (winner.lease_token, 1)


def test_a_lease_may_be_longer_than_usual_and_no_attempt(row: Any, now: list[datetime]) -> None:
    taken = take(row, until=now[0] + 60 * SECOND, is_attempt=False)
    assert (taken.free_at, taken.attempts) == (now[0] + 60 * SECOND, 0)


def test_a_row_that_is_gone_is_not_taken(row: Any) -> None:
    Upload.objects.all().delete()
    assert take(row) is None


def test_a_row_that_is_deleted_while_it_is_taken_is_not_taken(row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def update_before_it_is_deleted(rows: Any, **changes: Any) -> int:
        updated = models.QuerySet.update(rows, **changes)
        Upload.objects.all().delete()
        return updated

    monkeypatch.setattr(LeasedQuerySet, "update", update_before_it_is_deleted)
    assert take(row) is None


# --- the end of a lease ----------------------------------------------------------------------------------------------


def test_a_row_is_free_again_once_its_lease_has_ended(row: Any, now: list[datetime]) -> None:
    first = take(row)
    now[0] += 9 * SECOND
    assert (list(Upload.objects.free()), list(Upload.objects.expired()), take(row)) == ([], [], None)
    now[0] += SECOND
    assert (list(Upload.objects.free()), list(Upload.objects.expired())) == ([row], [row])
    second = take(row)
    assert (second.attempts, second.lease_token == first.lease_token) == (2, False)
    assert list(Upload.objects.expired()) == []


def test_a_row_without_a_worker_has_no_lease_that_could_end(row: Any, now: list[datetime]) -> None:
    assert list(Upload.objects.expired()) == []
    Upload.objects.update(free_at=now[0] - SECOND)
    assert (list(Upload.objects.free()), list(Upload.objects.expired())) == ([row], [])


def test_a_worker_that_lives_renews_its_lease(row: Any, now: list[datetime]) -> None:
    taken = take(row)
    for _ in range(3):
        now[0] += 9 * SECOND
        assert take(row) is None
        taken.renew()
    assert as_stored(row)["free_at"] == now[0] + 10 * SECOND


def test_each_write_renews_the_lease(row: Any, now: list[datetime]) -> None:
    taken = take(row)
    now[0] += 9 * SECOND
    taken.write(problem="slow")
    assert (as_stored(row)["problem"], as_stored(row)["free_at"]) == ("slow", now[0] + 10 * SECOND)
    assert as_stored(row)["lease_token"] == taken.lease_token


def test_a_worker_that_was_late_goes_on_while_no_other_has_the_row(row: Any, now: list[datetime]) -> None:
    taken = take(row)
    now[0] += 60 * SECOND
    taken.renew()
    assert take(row) is None


# --- a lease that is lost --------------------------------------------------------------------------------------------

WRITES: list[Callable[[Any], None]] = [
    lambda row: row.write(problem="too late"),
    lambda row: row.renew(),
    lambda row: row.release(problem="too late"),
    lambda row: Heartbeat(row)(),
]


def lost_to_another(taken: Any, now: list[datetime]) -> None:
    now[0] += 11 * SECOND
    assert take(taken)


def given_back(taken: Any, now: list[datetime]) -> None:
    taken.release()


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("lose", [lost_to_another, given_back])
def test_a_worker_without_the_lease_changes_nothing(
    lose: Callable[[Any, list[datetime]], None], write: Callable[[Any], None], row: Any, now: list[datetime]
) -> None:
    taken = take(row)
    lose(taken, now)
    before = as_stored(row)
    with pytest.raises(LeaseLost):
        write(taken)
    assert not taken.held().exists()
    assert as_stored(row) == before


@pytest.mark.parametrize("write", WRITES)
def test_a_worker_of_a_row_that_was_deleted_is_told(write: Callable[[Any], None], row: Any) -> None:
    taken = take(row)
    Upload.objects.all().delete()
    with pytest.raises(LeaseLost):
        write(taken)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("write", WRITES)
def test_an_instance_that_was_read_and_not_taken_holds_no_lease(write: Callable[[Any], None], row: Any) -> None:
    before = as_stored(row)
    with pytest.raises(LeaseLost):
        write(Upload.objects.get())
    assert not Upload.objects.get().held().exists()
    assert as_stored(row) == before


# --- releasing -------------------------------------------------------------------------------------------------------


def test_a_row_that_is_released_is_free_at_once(row: Any) -> None:
    take(row).release(problem="try again")
    stored = as_stored(row)
    assert (stored["lease_token"], stored["free_at"], stored["attempts"]) == (None, None, 1)
    assert stored["problem"] == "try again"
    assert take(row).attempts == 2


def test_a_row_that_is_released_with_a_pause_is_free_after_it(row: Any, now: list[datetime]) -> None:
    take(row).release(until=now[0] + 60 * SECOND)
    now[0] += 59 * SECOND
    assert (list(Upload.objects.free()), take(row)) == ([], None)
    now[0] += SECOND
    assert list(Upload.objects.expired()) == [], "a pause is no lease"
    assert take(row).attempts == 2


# --- the heartbeat ---------------------------------------------------------------------------------------------------


def test_a_heartbeat_renews_the_lease_about_once_a_second(
    row: Any, now: list[datetime], django_assert_num_queries: Any
) -> None:
    beat = Heartbeat(take(row))
    with django_assert_num_queries(3):
        for _ in range(30):  # ten times a second
            beat()
            now[0] += SECOND / 10
    now[0] += 5 * SECOND  # the work was held up
    beat()
    assert as_stored(row)["free_at"] == now[0] + 10 * SECOND


def test_a_heartbeat_tells_the_worker_within_a_second_that_another_has_the_row(row: Any, now: list[datetime]) -> None:
    beat = Heartbeat(take(row))
    beat()
    now[0] += 11 * SECOND
    take(row)
    with pytest.raises(LeaseLost):
        beat()
