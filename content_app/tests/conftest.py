"""What the tests of this app share."""

import pytest
from django.test import Client

from content_app import queue
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
