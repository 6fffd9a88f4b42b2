"""Storing a finished version."""

import os
from pathlib import Path

import pytest

from media_pipeline import layout
from media_pipeline.errors import StorageUnavailable
from media_pipeline.packaging.publish import publish
from media_pipeline.storage.store import LocalStore

NAMES = ("master.m3u8", "720p.m3u8", "720p.mp4", "720p.init.mp4", "audio.m3u8", "poster.jpg")


class ClaimLost(Exception):
    """Raised by a caller to stop the transfer."""


class RecordingStore(LocalStore):
    """Remembers the objects in their order, with their content types."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.came: list[tuple[str, str]] = []

    def put(self, path: Path, key: str, content_type: str) -> None:
        super().put(path, key, content_type)
        self.came.append((key, content_type))


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> RecordingStore:
    return RecordingStore(tmp_path / "store")


def test_everything_is_stored_below_the_prefix_with_its_content_type(version: Path, store: RecordingStore) -> None:
    stored_bytes = publish(version, store, "videos/a/v1")

    assert sorted(store.came) == sorted((f"videos/a/v1/{name}", layout.content_type(name)) for name in NAMES)
    assert all(store.read_bytes(f"videos/a/v1/{name}") == name.encode() for name in NAMES)
    assert stored_bytes == sum(len(name) for name in NAMES)


def test_the_master_playlist_is_stored_last(version: Path, store: RecordingStore) -> None:
    publish(version, store, "videos/a/v1")

    assert store.came[-1][0] == "videos/a/v1/master.m3u8"


def test_everything_is_synced_before_the_master_playlist_gets_its_name(
    version: Path, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        kept.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    def rename(path: Path, target: Path) -> Path:
        kept_by_then[target.name] = [*kept]
        return replace(path, target)

    kept_by_then: dict[str, list[str]] = {}
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    publish(version, store, "videos/a/v1")
    before = kept_by_then["master.m3u8"]
    assert set(NAMES) <= set(before), "each file is synced, also the master playlist"
    others = len(NAMES) - 1
    assert before.count("v1") == others, "the folder is synced after each of the others"
    assert kept[-4:] == ["v1", "a", "videos", "store"], (
        "the name of the master playlist is synced before publishing ends"
    )


def test_the_caller_may_stop_after_any_object_and_then_no_master_is_there(version: Path, store: RecordingStore) -> None:
    def stop() -> None:
        if len(store.came) == 2:
            raise ClaimLost

    with pytest.raises(ClaimLost):
        publish(version, store, "videos/a/v1", on_tick=stop)

    assert len(store.came) == 2
    assert not (store.root / "videos/a/v1/master.m3u8").exists()


def test_a_storage_that_fails_on_the_way_leaves_no_master(version: Path, store: RecordingStore) -> None:
    (store.root / "videos/a/v1").mkdir(parents=True)
    (store.root / "videos/a/v1/audio.m3u8").mkdir()

    with pytest.raises(StorageUnavailable):
        publish(version, store, "videos/a/v1")

    assert not (store.root / "videos/a/v1/master.m3u8").exists()
