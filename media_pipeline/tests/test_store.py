"""Objects on the local disk."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_pipeline.errors import SourceMissing, StorageUnavailable
from media_pipeline.storage import store as store_module
from media_pipeline.storage.store import LocalStore, NewObject

KEY = "videos/some-id/v1/720p.mp4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


@pytest.fixture
def break_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Makes a call of the store fail as on a full or forbidden disk; permission bits would not stop root."""

    def make_fail(name: str, number: int) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise OSError(number, os.strerror(number))

        owner, _, attribute = name.rpartition(".")
        monkeypatch.setattr({"os": os, "Path": Path, "shutil": shutil}[owner], attribute, fail)

    return make_fail


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/etc/passwd", "..", "../x", "videos/../../x", "videos/..", "videos//x", "videos/", "./x",
        "videos/./x", "videos/a\0b", "videos\\..\\x", "..\\x",
    ],
)  # fmt: skip
def test_a_key_that_could_leave_the_root_is_refused(store: LocalStore, film: Path, key: str) -> None:
    operations: list[Callable[[], object]] = [
        lambda: store.path_of(key),
        lambda: store.put(film, key, "video/mp4"),
        lambda: store.fetch(key, film.with_name("copy")),
        lambda: store.read_bytes(key),
        lambda: store.size(key),
        lambda: list(store.list(key)),
        lambda: store.delete_prefix(key),
    ]
    for operation in operations:
        with pytest.raises(ValueError, match="is not a key"):
            operation()


@pytest.mark.parametrize(
    "key", ["a", "...", "..a", "a..b/c", "videos/%2e%2e/x", "videos/~/x", "-rf", "a:b", "ü/日本.mp4"]
)
def test_odd_but_harmless_keys_stay_below_the_root(store: LocalStore, root: Path, key: str) -> None:
    assert root in store.path_of(key).parents


# --- objects ---------------------------------------------------------------------------------------------------------


def test_an_object_comes_back_as_it_was_put(store: LocalStore, film: Path, tmp_path: Path) -> None:
    store.put(film, KEY, "video/mp4")
    store.fetch(KEY, tmp_path / "copy")

    assert store.size(KEY) == len(b"a film")
    assert store.read_bytes(KEY) == (tmp_path / "copy").read_bytes() == b"a film"


def test_putting_again_replaces_the_object(store: LocalStore, film: Path) -> None:
    store.put(film, KEY, "video/mp4")
    other = film.with_name("other.mp4")
    other.write_bytes(b"another")
    store.put(other, KEY, "video/mp4")
    store.put(other, KEY, "video/mp4")

    assert store.read_bytes(KEY) == b"another"
    assert film.read_bytes() == b"a film"


def test_several_objects_are_put_with_a_tick_for_each(store: LocalStore, film: Path) -> None:
    ticks: list[int] = []
    keys = [KEY, "videos/some-id/v1/360p.mp4"]

    store.put_all([NewObject(film, key, "video/mp4") for key in keys], lambda: ticks.append(1))

    assert [store.read_bytes(key) for key in keys] == [b"a film"] * 2
    assert len(ticks) == 2


def test_putting_leaves_nothing_beside_the_object(store: LocalStore, film: Path, root: Path) -> None:
    store.put(film, KEY, "video/mp4")

    assert files_below(root) == ["videos", "videos/some-id", "videos/some-id/v1", KEY]


