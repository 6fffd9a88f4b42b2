"""Files that arrive by tus where media lie in a folder: how much of each has come, and one writer at a time.

What has come of an upload lies in `uploads/` of the media folder, in a file named after it, whose size is the offset.
Whoever writes holds a lock on that file, which ends with the process. When the last byte is there, the file becomes an
object of the store under the upload's key.
"""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from background.refusals import Refusal
from content_app.models import DirectUpload
from content_app.services.storage import disk_space
from content_app.services.storage.stores import get_store
from content_app.services.uploads import direct_uploads
from content_app.shared_connections import lend_connection
from media_pipeline.errors import StorageUnavailable

log = logging.getLogger(__name__)

BLOCK_BYTES = 64 * 1024
RENEW_S = 60
ABANDONED_S = 3600
# A client that gives up breaks off its chunk and says so at once: its own chunk may need a moment to end.
PATIENCE_S = 2.0
ALGORITHMS: dict[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),  # the one that every server with checksums has to know
    "sha256": hashlib.sha256,
}


class ChunkRefused(Refusal):
    """The status of each is tus's own; see api.tus."""


class Locked(ChunkRefused):
    code = "locked"
    sentence = "Another request is writing to this upload. Try again in a moment."


class Gone(ChunkRefused):
    code = "upload_gone"
    sentence = "What had arrived of this upload is no longer there. Begin again."


class TooMuch(ChunkRefused):
    code = "too_much"
    sentence = "This is more than the length that was announced."


class WrongChecksum(ChunkRefused):
    code = "wrong_checksum"
    sentence = "The chunk did not arrive as its checksum says. Send it again."


class AlreadyArrived(ChunkRefused):
    code = "already_arrived"
    sentence = "This file has arrived as a whole. Delete the video instead."


class WrongOffset(ChunkRefused):
    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload goes on at byte {offset}.")
        self.offset = offset


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class IncomingBytes:
    """What is to be added. `read` gives at most so many bytes, none once the client has gone."""

    offset: int
    size_bytes: int
    read: Callable[[int], bytes]
    checksum: Checksum | None = None


# --- beginning, going on, giving up ----------------------------------------------------------------------------------


def begin(*, upload: DirectUpload, chunk: IncomingBytes | None = None) -> int:
    """The offset. Raises what `append` raises, and then nothing of the upload is left."""
    path = path_of(upload)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=settings.FILE_UPLOAD_PERMISSIONS, exist_ok=False)
        return append(upload=upload, chunk=chunk) if chunk else 0
    except BaseException:
        remove_received(upload)
        direct_uploads.cancel(upload=upload)
        raise


def append(*, upload: DirectUpload, chunk: IncomingBytes) -> int:
    """The offset after it. Raises ChunkRefused, OSError or StorageUnavailable; what has arrived stays."""
    if upload.arrived_at is not None or not path_of(upload).exists():
        require_fitting(upload, chunk, received(upload=upload))
        return length_of(upload)
    with locked(upload) as file:
        require_fitting(upload, chunk, before := written_bytes(file))
        if chunk.checksum:
            receive_proved(file, upload, chunk, chunk.checksum)
        else:
            receive(file, upload, chunk)
        if (offset := written_bytes(file)) > before:  # one that brings nothing keeps no room for ever
            direct_uploads.extend_expiry(upload=upload)
        if offset == length_of(upload):
            store(file, upload)
    return offset


def received(*, upload: DirectUpload) -> int:
    """How many bytes of it are here for good. Raises Gone."""
    if upload.arrived_at is not None:
        return length_of(upload)
    try:
        size_bytes = path_of(upload).stat().st_size
    except FileNotFoundError:
        if has_arrived(upload):  # just now
            return length_of(upload)
        raise Gone from None
    unproved_from = read_note(upload)
    return size_bytes if unproved_from is None else min(size_bytes, unproved_from)


def resume(*, upload: DirectUpload) -> int:
    """The offset to go on at. One that is whole is stored, should the process that received it have died."""
    offset = received(upload=upload)
    if offset == length_of(upload):
        finish_quietly(upload)
    return offset


def cancel(*, upload: DirectUpload) -> None:
    """Raises Locked while somebody writes, Finished when it is too late."""
    if upload.arrived_at is not None:
        raise AlreadyArrived
    try:
        with locked(upload, patience_s=PATIENCE_S):
            remove_received(upload)  # first: on a full disk the database may need the room
            direct_uploads.cancel(upload=upload)
    except Gone:
        if has_arrived(upload):  # while this request waited for its turn
            raise AlreadyArrived from None
        direct_uploads.cancel(upload=upload)


def has_arrived(upload: DirectUpload) -> bool:
    """By now; `upload` may have been read before."""
    return DirectUpload.objects.filter(pk=upload.pk).exclude(arrived_at=None).exists()


def length_of(upload: DirectUpload) -> int:
    assert upload.declared_bytes is not None  # by tus nothing else is announced
    return upload.declared_bytes


def require_fitting(upload: DirectUpload, chunk: IncomingBytes, offset: int) -> None:
    if chunk.offset != offset:
        raise WrongOffset(offset)
    if chunk.offset + chunk.size_bytes > length_of(upload):
        raise TooMuch


# --- receiving -------------------------------------------------------------------------------------------------------


