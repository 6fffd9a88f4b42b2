"""The clean-up of the reaper: objects and files that it removes, and those that it must leave."""

import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from background.chores import chores, reap
from background.tests.memory_queue import MemoryQueue
from content_app.models import Discard, Video
from content_app.services.processing import backlog
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store
from content_app.services.uploads import half_received
from content_app.states import State
from content_app.tests.factories import make_playable, make_video
from media_pipeline.errors import StorageUnavailable
from users_app.models import User

pytestmark = pytest.mark.usefixtures("memory_queue")


@pytest.fixture
def waiting(owner: User) -> Video:
    return make_video(owner, title="Waiting", state=State.PENDING)


def test_a_waiting_video_without_a_job_is_enqueued(waiting: Video, enqueued: list[int]) -> None:
    assert backlog.enqueue_waiting() == 1
    assert enqueued == [waiting.pk]


def test_a_waiting_video_with_a_job_is_left_alone(
    waiting: Video, enqueued: list[int], memory_queue: MemoryQueue
) -> None:
    memory_queue.waiting["process_video"] = {waiting.pk}
    assert backlog.enqueue_waiting() == 0
    assert enqueued == []


def test_without_a_queue_the_round_goes_on(waiting: Video, memory_queue: MemoryQueue) -> None:
    memory_queue.is_reachable = False
    reap()
    waiting.refresh_from_db()
    assert waiting.state == State.PENDING


@pytest.mark.parametrize("state", [State.UPLOADING, State.PROCESSING, State.READY, State.ERROR])
def test_other_videos_are_left_alone(owner: User, enqueued: list[int], state: State) -> None:
    _ = make_playable(owner) if state == State.READY else make_video(owner, state=state)
    backlog.enqueue_waiting()
    assert enqueued == []


def test_due_discards_are_removed_and_others_stay(db: None, settings: Any, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"x")
    store = get_store()
    for key in ("videos/a/v1/720p.mp4", "videos/a/v2/720p.mp4"):
        store.put(source, key, "video/mp4")
    Discard.objects.create(prefix="videos/a/v1")
    Discard.objects.create(prefix="videos/a/v2", due_at=timezone.now() + timedelta(hours=1))
    reap()
    assert list(store.list("videos/a")) == ["videos/a/v2/720p.mp4"]
    assert [d.prefix for d in Discard.objects.all()] == ["videos/a/v2"]


def test_scratch_of_dead_workers_is_swept_and_that_of_living_ones_kept(owner: User, settings: Any) -> None:
    token = uuid.uuid4()
    make_video(owner, state=State.PROCESSING, lease_token=token)
    living, dead = settings.WORK_DIR / str(token), settings.WORK_DIR / str(uuid.uuid4())
    for folder in (living, dead):
        folder.mkdir()
    reap()
    assert living.exists()
    assert not dead.exists()


def test_brief_folders_go_when_their_work_is_done_or_after_a_day(db: None, settings: Any) -> None:
    with brief_folder() as fresh:
        killed = settings.WORK_DIR / "brief-killed"
        killed.mkdir()
        two_days_ago = time.time() - 2 * 24 * 3600
        os.utime(killed, (two_days_ago, two_days_ago))
        reap()
        assert fresh.exists()
    assert list(settings.WORK_DIR.iterdir()) == []


def test_a_work_folder_that_is_full_or_gone_is_a_storage_error(settings: Any) -> None:
    settings.WORK_DIR = settings.WORK_DIR / "nowhere"
    with pytest.raises(StorageUnavailable), brief_folder():
        pass


def test_half_received_uploads_go_after_a_day(db: None, settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    fresh, old = tmp_path / "incoming" / "fresh", tmp_path / "incoming" / "old"
    for path in (fresh, old):
        path.touch()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    reap()
    assert fresh.exists()
    assert not old.exists()


def test_a_file_that_cannot_be_removed_does_not_keep_the_others(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    files = [settings.FILE_UPLOAD_TEMP_DIR / f"{number}.upload" for number in range(3)]
    for file in files:
        file.touch()
        os.utime(file, (0, 0))
    unlink, stuck = Path.unlink, next(settings.FILE_UPLOAD_TEMP_DIR.iterdir())

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PermissionError):
        half_received.sweep_incoming()
    assert [file for file in files if file.exists()] == [stuck]


CHORES = list(chores)


@pytest.mark.parametrize("failing", CHORES)
def test_every_chore_runs_when_any_one_of_them_fails(failing: str, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def stand_in(name: str) -> Callable[[], None]:
        def do() -> None:
            done.append(name)
            if name == failing:
                raise OSError("no such disk")

        return do

    for name in CHORES:
        monkeypatch.setattr(name, stand_in(name))
    assert reap().failing == [failing]
    assert done == CHORES


def test_the_command_that_runs_one_round_says_what_failed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("no such disk")

    monkeypatch.setattr("content_app.services.uploads.tus.sweep", fail)
    with pytest.raises(CommandError, match=r"content_app\.services\.uploads\.tus\.sweep"):
        call_command("reaper", "--once")
