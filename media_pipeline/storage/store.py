"""Where objects lie: a key is a relative path with forward slashes."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from media_pipeline.errors import SourceMissing, StorageUnavailable

Tick = Callable[[], None]


@dataclass(frozen=True)
class NewObject:
    """A file that is to be stored."""

    path: Path
    key: str
    content_type: str


class Store(Protocol):
    """Keeps objects by key. Every method raises StorageUnavailable when the storage fails.

    `on_tick` is called at least about once a second while something takes long, and may raise to stop it.
    """

    def put(self, path: Path, key: str, content_type: str) -> None: ...
    def put_all(self, objects: Sequence[NewObject], on_tick: Tick = ...) -> None: ...
    def fetch(self, key: str, path: Path, on_tick: Tick = ..., etag: str = ...) -> None: ...
    def read_bytes(self, key: str) -> bytes: ...
    def size(self, key: str) -> int: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]: ...
    def delete_prefix(self, prefix: str) -> int: ...
    def check(self) -> None: ...


class LocalStore:
    """Objects as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, key: str) -> Path:
        """The file of a key; raises ValueError for keys that are not plain relative paths."""
        parts = key.split("/")
        if not key or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(f"{key!r} is not a key")
        return self.root.joinpath(*parts)

    def put(self, path: Path, key: str, content_type: str) -> None:
        """Appears whole or not at all: linked or copied beside its place, then renamed into it.

        It outlives a loss of power from when this returns: the caller is about to tell others of it.
        """
        target = self.path_of(key)
        with storage_faults():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as folder:
                beside = Path(folder, target.name)
                link_or_copy(path, beside)
                sync(beside)
                beside.replace(target)
            for made in target.relative_to(self.root).parents:  # its name, and those of folders that are new
                sync(self.root / made)

    def put_all(self, objects: Sequence[NewObject], on_tick: Tick = lambda: None) -> None:
        for one in objects:
            self.put(one.path, one.key, one.content_type)
            on_tick()

    def fetch(self, key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
        """Put the object at `path`; raises SourceMissing when there is none. Files here have no ETag."""
        source = self.path_of(key)
        with storage_faults():
            if not source.is_file():
                raise SourceMissing(detail=key)
            link_or_copy(source, path)

    def read_bytes(self, key: str) -> bytes:
        """The whole object; raises SourceMissing when there is none."""
        path = self.path_of(key)
        with storage_faults():
            if not path.is_file():
                raise SourceMissing(detail=key)
            return path.read_bytes()

    def size(self, key: str) -> int:
        """In bytes; raises SourceMissing when there is no such object."""
        path = self.path_of(key)
        with storage_faults():
            if not path.is_file():
                raise SourceMissing(detail=key)
            return path.stat().st_size

    def list(self, prefix: str) -> Iterator[str]:
        base = self.path_of(prefix)
        with storage_faults():
            for path in base.rglob("*") if base.is_dir() else [base]:
                if path.is_file():
                    yield path.relative_to(self.root).as_posix()

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The keys below `prefix` with the bytes of each; one that is just being removed is left out."""
        for key in self.list(prefix):
            with storage_faults(), suppress(FileNotFoundError):
                yield key, self.path_of(key).stat().st_size

    def delete_prefix(self, prefix: str) -> int:
        """Remove one object or a folder of them; how many there were. Nothing there is fine."""
        base = self.path_of(prefix)
        count = sum(1 for _ in self.list(prefix))
        with storage_faults():
            remove_tree(base)
            remove_empty_parents(base.parent, self.root)
        return count

    def check(self) -> None:
        """Prove that an object can be written and removed."""
        with storage_faults(), tempfile.NamedTemporaryFile(dir=self.root, prefix=".check-") as file:
            file.write(b"ok")
            file.flush()


@contextmanager
def storage_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(detail=str(error)) from error


def sync(path: Path) -> None:
    """Have the disk keep what a file holds, or which names a folder has."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that syncs no folders
            raise
    finally:
        os.close(descriptor)


def can_link(source: Path, target: Path) -> bool:
    """Whether files of one folder can get a second name in the other, rather than be copied."""
    with tempfile.NamedTemporaryFile(dir=source, prefix=".check-") as file:
        name = target / Path(file.name).name
        try:
            os.link(file.name, name)
        except OSError:
            return False
        name.unlink()
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same bytes where the file system allows it, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def remove_tree(base: Path) -> None:
    """A file or a folder; somebody else may be removing it at the same time."""
    for path in sorted(base.rglob("*"), reverse=True):  # what is in a folder before the folder
        with suppress(FileNotFoundError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with suppress(FileNotFoundError):
        base.rmdir() if base.is_dir() else base.unlink()


def remove_empty_parents(folder: Path, root: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or already gone
        folder = folder.parent
