"""`manage.py add_demo`: one film in an empty catalogue, and never a second time."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.management.commands import add_demo
from content_app import queue
from content_app.models import Category, Video
from content_app.states import State
from users_app.models import User

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("add_demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue_processing", lambda _: True)
    monkeypatch.setattr(add_demo, "POLL_S", 0.01)


def test_the_demo_waits_for_a_worker_and_belongs_to_the_admin(admin: User) -> None:
    Category.objects.create(name="Animation")
    run()
    video = Video.objects.get()
    assert (video.public_id, video.owner, video.state) == (add_demo.PUBLIC_ID, admin, State.PENDING)
    assert str(video.category) == "Animation"
    assert video.video_file.size == video.original_bytes == add_demo.CLIP.stat().st_size


def test_it_is_added_once(admin: User) -> None:
    run()
    run()
    assert Video.objects.count() == 1


def test_a_demo_that_was_deleted_stays_deleted(admin: User) -> None:
    run()
    Video.objects.update(deleted_at=timezone.now())
    assert run("--follow") == ""
    assert Video.objects.filter(deleted_at=None).count() == 0


def test_a_catalogue_with_films_of_its_own_gets_none(owner: User, admin: User) -> None:
    Video.objects.create(owner=owner, title="Mine")
    run()
    assert [video.title for video in Video.objects.all()] == ["Mine"]


def test_without_an_admin_it_says_what_to_do_first() -> None:
    with pytest.raises(CommandError, match=r"run `manage\.py bootstrap` first\.$"):
        run()


def test_a_demo_that_failed_is_told_with_its_reason(admin: User) -> None:
    run()
    Video.objects.update(state=State.ERROR, error_message="The disk is full.")
    with pytest.raises(CommandError, match=r"^The demo could not be processed: The disk is full\.$"):
        run("--follow")


def test_a_demo_that_was_ready_before_is_no_news(admin: User) -> None:
    run()
    Video.objects.update(state=State.READY)
    assert run("--follow") == ""


@pytest.fixture
def soon_ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that finishes the film while the command sleeps for the third time."""
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        Video.objects.filter(pk__gt=0).update(state=State.READY if len(naps) == 3 else State.PROCESSING)

    monkeypatch.setattr("time.sleep", nap)
    yield
    assert len(naps) == 3


@pytest.mark.usefixtures("soon_ready")
def test_it_waits_and_says_where_to_watch(admin: User, settings: Any) -> None:
    settings.BACKEND_ORIGIN = "http://localhost:8010"
    said = run("--follow")
    assert re.fullmatch(r"The demo is ready to watch: http://localhost:8010/watch/[0-9a-f-]{36}/\n", said)
