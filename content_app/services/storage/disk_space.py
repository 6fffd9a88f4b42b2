"""How much may still be written to the disks: never more than leaves a reserve.

The database and the queue may lie on the same disk as the media and the work folder. While the reserve is there they
can write, so that people sign in and give up uploads however many bytes were sent.
"""

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils import timezone

from content_app.models import DirectUpload
from content_app.rules import MEGABYTE
from content_app.services.storage.stores import is_in_bucket

# Of the disk, where DISK_RESERVE_MB is not set.
USUAL_SHARE = 10
USUAL_MOST_BYTES = 1024 * MEGABYTE
# How long room is kept for an upload of which nothing comes; it may still go on, if there is room then.
SILENT_S = 3600
BLOCK_BYTES = 512  # in which st_blocks counts, whatever the file system has


class NoRoom(OSError):
    """What a full disk says, so that both are answered by the same lines."""

    def __init__(self, folder: Path) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def left_bytes(folder: Path) -> int:
    """What may still be written to the disk of this folder; below 0 where others have written into the reserve."""
    disk = shutil.disk_usage(folder)
    return disk.free - reserve_bytes(disk.total)


def reserve_bytes(disk_bytes: int) -> int:
    chosen_mb: int | None = settings.DISK_RESERVE_MB
    return min(disk_bytes // USUAL_SHARE, USUAL_MOST_BYTES) if chosen_mb is None else chosen_mb * MEGABYTE


def require_free(folder: Path, size_bytes: int) -> None:
    """Raises NoRoom. Costs a microsecond, so that it can be asked before every block."""
    if size_bytes > left_bytes(folder):
        raise NoRoom(folder)


# --- uploads that are announced --------------------------------------------------------------------------------------


@contextmanager
def asked_for(size_bytes: int) -> Iterator[None]:
    """Room for an upload of this size, beside what others have announced. Raises NoRoom.

    Within, the caller writes down that it is announced: by a row, or by a file of that length. One caller at a time, in
    all processes, so that no two are promised the same room.
    """
    turn = os.open(settings.MEDIA_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        require_free(settings.MEDIA_ROOT, size_bytes + promised_bytes())
        yield
    finally:
        os.close(turn)


def promised_bytes() -> int:
    """What unfinished uploads have announced and not brought yet, by tus and by forms."""
    return coming_by_tus() + sum(unwritten_bytes(path) for path in coming_by_forms())


def coming_by_forms(sender: str = "") -> list[Path]:
    """The files of forms that a process receives at this moment, of all senders or of the one it is named after."""
    return [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{sender}*") if is_held(path)]


def hold(file: IO[bytes]) -> None:
    """Until it is closed, or its process ends in whatever way."""
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:  # whole or given up just now
        return False
    except BlockingIOError:
        return True
    return False


def coming_by_tus() -> int:
    if is_in_bucket():
        return 0
    waiting = DirectUpload.objects.filter(settled_at=None, arrived_at=None, expires_at__gt=timezone.now())
    announced = waiting.exclude(declared_bytes=None).values_list("public_id", "declared_bytes")
    return sum(owed_bytes(public_id, declared or 0) for public_id, declared in announced)


def owed_bytes(public_id: uuid.UUID, declared_bytes: int) -> int:
    """What is kept free for an upload: nothing any more once its client has been silent for long."""
    try:
        found = arriving_path(public_id).stat()
    except FileNotFoundError:  # nothing yet
        return declared_bytes
    return 0 if time.time() - found.st_mtime > SILENT_S else declared_bytes - found.st_size


def come_bytes(public_id: uuid.UUID) -> int:
    try:
        return arriving_path(public_id).stat().st_size
    except FileNotFoundError:  # nothing yet
        return 0


def arriving_folder() -> Path:
    """Of uploads by tus; on the file system of the media, so that storing a film is a second name for it."""
    return Path(settings.MEDIA_ROOT, "uploads")


def arriving_path(public_id: uuid.UUID) -> Path:
    """The file of which the size is what has come of this upload."""
    return arriving_folder() / public_id.hex


def unwritten_bytes(path: Path) -> int:
    """Of a file that was made as long as its upload will be, and of which the disk has only what has come."""
    with suppress(FileNotFoundError):  # whole or given up just now
        found = path.stat()
        return max(0, found.st_size - found.st_blocks * BLOCK_BYTES)
    return 0
