"""Migrations of existing rows; each test migrates back and forth."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = ("content_app", "0009_candidate_originals")
AFTER = ("content_app", "0011_originals_that_must_be")


def migrate(target: tuple[str, str]) -> Any:
    """The models before the migration; those of other apps as they are now."""
    others = [node for node in MigrationExecutor(connection).loader.graph.leaf_nodes() if node[0] != target[0]]
    MigrationExecutor(connection).migrate([target])
    return MigrationExecutor(connection).loader.project_state([*others, target]).apps


@pytest.fixture
def videos_before(transactional_db: None) -> Iterator[Any]:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("content_app")[0]
    apps = migrate(BEFORE)
    owner = apps.get_model("users_app", "User").objects.create(email="owner@example.com")

    def add(**fields: Any) -> int:
        original = {"video_file": "originals/a.mp4", "accepted_original": "originals/a.mp4", "original_name": "a.mp4"}
        return int(apps.get_model("content_app", "Video").objects.create(owner=owner, **{**original, **fields}).pk)

    yield add
    migrate(latest)


def test_films_with_a_version_keep_their_original_and_are_not_failed(videos_before: Any) -> None:
    failed = {"state": "error", "error_code": "not_a_video", "error_message": "This is no video."}
    ready = videos_before(title="Ready", state="ready", version="v1", verdict={"verdict": "fine"})
    replaced_badly = videos_before(title="Plays on", version="v1", **failed)
    never_played = videos_before(title="Never played", **failed)
    may_pass = videos_before(title="May pass", state="error", error_code="storage_unavailable")
    waiting = videos_before(title="Waits", state="pending")
    videos = migrate(AFTER).get_model("content_app", "Video").objects
    for pk in (ready, replaced_badly):
        now = videos.get(pk=pk)
        assert (now.state, now.played_original, now.played_name) == ("ready", "originals/a.mp4", "a.mp4")
    assert videos.get(pk=ready).played_verdict == {"verdict": "fine"}
    told = videos.get(pk=replaced_badly)
    assert (told.refused_code, told.refused_message, told.error_code) == ("not_a_video", "This is no video.", "")
    assert [videos.get(pk=pk).error_is_final for pk in (never_played, may_pass)] == [True, False]
    assert videos.get(pk=never_played).state == "error"
    assert videos.get(pk=waiting).queued_at is not None