def test_an_object_appears_completely_or_not_at_all(
    store: LocalStore, film: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def copy_slowly(source: Path, target: Path) -> None:
        target.write_bytes(b"a f")
        seen.append(store.path_of(KEY).exists())
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(store_module, "link_or_copy", copy_slowly)
    store.put(film, KEY, "video/mp4")

    assert seen == [False]
    assert store.read_bytes(KEY) == b"a film"


def test_a_put_that_fails_half_way_leaves_the_old_object_and_no_scraps(
    store: LocalStore, film: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(film, KEY, "video/mp4")

    def fill_the_disk(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "link_or_copy", fill_the_disk)
    with pytest.raises(StorageUnavailable):
        store.put(film, KEY, "video/mp4")

    assert store.read_bytes(KEY) == b"a film"
    assert files_below(root) == ["videos", "videos/some-id", "videos/some-id/v1", KEY]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were synced and renamed, in this order, by their names at that moment."""
    seen: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        seen.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        real_sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        seen.append(f"rename {target.name}")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return seen


@pytest.mark.parametrize("is_linked", [True, False])
def test_an_object_is_on_the_disk_before_its_name_and_the_name_before_putting_ends(
    store: LocalStore, film: Path, steps: list[str], break_disk: Callable[[str, int], None], is_linked: bool
) -> None:
    if not is_linked:
        break_disk("os.link", errno.EXDEV)
    store.put(film, KEY, "video/mp4")
    assert steps == ["sync 720p.mp4", "rename 720p.mp4", "sync v1", "sync some-id", "sync videos", "sync store"]


def test_a_disk_that_does_not_keep_an_object_is_an_unavailable_storage(
    store: LocalStore, film: Path, break_disk: Callable[[str, int], None]
) -> None:
    break_disk("os.fsync", errno.EIO)
    with pytest.raises(StorageUnavailable):
        store.put(film, KEY, "video/mp4")
    assert not store.path_of(KEY).exists()


def test_a_file_system_that_cannot_sync_folders_is_accepted(
    store: LocalStore, film: Path, break_disk: Callable[[str, int], None]
) -> None:
    break_disk("os.fsync", errno.EINVAL)
    store.put(film, KEY, "video/mp4")
    assert store.read_bytes(KEY) == b"a film"


def test_where_files_cannot_be_linked_they_are_copied(
    store: LocalStore, film: Path, tmp_path: Path, break_disk: Callable[[str, int], None]
) -> None:
    break_disk("os.link", errno.EXDEV)
    store.put(film, KEY, "video/mp4")
    store.fetch(KEY, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == b"a film"


def test_many_may_put_the_same_key_at_once(store: LocalStore, film: Path, root: Path) -> None:
    failures: list[Exception] = []

    def put() -> None:
        try:
            store.put(film, KEY, "video/mp4")
        except StorageUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [name for name in files_below(root) if name.endswith(".mp4")] == [KEY]


def test_a_missing_object_is_told_from_a_broken_storage(store: LocalStore, film: Path, tmp_path: Path) -> None:
    store.put(film, KEY, "video/mp4")
    for key in ("videos/other/v1/720p.mp4", "videos/some-id", f"{KEY}/below-a-file"):
        with pytest.raises(SourceMissing):
            store.fetch(key, tmp_path / "copy")
        with pytest.raises(SourceMissing):
            store.read_bytes(key)
        with pytest.raises(SourceMissing):
            store.size(key)


# --- prefixes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def three_objects(store: LocalStore, film: Path) -> list[str]:
    keys = ["videos/a/v1/720p.mp4", "videos/a/v1/master.m3u8", "videos/a/v2/720p.mp4"]
    for key in [*keys, "videos/ab/v1/720p.mp4"]:
        store.put(film, key, "video/mp4")
    return keys


@pytest.mark.parametrize(
    ("prefix", "found"), [("videos/a", 3), ("videos/a/v1", 2), ("videos/a/v1/720p.mp4", 1), ("videos/x", 0)]
)
def test_a_prefix_is_a_folder_or_one_object(
    store: LocalStore, three_objects: list[str], prefix: str, found: int
) -> None:
    assert sorted(store.list(prefix)) == sorted(key for key in three_objects if f"{key}/".startswith(f"{prefix}/"))
    assert store.delete_prefix(prefix) == found
    assert list(store.list(prefix)) == []


def test_deleting_a_prefix_spares_its_neighbours(store: LocalStore, three_objects: list[str]) -> None:
    store.delete_prefix("videos/a")

    assert list(store.list("videos")) == ["videos/ab/v1/720p.mp4"]


def test_deleting_the_last_object_removes_the_empty_folders_but_never_the_root(
    store: LocalStore, film: Path, root: Path
) -> None:
    store.put(film, KEY, "video/mp4")
    store.delete_prefix("videos/some-id/v1")

    assert root.is_dir()
    assert files_below(root) == []


def test_deleting_twice_is_fine(store: LocalStore, three_objects: list[str]) -> None:
    assert [store.delete_prefix("videos/a"), store.delete_prefix("videos/a")] == [3, 0]


# --- a broken storage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_full_or_forbidden_disk_is_an_unavailable_storage(
    store: LocalStore, film: Path, tmp_path: Path, break_disk: Callable[[str, int], None], number: int
) -> None:
    store.put(film, KEY, "video/mp4")
    for call in ("os.link", "shutil.copyfile", "Path.replace", "Path.read_bytes", "Path.unlink"):
        break_disk(call, number)
    operations: list[Callable[[], object]] = [
        lambda: store.put(film, "videos/new", "video/mp4"),
        lambda: store.fetch(KEY, tmp_path / "copy"),
        lambda: store.read_bytes(KEY),
        lambda: store.delete_prefix("videos"),
    ]
    for operation in operations:
        with pytest.raises(StorageUnavailable) as failed:
            operation()
        assert not failed.value.permanent
        assert os.strerror(number) in failed.value.detail
        assert os.strerror(number) not in failed.value.sentence


def test_a_folder_that_may_not_be_read_is_an_unavailable_storage(
    store: LocalStore, break_disk: Callable[[str, int], None]
) -> None:
    break_disk("Path.is_file", errno.EACCES)

    with pytest.raises(StorageUnavailable):
        store.size(KEY)
    with pytest.raises(StorageUnavailable):
        list(store.list(KEY))


def test_a_name_too_long_for_the_disk_is_an_unavailable_storage(store: LocalStore, film: Path) -> None:
    with pytest.raises(StorageUnavailable):
        store.put(film, "videos/" + "x" * 300, "video/mp4")


def test_the_check_leaves_nothing_behind(store: LocalStore, root: Path) -> None:
    store.check()

    assert files_below(root) == []


def test_the_check_fails_when_the_root_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        LocalStore(tmp_path / "gone").check()
