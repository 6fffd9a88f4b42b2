"""What the tests of this app share."""

from typing import Any

import pytest
from django.test import Client

from content_app import queue
from media_pipeline.buckets import Buckets, S3Connection
from users_app.models import User


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The video ids that were put on the queue; nothing leaves the test."""
    ids: list[int] = []

    def remember(video_id: int) -> bool:
        ids.append(video_id)
        return True

    monkeypatch.setattr(queue, "enqueue_processing", remember)
    monkeypatch.setattr(queue, "enqueue_inspection", lambda video_id: True)
    monkeypatch.setattr(queue, "enqueue_cleanup", lambda: True)
    return ids


@pytest.fixture
def staff(admin: User, client: Client) -> Client:
    """The admin site, with an admin signed in to it."""
    client.force_login(admin)
    return client


@pytest.fixture
def _on_bucket(settings: Any) -> None:
    """Requests can be signed for a bucket that nobody reaches."""
    settings.S3_CONNECTION = S3Connection(
        Buckets("films", "films", "films"), "eu-central-1", "http://127.0.0.1:9", timeout_s=1, attempts=1,
        access_key_id="key", secret_access_key="secret",
    )  # fmt: skip
