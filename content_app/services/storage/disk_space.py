"""How much may still be written to the disks, beside a reserve that always stays free.

The database and the queue may lie on the same disk as the media and the work folder. With the reserve they can write
however many bytes people upload, so that people can still sign in and cancel uploads.
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

from content_app.input_rules import MEGABYTE
from content_app.models import DirectUpload
from content_app.services.storage.stores import is_in_bucket

# Where DISK_RESERVE_MB is not set, the reserve is a tenth of the disk, and 1 GB at the most.
DEFAULT_RESERVE_DIVISOR = 10
MAX_DEFAULT_RESERVE_BYTES = 1024 * MEGABYTE
# How long room is kept for an upload that brings no bytes. The upload may continue later, if there is room then.
SILENT_S = 3600
BLOCK_BYTES = 512  # the unit of st_blocks on every file system


class NoRoom(OSError):
    """The error of a full disk (ENOSPC), so that callers treat both in the same way."""

    def __init__(self, folder: Path) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def left_bytes(folder: Path) -> int:
    """Returns how many bytes may be written to the disk of this folder; negative when the reserve is in use."""
    disk = shutil.disk_usage(folder)
    return disk.free - reserve_bytes(disk.total)


def reserve_bytes(disk_bytes: int) -> int:
    chosen_mb: int | None = settings.DISK_RESERVE_MB
    if chosen_mb is None:
        return min(disk_bytes // DEFAULT_RESERVE_DIVISOR, MAX_DEFAULT_RESERVE_BYTES)
    return chosen_mb * MEGABYTE


def require_free(folder: Path, size_bytes: int) -> None:
    """Raises NoRoom when this many bytes would use the reserve. Takes a microsecond: call it before every block."""
    if size_bytes > left_bytes(folder):
        raise NoRoom(folder)


# --- announced uploads -----------------------------------------------------------------------------------------------


@contextmanager
def asked_for(size_bytes: int) -> Iterator[None]:
    """Promises room for an upload of this size, beside other announced uploads. Raises NoRoom.

    The caller records the upload within the block, by a row or by a file of that length.
    """
    # One caller at a time in all processes, so that no two are promised the same room.
    lock = os.open(settings.MEDIA_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        require_free(settings.MEDIA_ROOT, size_bytes + promised_bytes())
        yield
    finally:
        os.close(lock)


def promised_bytes() -> int:
    """Returns how many announced bytes of unfinished uploads, by tus and by forms, are still to come."""
    return coming_by_tus() + sum(unwritten_bytes(path) for path in coming_by_forms())


def coming_by_forms(sender: str = "") -> list[Path]:
    """Returns the files that forms are bringing at this moment: all, or those whose name begins with `sender`."""
    return [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{sender}*") if is_held(path)]


def incoming_folder() -> Path:
    """Returns the folder in which forms receive their files. Makes it again where it was removed while the site runs.

    Raises OSError where it cannot be made.
    """
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(exist_ok=True)  # without parents: where the media folder is gone, its disk is not mounted
    return folder


def hold(file: IO[bytes]) -> None:
    """Marks the file as one that a process is receiving, until it is closed or the process ends, even by a kill."""
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:  # completed or given up just now
        return False
    except BlockingIOError:
        return True
    return False


def coming_by_tus() -> int:
    if is_in_bucket():
        return 0
    waiting = DirectUpload.objects.filter(settled_at=None, arrived_at=None, expires_at__gt=timezone.now())
    announced = waiting.exclude(declared_bytes=None).values_list("public_id", "declared_bytes")
    missing_bytes = 0
    for public_id, declared_bytes in announced:
        try:
            received = arriving_path(public_id).stat()
        except FileNotFoundError:  # nothing yet
            missing_bytes += declared_bytes or 0
            continue
        if time.time() - received.st_mtime <= SILENT_S:
            missing_bytes += (declared_bytes or 0) - received.st_size
    return missing_bytes


def received_bytes(public_id: uuid.UUID) -> int:
    """Returns how many bytes of a tus upload are on the disk."""
    try:
        return arriving_path(public_id).stat().st_size
    except FileNotFoundError:  # nothing yet
        return 0


def arriving_folder() -> Path:
    """Returns the folder of unfinished tus uploads."""
    # On the file system of the media, so that a complete film is stored by a hard link.
    return Path(settings.MEDIA_ROOT, "uploads")


def arriving_path(public_id: uuid.UUID) -> Path:
    """Returns the file of an unfinished tus upload; its size is the number of bytes received."""
    return arriving_folder() / public_id.hex


def unwritten_bytes(path: Path) -> int:
    """Returns how many bytes of a form's file are still to come."""
    # The file is sparse: it has its full length from the start, and a block is allocated when it is written.
    with suppress(FileNotFoundError):  # completed or given up just now
        file = path.stat()
        return max(0, file.st_size - file.st_blocks * BLOCK_BYTES)
    return 0
