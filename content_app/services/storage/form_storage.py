"""`STORAGES["default"]` where media lie in buckets: django-storages with the names, headers and errors of the store.

Importing this module loads boto3. Django imports it when `default_storage` is used for the first time.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import TemporaryUploadedFile
from storages.backends.s3 import S3File, S3Storage
from storages.utils import clean_name, to_bytes

from content_app.services.storage import disk_space
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import bucket_store
from content_app.shared_connections import lend_connection
from media_pipeline.errors import SourceMissing
from media_pipeline.storage.buckets import cache_control
from media_pipeline.storage.s3 import S3Store, client_config, s3_faults, transfer_config

CONTENT_TYPE = "application/octet-stream"  # the probe finds out what a file is; its name proves nothing


class ObjectMissing(SourceMissing, FileNotFoundError):
    """There is no such object. An error of the store, and also the one that Django's storages raise."""


class BucketFile(S3File):  # type: ignore[misc]  # has no types
    """An opened object. Reading downloads it: into memory up to `max_memory_size`, else to the disk of incoming files.

    Writing uploads it in parts, and it is there when the file is closed. Raises StorageUnavailable when the storage
    fails, and NoRoom when the disk has no room for reading it.
    """

    _file: Any

    def _get_file(self) -> Any:
        if self._file is not None:
            return self._file
        try:
            with s3_faults(self._storage.bucket_name):
                if "r" in self._mode and self.obj.content_length > self._storage.max_memory_size:
                    disk_space.require_free(disk_space.incoming_folder(), self.obj.content_length)
                return super()._get_file()
        except BaseException:
            # S3File keeps the part that arrived, and would answer the next read from it.
            if self._file is not None:
                self._file.close()
                self._file = None
            raise

    file = property(_get_file, S3File._set_file)

    @property
    def size(self) -> int:
        with self._storage.head_faults():
            return int(self.obj.content_length)

    def write(self, content: bytes | str) -> int:
        with s3_faults(self._storage.bucket_name):
            return int(super().write(content))

    def close(self) -> None:
        with self._storage.head_faults():  # before it makes an empty object, S3File asks for the present one by HEAD
            super().close()


class BucketStorage(S3Storage):  # type: ignore[misc]  # has no types
    """The bucket of the originals. Its options come from `storage_options.file_storage`.

    Every method raises StorageUnavailable when the storage fails, and ObjectMissing when there is no such object.
    Objects are transferred by a client with the retries and timeouts of workers; questions that a page may wait for
    (exists, size, get_modified_time) are asked by the store's quick client.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """Adds the options that are objects of boto3: in the settings they would load it into every process."""
        connection = settings.S3_CONNECTION
        assert connection is not None  # without a bucket, STORAGES names another class
        return {
            **super().get_default_settings(),
            "client_config": client_config(connection),
            "transfer_config": transfer_config(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy of boto3's TransferConfig has lost its defaults, which are known by their identity.
        super().__setstate__({**state, "transfer_config": transfer_config()})

    @property
    def store(self) -> S3Store:
        store = bucket_store()
        assert store is not None
        return store

    @property
    def connection(self) -> Any:
        resource = super().connection
        # boto3 removes the parts of a failed upload before it raises the error. The quick client does this, so that an
        # unreachable storage does not double the wait.
        resource.meta.client.abort_multipart_upload = self.store.quick_client.abort_multipart_upload
        return resource

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        headers = {"ContentType": CONTENT_TYPE, "CacheControl": cache_control(name)}
        return {**headers, **super().get_object_parameters(name)}

    def exists(self, name: str) -> bool:
        try:
            self.head(name)
        except ObjectMissing:
            return False
        return True

    def size(self, name: str) -> int:
        return int(self.head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> datetime:
        modified_at: datetime = self.head(name)["LastModified"]
        return modified_at

    def head(self, name: str) -> Mapping[str, Any]:
        with self.head_faults():
            answer: Mapping[str, Any] = self.store.quick_client.head_object(
                Bucket=self.bucket_name, Key=self.key_of(name)
            )
        return answer

    @contextmanager
    def head_faults(self) -> Iterator[None]:
        try:
            with self.store.head_faults(self.bucket_name):
                yield
        except SourceMissing as error:
            raise ObjectMissing(detail=error.detail) from error

    def key_of(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with s3_faults(self.bucket_name):
            folders, files = super().listdir(name)
        return folders, files

    def delete(self, name: str) -> None:
        with s3_faults(self.bucket_name):  # S3Storage.delete takes a missing bucket for a missing object
            self.bucket.Object(self.key_of(name)).delete()

    def url(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        expire: int | None = None,
        http_method: str | None = None,
    ) -> str:
        """Returns a signed address by which browsers reach the object.

        It ends after `expire` seconds, after `querystring_expire` at the latest, and never later than the credentials.
        """
        lifetime_s = self.querystring_expire if expire is None else min(expire, self.querystring_expire)
        params = {**(parameters or {}), "Bucket": self.bucket_name, "Key": self.key_of(name)}
        with s3_faults(self.bucket_name):
            address: str = self.store.signer.generate_presigned_url(
                "get_object", Params=params, ExpiresIn=self.store.capped(lifetime_s), HttpMethod=http_method
            )
        return address

    def _open(self, name: str, mode: str = "rb") -> BucketFile:
        with self.head_faults():
            return BucketFile(self.key_of(name), mode, self)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]  # generic in the stubs only
        lend_connection()
        key = self.key_of(name)
        params = self._get_write_parameters(key, content)
        # By path: 400 MB take 11 MB of memory. From an open file, as S3Storage does it, boto3 queues parts: 204 MB.
        with file_of(content) as path, s3_faults(self.bucket_name):
            self.bucket.Object(key).upload_file(str(path), ExtraArgs=params, Config=self.transfer_config)
        return str(clean_name(name))


@contextmanager
def file_of(content: File) -> Iterator[Path]:  # type: ignore[type-arg]  # generic in the stubs only
    """Yields the file on the disk that has this content; for content in memory, one that is removed afterwards."""
    if isinstance(content, TemporaryUploadedFile):
        yield Path(content.temporary_file_path())
    elif isinstance(content.file, io.BufferedReader) and isinstance(content.file.name, str):
        yield Path(content.file.name)
    else:
        with brief_folder() as folder:
            path = folder / "original"
            with path.open("wb") as file:
                file.writelines(to_bytes(chunk) for chunk in content.chunks())
            yield path
