"""Originals on their way from a bucket into the work folder, which stays within its bounds.

Whoever has looked at an original leaves it to the worker of the same machine: it is read from the bucket once.
"""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from content_app.rules import MEGABYTE
from content_app.services.storage import disk_space
from content_app.services.storage.stores import bucket_store, get_store
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.store import Tick, can_link

KEPT = "kept"
KEPT_FOR_S = 900


def fetch_original(key: str, path: Path, on_tick: Tick = lambda: None, etag: str = "") -> None:
    """Raises SourceMissing, SourceExchanged, or StorageUnavailable: also when there is no room for it here."""
    store = get_store()
    if bucket_store():
        with suppress(FileNotFoundError):
            kept_path(key, etag).replace(path)
            return
    if bucket_store() or not can_link(settings.MEDIA_ROOT, path.parent):  # a second name takes no room
        require_scratch_space(store.size(key))
    store.fetch(key, path, on_tick, etag)


def leave_to_worker(key: str, path: Path, etag: str = "") -> None:
    """For a while, and only while nobody else needs the room."""
    if bucket_store():
        with suppress(OSError):  # then it is fetched again
            kept_path(key, etag).parent.mkdir(exist_ok=True)
            path.replace(kept_path(key, etag))


def kept_path(key: str, etag: str) -> Path:
    return Path(settings.WORK_DIR, KEPT, hashlib.sha256(f"{key} {etag}".encode()).hexdigest())


def drop_kept(*, older_than_s: float = KEPT_FOR_S) -> int:
    """How many were left to workers that did not come."""
    now, dropped = time.time(), 0
    for path in Path(settings.WORK_DIR, KEPT).glob("*"):
        with suppress(FileNotFoundError):  # taken just now
            if now - path.stat().st_ctime >= older_than_s:  # when it was left, not when it was fetched
                path.unlink()
                dropped += 1
    return dropped


def require_scratch_space(size_bytes: int) -> None:
    """Raises StorageUnavailable when the work folder cannot take so much more; other films may leave it some later."""
    if size_bytes > free_bytes():
        drop_kept(older_than_s=0)
    if size_bytes > (free := free_bytes()):
        detail = f"{size_bytes:,} bytes wanted, {max(free, 0):,} free: see WORK_MAX_MB, DISK_RESERVE_MB and the disk"
        raise StorageUnavailable("The work folder has no room for this film at the moment.", detail=detail)


def free_bytes() -> int:
    free, most = disk_space.left_bytes(settings.WORK_DIR), settings.WORK_MAX_MB * MEGABYTE
    return min(free, most - used_bytes(settings.WORK_DIR)) if most else free


def used_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # removed just now
            total += path.stat().st_size if path.is_file() else 0
    return total
