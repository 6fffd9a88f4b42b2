"""The overview page of Django admin."""

import shutil
from typing import Any, NoReturn

import pytest
from django.test import Client
from django.utils import timezone

from background.tests.memory_queue import MemoryQueue
from content_app.states import State
from content_app.tests.factories import make_in_state, make_playable, make_video
from users_app.models import User

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture(autouse=True)
def _two_workers(memory_queue: MemoryQueue) -> None:
    memory_queue.workers = 2


def squeezed(staff: Client) -> str:
    return " ".join(staff.get("/admin/").content.decode().split())


def test_it_counts_the_videos_by_state_and_links_to_them(staff: Client, owner: User) -> None:
    for state in (State.PENDING, State.PENDING, State.PROCESSING, State.ERROR):
        make_video(owner, state=state)
    make_playable(owner)
    make_playable(owner, deleted_at=timezone.now())
    tiles = {tile.title: tile for tile in staff.get("/admin/").context["overview"]["tiles"]}
    assert {title: tile.number for title, tile in tiles.items()} == {
        "Waiting": 2,
        "Processing": 1,
        "Failed": 1,
        "Ready": 1,
    }
    assert staff.get(tiles["Failed"].link).context["cl"].result_count == 1


def test_it_shows_videos_under_way_and_failed_ones(staff: Client, owner: User) -> None:
    make_video(owner, title="Being made", state=State.PROCESSING, progress=42, time_left_s=125)
    make_video(owner, title="Broken", state=State.ERROR, error_code="truncated", error_message="It is cut off.")
    page = squeezed(staff)
    for text in ("Being made", "Processing, 42 %", "about 2 min left", "Broken", "It is cut off.", "truncated"):
        assert text in page


@pytest.mark.parametrize(
    ("workers", "sentence"), [(None, "cannot be reached"), (0, "no worker is running"), (1, "works, 1 worker ·")]
)
def test_it_says_whether_the_queue_works(
    workers: int | None, sentence: str, staff: Client, memory_queue: MemoryQueue
) -> None:
    memory_queue.is_reachable, memory_queue.workers = workers is not None, workers or 0
    assert sentence in squeezed(staff)


def test_a_disk_that_cannot_be_read_is_left_out(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: object) -> NoReturn:
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", fail)
    assert "<dt>Disk</dt>" not in squeezed(staff)


def test_more_videos_cost_it_no_more_queries(
    staff: Client, owner: User, make_user: Any, django_assert_max_num_queries: Any
) -> None:
    make_video(owner, state=State.PENDING)
    with django_assert_max_num_queries(100) as few:
        staff.get("/admin/")
    for number in range(5):
        for state in State:
            make_in_state(make_user(f"{state} {number}"), state)
    with django_assert_max_num_queries(len(few)):
        staff.get("/admin/")


def test_every_page_for_staff_says_what_it_may_load(staff: Client) -> None:
    for path in ("/admin/", "/admin/login/", "/admin/content_app/video/add/"):
        policy = staff.get(path)["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self' 'unsafe-eval';" in policy
