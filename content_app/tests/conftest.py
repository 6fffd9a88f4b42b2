"""Fixtures for the tests of this app."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client

from background.tests.memory_queue import MemoryQueue
from content_app.models import DirectUpload
from media_pipeline.storage.buckets import Buckets, S3Connection
from users_app.models import User


@pytest.fixture
def enqueued(memory_queue: MemoryQueue) -> list[int]:
    """The ids of the videos that were put on the queue for a worker."""
    return memory_queue.put_keys["process_video"]


@pytest.fixture
def to_check(memory_queue: MemoryQueue) -> list[int]:
    """The ids of the uploads whose check was put on the queue."""
    return memory_queue.put_keys["check_upload"]


@pytest.fixture
def staff(admin: User, client: Client) -> Client:
    """The admin site, with an admin signed in to it."""
    client.force_login(admin)
    return client


@pytest.fixture
def _on_bucket(settings: Any) -> None:
    """Requests can be signed, for a bucket at an address where no server listens."""
    settings.S3_CONNECTION = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1", "http://127.0.0.1:9", timeout_s=1, attempts=1,
        access_key_id="key", secret_access_key="secret",
    )  # fmt: skip


@pytest.fixture
def commits_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on_commit callbacks at once: a test is one transaction that is never committed, unless it is marked for real
    ones.
    """
    marker = request.node.get_closest_marker("django_db")
    if not (marker and marker.kwargs.get("transaction")):
        monkeypatch.setattr(transaction, "on_commit", lambda function: function())


@pytest.fixture
def checks_seen(memory_queue: MemoryQueue) -> list[Any]:
    """For each check that is put on the queue, the state of the upload that a worker would find at that moment."""
    seen: list[Any] = []

    def look(upload_id: int) -> None:
        found = DirectUpload.objects.filter(pk=upload_id)
        seen.append(on_another_connection(lambda: found.values("arrived_at", "video__title").first()))

    memory_queue.on_put["check_upload"] = look
    return seen


def on_another_connection(question: Callable[[], Any]) -> Any:
    """Runs the query on another connection, which sees only what is committed."""

    def ask() -> Any:
        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def assert_one_whole(seen: list[Any], title: str) -> None:
    """Asserts one check, of an upload that was committed together with its arrival and its video."""
    assert [one["video__title"] for one in seen] == [title]
    assert seen[0]["arrived_at"] is not None
