"""Receives files by tus, where media lie in a folder.

The received bytes of an upload lie in `uploads/` of the media folder, in a file named after the upload; its size is the
offset. A request that writes holds a lock on the file, which ends with the process. A complete file becomes the object
of the store under the key of the upload.
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
# A client that cancels breaks off its chunk and sends DELETE at once; the request of the chunk needs a moment to end.
PATIENCE_S = 2.0
ALGORITHMS: dict[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),  # tus requires it of every server with checksums
    "sha256": hashlib.sha256,
}


class ChunkRefused(Refusal):
    """The base class; `api.uploads.tus` maps each subclass to a status code."""


class Locked(ChunkRefused):
    code = "locked"
    sentence = "Another request is writing to this upload. Try again in a moment."


class Gone(ChunkRefused):
    code = "upload_gone"
    sentence = "The beginning of this file is no longer there. Upload the file again."


class TooMuch(ChunkRefused):
    code = "too_much"
    sentence = "This is more than the announced length of the file."


class WrongChecksum(ChunkRefused):
    code = "wrong_checksum"
    sentence = "The chunk does not match its checksum. Send it again."


class AlreadyArrived(ChunkRefused):
    code = "already_arrived"
    sentence = "This file has arrived completely. Delete the video instead."


class WrongOffset(ChunkRefused):
    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload continues at byte {offset}.")
        self.offset = offset


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class IncomingBytes:
    """A chunk to append. `read(n)` returns at most n bytes, and none when the client has gone."""

    offset: int
    size_bytes: int
    read: Callable[[int], bytes]
    checksum: Checksum | None = None


# --- begin, append, resume, cancel -----------------------------------------------------------------------------------


def begin(*, upload: DirectUpload, chunk: IncomingBytes | None = None) -> int:
    """Makes the file of an announced upload, and appends its first chunk if there is one. Returns the offset.

    Raises what `append` raises; the upload is then cancelled.
    """
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
    """Returns the new offset. Raises ChunkRefused, OSError or StorageUnavailable; bytes that have arrived stay."""
    if upload.arrived_at is not None or not path_of(upload).exists():
        # Either the file is stored, and only an empty chunk at its end fits, or it is lost, and `received` raises Gone.
        require_fitting(upload, chunk, received(upload=upload))
        return length_of(upload)
    with locked(upload) as file:
        require_fitting(upload, chunk, before := written_bytes(file))
        if chunk.checksum:
            receive_proved(file, upload, chunk, chunk.checksum)
        else:
            receive(file, upload, chunk)
        if (offset := written_bytes(file)) > before:  # not for empty chunks, by which a client could keep room for ever
            direct_uploads.extend_expiry(upload=upload)
        if offset == length_of(upload):
            store(file, upload)
    return offset


def received(*, upload: DirectUpload) -> int:
    """Returns how many bytes have arrived, without a chunk whose checksum is still unproved. Raises Gone."""
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
    """Returns the offset at which the client continues. Raises Gone."""
    offset = received(upload=upload)
    # The process that received the last byte may have died before it stored the file.
    if offset == length_of(upload):
        finish_quietly(upload)
    return offset


def cancel(*, upload: DirectUpload) -> None:
    """Removes the upload and its bytes. Raises Locked while another request writes, or AlreadyArrived."""
    if upload.arrived_at is not None:
        raise AlreadyArrived
    try:
        with locked(upload, patience_s=PATIENCE_S):
            remove_received(upload)  # before the row: on a full disk the database may need the room
            direct_uploads.cancel(upload=upload)
    except Gone:
        if has_arrived(upload):  # while this request waited for the lock
            raise AlreadyArrived from None
        direct_uploads.cancel(upload=upload)


def has_arrived(upload: DirectUpload) -> bool:
    """Asks the database: `upload` may have been read before the file arrived."""
    return DirectUpload.objects.filter(pk=upload.pk).exclude(arrived_at=None).exists()


def length_of(upload: DirectUpload) -> int:
    assert upload.declared_bytes is not None  # tus uploads are announced with their length
    return upload.declared_bytes


def require_fitting(upload: DirectUpload, chunk: IncomingBytes, offset: int) -> None:
    """Raises WrongOffset or TooMuch."""
    if chunk.offset != offset:
        raise WrongOffset(offset)
    if chunk.offset + chunk.size_bytes > length_of(upload):
        raise TooMuch


# --- receive ---------------------------------------------------------------------------------------------------------


def receive(
    file: FileIO, upload: DirectUpload, chunk: IncomingBytes, on_block: Callable[[bytes], None] | None = None
) -> int:
    """Writes the chunk. Returns how many bytes came: fewer than the chunk has when the client goes away."""
    lend_connection()  # a phone may need minutes for a chunk
    file.seek(chunk.offset)
    left = chunk.size_bytes
    renew_at = time.monotonic() + RENEW_S
    while left and (block := chunk.read(min(left, BLOCK_BYTES))):
        disk_space.require_free(settings.MEDIA_ROOT, len(block))
        write_all(file, block)
        if on_block:
            on_block(block)
        left -= len(block)
        if time.monotonic() >= renew_at:  # a chunk may take longer than UPLOAD_EXPIRE_HOURS
            direct_uploads.extend_expiry(upload=upload)
            lend_connection()
            renew_at = time.monotonic() + RENEW_S
    return chunk.size_bytes - left


def write_all(file: FileIO, block: bytes) -> None:
    """Writes all of the block, or raises OSError."""
    # A nearly full disk takes only a part of a block, and reports the error at the next write.
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def receive_proved(file: FileIO, upload: DirectUpload, chunk: IncomingBytes, checksum: Checksum) -> None:
    """Writes the whole chunk, or nothing of it. Raises WrongChecksum."""
    # Until the checksum is proved, a note says where the chunk begins, in case this process dies. The note is a
    # symbolic link: it appears completely or not at all, and needs no room on a full disk.
    note_of(upload).symlink_to(str(chunk.offset))
    digest = ALGORITHMS[checksum.algorithm]()
    received_count = receive(file, upload, chunk, digest.update)
    if received_count < chunk.size_bytes or digest.digest() != checksum.digest:
        drop_unproved(file, upload)
        raise WrongChecksum
    note_of(upload).unlink()


def drop_unproved(file: FileIO, upload: DirectUpload) -> None:
    """Cuts off a chunk whose checksum was not proved, if there is one."""
    if (offset := read_note(upload)) is not None:
        file.truncate(min(offset, written_bytes(file)))
        note_of(upload).unlink()


def read_note(upload: DirectUpload) -> int | None:
    """Returns the offset of a chunk whose checksum is not proved yet; None when there is no such chunk."""
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
    """Yields the file of the upload, locked for this request. Raises Gone, or Locked after `patience_s`."""
    try:
        file = FileIO(path_of(upload), "r+b")
    except FileNotFoundError:
        raise Gone from None
    with file:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Locked from None
                time.sleep(0.05)
        # The request that held the lock before may have stored or removed the file.
        if not is_named(file, path_of(upload)):
            raise Gone
        drop_unproved(file, upload)
        yield file


def is_named(file: FileIO, path: Path) -> bool:
    """True when `path` still names this file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


