"""Originals on their way from a bucket into the work folder: read once, and never more than there is room for."""

import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from content_app.services.storage import work_folder
from content_app.services.storage.stores import get_store
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.store import LocalStore

KEY = "originals/x/film.mp4"
MB = 1024**2


class Bucket(LocalStore):
    """A folder that is read like a bucket: by copies, which are counted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fetched = 0

    def fetch(self, key: str, path: Path, on_tick: Any = None, etag: str = "") -> None:
        self.fetched += 1
        shutil.copyfile(self.path_of(key), path)


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    store = Bucket(Path(settings.MEDIA_ROOT))
    store.path_of(KEY).parent.mkdir(parents=True)
    store.path_of(KEY).write_bytes(bytes(2 * MB))
    monkeypatch.setattr(work_folder, "get_store", lambda: store)
    monkeypatch.setattr(work_folder, "bucket_store", lambda: store)
    return store


@pytest.fixture
def place(settings: Any) -> Path:
    folder = Path(settings.WORK_DIR, "a-claim")
    folder.mkdir()
    return folder / "source"


def test_a_checked_file_is_left_to_the_worker(bucket: Bucket, place: Path) -> None:
    work_folder.fetch_original(KEY, place)
    work_folder.leave_to_worker(KEY, place)
    assert not place.exists()
    work_folder.fetch_original(KEY, place)
    assert (bucket.fetched, place.stat().st_size) == (1, 2 * MB)
    assert work_folder.drop_kept(older_than_s=0) == 0


def test_a_file_that_no_worker_takes_is_dropped_after_a_while(bucket: Bucket, place: Path) -> None:
    work_folder.fetch_original(KEY, place)
    os.utime(place, (0, 0))  # the age counts from now, although the file is old
    work_folder.leave_to_worker(KEY, place)
    assert work_folder.drop_kept() == 0
    time.sleep(0.05)
    assert work_folder.drop_kept(older_than_s=0.01) == 1
    work_folder.fetch_original(KEY, place)
    assert bucket.fetched == 2


@pytest.mark.parametrize(("most_mb", "is_taken"), [(0, True), (3, True), (2, True), (1, False)])
def test_the_work_folder_takes_a_film_for_which_there_is_room(
    bucket: Bucket, place: Path, settings: Any, most_mb: int, is_taken: bool
) -> None:
    settings.WORK_MAX_MB = most_mb
    with nullcontext() if is_taken else pytest.raises(StorageUnavailable, match="WORK_MAX_MB"):
        work_folder.fetch_original(KEY, place)
    assert place.exists() == is_taken


def test_the_room_of_other_films_counts(bucket: Bucket, place: Path, settings: Any) -> None:
    settings.WORK_MAX_MB = 3
    place.with_name("of-another").write_bytes(bytes(2 * MB))
    with pytest.raises(StorageUnavailable):
        work_folder.fetch_original(KEY, place)


def test_files_kept_for_later_give_way_to_a_film_that_is_needed_now(bucket: Bucket, place: Path, settings: Any) -> None:
    settings.WORK_MAX_MB = 3
    place.write_bytes(bytes(2 * MB))
    work_folder.leave_to_worker("originals/another/film.mp4", place)
    work_folder.fetch_original(KEY, place)
    assert place.stat().st_size == 2 * MB


def test_a_full_disk_is_reported_before_anything_is_fetched(
    bucket: Bucket, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(StorageUnavailable, match="no room"):
        work_folder.fetch_original(KEY, place)
    assert bucket.fetched == 0


def test_originals_in_a_folder_need_no_copy_and_no_room(place: Path, settings: Any, tmp_path: Path) -> None:
    settings.WORK_MAX_MB = 1
    (tmp_path / "film").write_bytes(bytes(2 * MB))
    get_store().put(tmp_path / "film", KEY, "video/mp4")
    work_folder.fetch_original(KEY, place)
    work_folder.leave_to_worker(KEY, place)
    assert place.exists()
