"""The store of objects by key, and the one that keeps them in a folder. A key is a relative path with slashes."""

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
    """A file to store."""

    path: Path
    key: str
    content_type: str


class Store(Protocol):
    """Keeps objects by key. Every method raises StorageUnavailable when the storage fails.

    `on_tick` is called about once a second during long operations, and may raise to stop them.
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
        """The file of a key. Raises ValueError for a key that is not a plain relative path."""
        parts = key.split("/")
        if not key or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(f"{key!r} is not a key")
        return self.root.joinpath(*parts)

    def put(self, path: Path, key: str, content_type: str) -> None:
        """Store the file. The object appears complete or not at all, and survives a loss of power from then on."""
        target = self.path_of(key)
        with storage_faults():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as folder:
                beside = Path(folder, target.name)
                link_or_copy(path, beside)
                sync(beside)
                beside.replace(target)
            for folder_path in target.relative_to(self.root).parents:  # also syncs the names of new folders
                sync(self.root / folder_path)

    def put_all(self, objects: Sequence[NewObject], on_tick: Tick = lambda: None) -> None:
        for one in objects:
            self.put(one.path, one.key, one.content_type)
            on_tick()

    def fetch(self, key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
        """Put the object at `path`. Raises SourceMissing. `etag` is ignored: files have none."""
        source = self.path_of(key)
        with storage_faults():
            if not source.is_file():
                raise SourceMissing(detail=key)
            link_or_copy(source, path)

    def read_bytes(self, key: str) -> bytes:
        """The content of the object. Raises SourceMissing."""
        path = self.path_of(key)
        with storage_faults():
            if not path.is_file():
                raise SourceMissing(detail=key)
            return path.read_bytes()

    def size(self, key: str) -> int:
        """The size of the object in bytes. Raises SourceMissing."""
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
        """The keys below `prefix`, each with its size in bytes; objects that are being removed are left out."""
        for key in self.list(prefix):
            with storage_faults(), suppress(FileNotFoundError):
                yield key, self.path_of(key).stat().st_size

    def delete_prefix(self, prefix: str) -> int:
        """Remove an object, or a folder of objects. Returns how many there were; none is no error."""
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
    """Write the content of a file, or the names in a folder, to the disk for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def can_link(source: Path, target: Path) -> bool:
    """True when files of the one folder can be hard-linked into the other."""
    with tempfile.NamedTemporaryFile(dir=source, prefix=".check-") as file:
        name = target / Path(file.name).name
        try:
            os.link(file.name, name)
        except OSError:
            return False
        name.unlink()
    return True


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link where the file system allows it, else copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def remove_tree(base: Path) -> None:
    """Remove a file or a folder, which another process may be removing at the same time."""
    for path in sorted(base.rglob("*"), reverse=True):  # the content of a folder before the folder
        with suppress(FileNotFoundError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with suppress(FileNotFoundError):
        base.rmdir() if base.is_dir() else base.unlink()


def remove_empty_parents(folder: Path, root: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or already removed
        folder = folder.parent