# --- finish ----------------------------------------------------------------------------------------------------------


def finish(*, upload: DirectUpload) -> None:
    """Stores the file if it is complete. Raises Gone when that is done, Locked or StorageUnavailable."""
    with locked(upload) as file:
        if written_bytes(file) == length_of(upload):
            store(file, upload)


def finish_quietly(upload: DirectUpload) -> None:
    try:
        with suppress(Locked, Gone):  # another process stores it, or has stored it
            finish(upload=upload)
    except StorageUnavailable as error:
        log.warning(
            "upload %s: has arrived but could not be stored, it will be tried again: %s", upload.public_id, error
        )


def store(file: FileIO, upload: DirectUpload) -> None:
    """Makes the complete file an object of the store. The caller holds the lock. Raises Gone or StorageUnavailable.

    A process that dies in the middle leaves the file, and the next process stores it again.
    """
    direct_uploads.extend_expiry(upload=upload)  # so that the reaper does not give it up meanwhile
    if not direct_uploads.open_uploads().filter(pk=upload.pk).exists():
        raise Gone
    os.fsync(file.fileno())
    get_store().put(path_of(upload), upload.key, upload.content_type)
    direct_uploads.mark_arrived(upload=upload)
    remove_received(upload)


# --- what the reaper does --------------------------------------------------------------------------------------------


def sweep() -> None:
    """Stores complete files, and removes abandoned ones whose upload is gone or has expired.

    A file that cannot be read or removed does not stop the sweep; its OSError is raised at the end.
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
                finish_quietly(upload)  # even when it is late: it may have arrived while no reaper ran
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