def receive(
    file: FileIO, upload: DirectUpload, chunk: IncomingBytes, on_block: Callable[[bytes], None] | None = None
) -> int:
    """How many bytes came; fewer than the chunk has when the client goes away."""
    lend_connection()  # a phone may need minutes
    file.seek(chunk.offset)
    left = chunk.size_bytes
    renew_at = time.monotonic() + RENEW_S
    while left and (block := chunk.read(min(left, BLOCK_BYTES))):
        disk_space.require_free(settings.MEDIA_ROOT, len(block))
        write_all(file, block)
        if on_block:
            on_block(block)
        left -= len(block)
        if time.monotonic() >= renew_at:  # one chunk may take longer than an upload is kept
            direct_uploads.extend_expiry(upload=upload)
            lend_connection()
            renew_at = time.monotonic() + RENEW_S
    return chunk.size_bytes - left


def write_all(file: FileIO, block: bytes) -> None:
    """A disk that is nearly full takes a part of it before it says so."""
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def receive_proved(file: FileIO, upload: DirectUpload, chunk: IncomingBytes, checksum: Checksum) -> None:
    """All of it or nothing, whatever happens meanwhile: until it is proved, a note says where it began."""
    # A link appears whole or not at all, and needs no room on a full disk.
    note_of(upload).symlink_to(str(chunk.offset))
    digest = ALGORITHMS[checksum.algorithm]()
    came = receive(file, upload, chunk, digest.update)
    if came < chunk.size_bytes or digest.digest() != checksum.digest:
        drop_unproved(file, upload)
        raise WrongChecksum
    note_of(upload).unlink()


def drop_unproved(file: FileIO, upload: DirectUpload) -> None:
    if (offset := read_note(upload)) is not None:
        file.truncate(min(offset, written_bytes(file)))
        note_of(upload).unlink()


def read_note(upload: DirectUpload) -> int | None:
    try:
        return int(note_of(upload).readlink().name)
    except FileNotFoundError:
        return None


# --- files and locks -------------------------------------------------------------------------------------------------


def path_of(upload: DirectUpload) -> Path:
    return disk_space.arriving_path(upload.public_id)


def note_of(upload: DirectUpload) -> Path:
    return path_of(upload).with_suffix(".unproved")


def remove_received(upload: DirectUpload) -> None:
    for path in (note_of(upload), path_of(upload)):
        path.unlink(missing_ok=True)


def written_bytes(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


@contextmanager
def locked(upload: DirectUpload, *, patience_s: float = 0) -> Iterator[FileIO]:
    """What has come of it, for one writer. Raises Locked or Gone."""
    try:
        file = FileIO(path_of(upload), "r+b")
    except FileNotFoundError:
        raise Gone from None
    with file:
        take_lock(file, time.monotonic() + patience_s)
        if not is_named(file, path_of(upload)):  # who had the lock before has stored or removed it
            raise Gone
        drop_unproved(file, upload)
        yield file


def take_lock(file: FileIO, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Locked from None
            time.sleep(0.05)


def is_named(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


# --- finishing -------------------------------------------------------------------------------------------------------


def finish(*, upload: DirectUpload) -> None:
    """Store it if it is whole and nobody has; any number of times. Raises Locked, Gone or StorageUnavailable."""
    with locked(upload) as file:
        if written_bytes(file) == length_of(upload):
            store(file, upload)


def finish_quietly(upload: DirectUpload) -> None:
    try:
        with suppress(Locked, Gone):  # somebody else is at it, or was
            finish(upload=upload)
    except StorageUnavailable as error:
        log.warning(
            "upload %s: has arrived but could not be stored, it will be tried again: %s", upload.public_id, error
        )


def store(file: FileIO, upload: DirectUpload) -> None:
    """Ours is the lock. Whoever dies on the way leaves the whole file, and the next one does it again."""
    direct_uploads.extend_expiry(upload=upload)  # the reaper does not let it expire meanwhile
    if not direct_uploads.open_uploads().filter(pk=upload.pk).exists():
        raise Gone
    os.fsync(file.fileno())
    get_store().put(path_of(upload), upload.key, upload.content_type)
    direct_uploads.mark_arrived(upload=upload)
    remove_received(upload)


# --- what the reaper does --------------------------------------------------------------------------------------------


def sweep() -> None:
    """Store what is whole, and remove what no upload waits for any more.

    A file that cannot be read or removed keeps none of the others; its OSError is raised after them.
    """
    folder = disk_space.arriving_folder()
    paths = list(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        return
    waiting = {upload.public_id.hex: upload for upload in direct_uploads.unarrived().exclude(declared_bytes=None)}
    problem = None
    for path in paths:
        upload = waiting.get(path.stem)
        try:
            if upload and path == path_of(upload) and has_all_bytes(upload):
                finish_quietly(upload)  # also one that is late: it came while no reaper ran
            elif upload is None or upload.expires_at <= timezone.now():
                remove_abandoned(path)
        except OSError as error:
            problem = error
    if problem is not None:
        raise problem


def has_all_bytes(upload: DirectUpload) -> bool:
    try:
        return received(upload=upload) == length_of(upload)
    except Gone:
        return False


def remove_abandoned(path: Path) -> None:
    with suppress(FileNotFoundError):
        if time.time() - path.lstat().st_mtime > ABANDONED_S:
            path.unlink()
