"""Folders for work that takes seconds, such as the check of a file.

A folder is removed when its work is done; if the process was killed, the reaper removes the folder a day later. The
scratch folder of a worker is not one of them: it is named after the worker's claim.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from media_pipeline.errors import StorageUnavailable

PREFIX = "brief-"
ABANDONED_S = 24 * 3600


@contextmanager
def brief_folder() -> Iterator[Path]:
    """Yields a new folder. Raises StorageUnavailable when the work folder is full or cannot be written to."""
    try:
        with tempfile.TemporaryDirectory(dir=settings.WORK_DIR, prefix=PREFIX, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise StorageUnavailable("The work folder cannot be written to.", detail=str(error)) from error


def sweep_brief_folders() -> int:
    """Removes the folders of killed processes. Returns how many."""
    old = [path for path in Path(settings.WORK_DIR).glob(f"{PREFIX}*") if is_older_than(path, ABANDONED_S)]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def is_older_than(path: Path, seconds: float) -> bool:
    """True when the last write to `path` was longer ago than this; False when `path` is gone."""
    try:
        return time.time() - path.stat().st_mtime > seconds
    except FileNotFoundError:
        return False
