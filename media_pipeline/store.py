"""Where objects lie: a key is a relative path with forward slashes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from media_pipeline.errors import SourceMissing, StorageUnavailable


class Store(Protocol):
    """Keeps objects by key. Every method raises StorageUnavailable when the storage fails."""

    def put(self, path: Path, key: str, content_type: str) -> None: ...
    def fetch(self, key: str, path: Path) -> None: ...
    def read_bytes(self, key: str) -> bytes: ...
    def exists(self, key: str) -> bool: ...
    def list(self, prefix: str) -> Iterator[str]: ...
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
        """Appears whole or not at all: linked or copied beside its place, then renamed into it."""
        target = self.path_of(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".put-") as folder:
                beside = Path(folder, target.name)
                link_or_copy(path, beside)
                beside.replace(target)
        except OSError as error:
            raise StorageUnavailable(detail=str(error)) from error

    def fetch(self, key: str, path: Path) -> None:
        """Put the object at `path`; raises SourceMissing when there is none."""
        try:
            link_or_copy(self.path_of(key), path)
        except FileNotFoundError as error:
            raise SourceMissing(detail=key) from error
        except OSError as error:
            raise StorageUnavailable(detail=str(error)) from error

    def read_bytes(self, key: str) -> bytes:
        try:
            return self.path_of(key).read_bytes()
        except FileNotFoundError as error:
            raise SourceMissing(detail=key) from error
        except OSError as error:
            raise StorageUnavailable(detail=str(error)) from error

    def exists(self, key: str) -> bool:
        return self.path_of(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        base = self.path_of(prefix)
        found = base.rglob("*") if base.is_dir() else [base]
        for path in found:
            if path.is_file():
                yield path.relative_to(self.root).as_posix()

    def delete_prefix(self, prefix: str) -> int:
        """Remove one object or a folder of them; how many there were. Nothing there is fine."""
        base = self.path_of(prefix)
        count = sum(1 for _ in self.list(prefix))
        try:
            if base.is_dir():
                shutil.rmtree(base)
            else:
                base.unlink(missing_ok=True)
            remove_empty_parents(base.parent, self.root)
        except OSError as error:
            raise StorageUnavailable(detail=str(error)) from error
        return count

    def check(self) -> None:
        """Prove that an object can be written and removed."""
        try:
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".check-") as file:
                file.write(b"ok")
                file.flush()
        except OSError as error:
            raise StorageUnavailable(detail=str(error)) from error

    def open(self, key: str) -> BinaryIO:
        return self.path_of(key).open("rb")


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same bytes where the file system allows it, else a copy."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def remove_empty_parents(folder: Path, root: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or already gone
        folder = folder.parent
