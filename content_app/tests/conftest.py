"""What the tests of this app share."""

import pytest

from content_app import queue


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The video ids that were put on the queue; nothing leaves the test."""
    ids: list[int] = []

    def remember(video_id: int) -> bool:
        ids.append(video_id)
        return True

    monkeypatch.setattr(queue, "enqueue_processing", remember)
    monkeypatch.setattr(queue, "enqueue_cleanup", lambda: True)
    return ids
