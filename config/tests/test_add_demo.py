"""`manage.py add_demo`: adds four films to an empty catalogue, and never adds them again."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from background.tests.memory_queue import MemoryQueue
from config.management.commands import add_demo
from content_app.models import Category, Run, Video
from content_app.services.processing import lifecycle
from content_app.states import RunState, State
from content_app.tests.factories import publish_version
from media_pipeline.probe import probe
from users_app.models import User

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("add_demo", *arguments, stdout=out)
    return out.getvalue()


def make_all_ready() -> None:
    for video in Video.objects.all():
        publish_version(video)


@pytest.fixture(autouse=True)
def _queue(memory_queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add_demo, "POLL_S", 0.01)


@pytest.fixture
def queued(memory_queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The films whose jobs were put on the queue, in order."""
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    return memory_queue.put_keys["process_video"]


def test_the_demo_waits_for_a_worker_and_belongs_to_the_admin(admin: User) -> None:
    for name in ("Animation", "Family"):
        Category.objects.create(name=name)
    run()
    video = add_demo.find_demo()
    assert video
    assert (video.owner, video.state) == (admin, State.PENDING)
    assert str(video.category) == "Animation"
    assert video.video_file.size == video.original_bytes == add_demo.FIRST.clip.stat().st_size
    assert Counter(str(one.category) for one in Video.objects.all()) == {"Animation": 2, "Family": 2}
    assert all("Creative Commons Attribution" in one.description for one in Video.objects.all())


def test_the_first_film_is_queued_first_and_stays_the_newest(admin: User, queued: list[int]) -> None:
    run()
    assert queued[0] == Video.objects.get(public_id=add_demo.PUBLIC_ID).pk
    assert len(set(queued)) == 4
    assert str(Video.objects.order_by("-created_at")[0].public_id) == str(add_demo.PUBLIC_ID)


def test_it_is_added_once(admin: User) -> None:
    run()
    run()
    make_all_ready()
    run("--follow")
    assert Video.objects.count() == 4


def test_a_demo_that_was_deleted_stays_deleted(admin: User) -> None:
    run()
    Video.objects.update(deleted_at=timezone.now())
    assert run("--follow") == ""
    assert Video.objects.filter(deleted_at=None).count() == 0


def test_a_film_of_the_demo_that_was_removed_for_good_does_not_come_back(admin: User) -> None:
    run()
    make_all_ready()
    for _ in range(3):
        newest = Video.objects.exclude(public_id=add_demo.PUBLIC_ID).first()
        assert newest
        newest.delete()
        run("--follow")
    assert [video.title for video in Video.objects.all()] == ["Big Buck Bunny"]


def test_a_run_that_was_interrupted_is_finished_by_the_next_one(admin: User) -> None:
    add_demo.add_film(add_demo.FIRST)
    run()
    assert Video.objects.count() == 4


def test_one_of_the_films_has_captions_and_sound_in_two_languages() -> None:
    spoken = {demo.name: probe(demo.clip, time_limit_s=60) for demo in (add_demo.FIRST, *add_demo.OTHERS)}
    burrow = spoken["the-burrow.mp4"]
    assert [sound.language for sound in burrow.audio] == ["en", "de"]
    assert [text.language for text in burrow.subtitles] == ["en", "de"]
    assert sum(demo.clip.stat().st_size for demo in (add_demo.FIRST, *add_demo.OTHERS)) < 8_000_000


def test_a_catalogue_with_films_of_its_own_gets_no_demo(owner: User, admin: User) -> None:
    Video.objects.create(owner=owner, title="Mine")
    run()
    assert [video.title for video in Video.objects.all()] == ["Mine"]


def test_without_an_admin_it_says_what_to_do_first() -> None:
    with pytest.raises(CommandError, match=r"run `manage\.py bootstrap` first\.$"):
        run()


def test_a_demo_that_failed_is_reported_with_its_reason(admin: User) -> None:
    run()
    failed = {"error_code": "storage_unavailable", "error_message": "The disk is full."}
    Run.objects.update(state=RunState.FAILED, ended_at=timezone.now(), **failed)
    Video.objects.update(state=State.ERROR)
    with pytest.raises(CommandError, match=r"^The demo could not be processed: The disk is full\.$"):
        run("--follow")


def test_a_demo_that_was_ready_before_is_not_announced_again(admin: User) -> None:
    run()
    make_all_ready()
    assert run("--follow") == ""


@pytest.fixture
def soon_ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that finishes the film while the command sleeps for the third time."""
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 1:
            assert lifecycle.claim(video_id=Video.objects.get().pk)
        if len(naps) == 3:
            publish_version(Video.objects.get())

    monkeypatch.setattr("time.sleep", nap)
    yield
    assert len(naps) == 3


@pytest.mark.usefixtures("soon_ready")
def test_it_waits_and_says_where_to_watch(admin: User, settings: Any) -> None:
    settings.BACKEND_ORIGIN = "http://localhost:8010"
    said = run("--follow")
    assert Video.objects.count() == 4, "the other films are added once the first can be watched"
    assert re.fullmatch(r"The demo is ready to watch: http://localhost:8010/watch/[0-9a-f-]{36}/\n", said)
