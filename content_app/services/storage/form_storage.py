"""Where forms put originals when media lie in buckets: what Django's file fields need of the store, and no more."""

from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store
from content_app.shared_connections import lend_connection
from media_pipeline.errors import SourceMissing

CONTENT_TYPE = "application/octet-stream"  # what a file is, the probe says; its name only claims


@deconstructible
class BucketStorage(Storage):
    """Every method raises StorageUnavailable when the storage fails."""

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]  # generic in the stubs only
        lend_connection()
        path = getattr(content.file, "name", None)
        if isinstance(path, str):
            get_store().put(Path(path), name, CONTENT_TYPE)
            return name
        with brief_folder() as folder:  # small ones arrive in memory
            with Path(folder, "original").open("wb") as file:
                file.writelines(content.chunks())
            get_store().put(Path(file.name), name, CONTENT_TYPE)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # the keys of originals are drawn at random

    def delete(self, name: str) -> None:
        get_store().delete_prefix(name)

    def exists(self, name: str) -> bool:
        try:
            get_store().size(name)
        except SourceMissing:
            return False
        return True

    def size(self, name: str) -> int:
        return get_store().size(name)
