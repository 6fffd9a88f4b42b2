"""Two workers that write to one run at the same moment: the second one finds the lease as the first one left it."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from background.leases import Leased, LeaseLost
from content_app.models import Chunk, DirectUpload, Run, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Findings
from content_app.states import RunState, State
from content_app.tests.factories import make_video
from media_pipeline.errors import NotAVideo
from users_app.models import Mail, User

BLOCKED_S = 0.5  # the second worker has begun its UPDATE, and waits for the end of the first one's transaction


@pytest.mark.parametrize("model", [Run, Chunk, DirectUpload, Mail])
def test_the_row_that_changes_is_itself_compared_with_the_token(model: Any, db: None) -> None:
    """A subquery that selects the rows to change would find them as they were before the database made this UPDATE
    wait for another one.
    """
    with CaptureQueriesContext(connection) as captured, suppress(LeaseLost):
        model(pk=1, lease_token=uuid.uuid4()).renew()
    assert_compares_the_row(captured, model)


def test_the_moves_of_other_processes_compare_the_row_itself(owner: User) -> None:
    video = make_video(owner, state=State.PROCESSING, free_at=timezone.now() - timedelta(seconds=1))
    with CaptureQueriesContext(connection) as captured:
        assert lifecycle.take_back_expired() == 1
        waiting = Run.objects.get(video=video)
        assert lifecycle.note_findings(run=waiting, findings=Findings({}))
        assert lifecycle.refuse(run=waiting, error=NotAVideo(), verdict={})
    assert_compares_the_row(captured, Run)


def assert_compares_the_row(captured: CaptureQueriesContext, model: type[Leased]) -> None:
    table = model._meta.db_table
    updates = [query["sql"] for query in captured if query["sql"].startswith(f'UPDATE "{table}"')]
    assert updates
    assert not [sql for sql in updates if f'FROM "{table}"' in sql]


def expired_run(owner: User) -> Run:
    video = make_video(owner, state=State.PROCESSING, free_at=timezone.now() - timedelta(seconds=1))
    run: Run | None = video.run
    assert run
    return run


def during(write: Callable[[], None], other: Callable[[], Any]) -> Any:
    """Begins `other` between a write and its commit. Returns the result of `other`."""
    is_written = threading.Event()

    def meet() -> Any:
        is_written.wait(10)
        try:
            return other()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(meet)
        with transaction.atomic():
            write()
            is_written.set()
            time.sleep(BLOCKED_S)
        return result.result(20)


@pytest.mark.django_db(transaction=True)
def test_the_reaper_leaves_a_run_that_ends_at_the_same_moment(owner: User) -> None:
    run = expired_run(owner)

    def end() -> None:
        run.release(state=RunState.DROPPED, ended_at=timezone.now())

    assert during(end, lifecycle.take_back_expired) == 0
    run.refresh_from_db()
    assert (run.state, run.lease_token) == (RunState.DROPPED, None)


@pytest.mark.django_db(transaction=True)
def test_the_reaper_leaves_a_run_whose_lease_is_renewed_at_the_same_moment(owner: User) -> None:
    run = expired_run(owner)
    assert during(run.renew, lifecycle.take_back_expired) == 0
    run.renew()
    assert Video.objects.get().state == State.PROCESSING


@pytest.mark.django_db(transaction=True)
def test_a_worker_learns_that_its_run_is_taken_from_it_at_the_same_moment(owner: User) -> None:
    run = expired_run(owner)

    def renew() -> bool:
        with suppress(LeaseLost):
            run.renew()
            return True
        return False

    def take() -> None:
        assert Run.objects.filter(pk=run.pk).take(is_attempt=False)

    assert not during(take, renew)
