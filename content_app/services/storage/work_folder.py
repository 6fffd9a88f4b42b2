"""Brings originals from the storage into the work folder, within WORK_MAX_MB and DISK_RESERVE_MB.

A job that has checked an original leaves the file to the worker of the same machine, so that the bucket is read once.
"""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from content_app.input_rules import MEGABYTE
from content_app.services.storage import disk_space
from content_app.services.storage.stores import bucket_store, get_store
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.store import Tick, can_link

KEPT = "kept"
KEPT_FOR_S = 900


def fetch_original(key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
    """Puts the original at `path`.

    Raises SourceMissing, SourceExchanged, or StorageUnavailable, which also means that the work folder has no room.
    """
    store = get_store()
    if bucket_store():
        with suppress(FileNotFoundError):
            kept_path(key, etag).replace(path)
            return
    if bucket_store() or not can_link(settings.MEDIA_ROOT, path.parent):  # a hard link takes no room
        require_scratch_space(store.size(key))
    store.fetch(key, path, on_tick, etag)


def leave_to_worker(key: str, path: Path, etag: str = "") -> None:
    """Keeps the file for KEPT_FOR_S, or until another film needs the room."""
    if bucket_store():
        with suppress(OSError):  # then the worker fetches it again
            kept_path(key, etag).parent.mkdir(exist_ok=True)
            path.replace(kept_path(key, etag))


def kept_path(key: str, etag: str) -> Path:
    return Path(settings.WORK_DIR, KEPT, hashlib.sha256(f"{key} {etag}".encode()).hexdigest())


def drop_kept(*, older_than_s: float = KEPT_FOR_S) -> int:
    """Removes files that no worker has taken. Returns how many."""
    now, dropped = time.time(), 0
    for path in Path(settings.WORK_DIR, KEPT).glob("*"):
        with suppress(FileNotFoundError):  # taken just now
            # The change time is that of the rename in `leave_to_worker`; the modification time is the download's.
            if now - path.stat().st_ctime >= older_than_s:
                path.unlink()
                dropped += 1
    return dropped


def require_scratch_space(size_bytes: int) -> None:
    """Raises StorageUnavailable, which may pass, when the work folder has no room for this many bytes."""
    if size_bytes > free_bytes():
        drop_kept(older_than_s=0)
    if size_bytes > (free := free_bytes()):
        detail = f"{size_bytes:,} bytes needed, {max(free, 0):,} free: see WORK_MAX_MB, DISK_RESERVE_MB and the disk"
        raise StorageUnavailable("The work folder has no room for this film at the moment.", detail=detail)


def free_bytes() -> int:
    """Returns how many bytes the work folder may still take: of the disk, and of WORK_MAX_MB where that is set."""
    left_on_disk = disk_space.left_bytes(settings.WORK_DIR)
    if not settings.WORK_MAX_MB:
        return left_on_disk
    used_bytes = 0
    for path in settings.WORK_DIR.rglob("*"):
        with suppress(FileNotFoundError):  # removed just now
            used_bytes += path.stat().st_size if path.is_file() else 0
    return min(left_on_disk, settings.WORK_MAX_MB * MEGABYTE - used_bytes)
