"""Plans a deletion for good: the rows and stored objects that it would remove, for the page of confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, Model, Prefetch, prefetch_related_objects

from content_app.models import Caption, Favorite, Rendition, Run, Video
from content_app.services.storage import discards
from content_app.services.storage.stores import get_store
from media_pipeline import layout
from media_pipeline.errors import StorageUnavailable

# By noun: the rows that are removed with a video, and their way to it.
RELATED: dict[str, tuple[type[Model], str]] = {
    "rendition": (Rendition, "version__video"),
    "caption track": (Caption, "video"),
    "favourite": (Favorite, "video"),
}
# The files of more videos than this are only counted and summed.
LISTED_IN_FULL = 20


@dataclass(frozen=True)
class StoredFile:
    key: str
    size_bytes: int

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.key.rpartition("/")[0]


@dataclass(frozen=True)
class Folder:
    """A folder of one video: its originals, or one version."""

    prefix: str
    files: Sequence[StoredFile]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class VideoRemoval:
    video: Video
    folders: Sequence[Folder]
    rows: dict[str, int]
    is_listed_in_full: bool

    @property
    def file_count(self) -> int:
        return sum(len(folder.files) for folder in self.folders)

    @property
    def size_bytes(self) -> int:
        return sum(folder.size_bytes for folder in self.folders)


@dataclass(frozen=True)
class Removal:
    videos: Sequence[VideoRemoval]
    storage_problem: str = ""

    @property
    def file_count(self) -> int:
        return sum(one.file_count for one in self.videos)

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in self.videos)

    def row_counts(self) -> dict[str, int]:
        related = {noun: sum(one.rows[noun] for one in self.videos) for noun in RELATED}
        return {"film": len(self.videos), **{noun: count for noun, count in related.items() if count}}


def plan_removal(videos: Sequence[Video]) -> Removal:
    """Returns what deleting these videos would remove. Takes one query per kind of row and one listing per prefix."""
    rows: dict[str, dict[int, int]] = {}
    for noun, (model, video) in RELATED.items():
        related = model._default_manager.filter(**{f"{video}__in": [one.pk for one in videos]})
        rows[noun] = dict(related.order_by().values_list(video).annotate(Count("pk")))
    # The runs name the originals; see discards.original_prefixes.
    prefetch_related_objects(videos, Prefetch("runs", Run.objects.only("video", "original")))
    problem = ""
    try:
        folders = [stored_folders(video) for video in videos]
    except StorageUnavailable as error:
        folders, problem = [[] for _ in videos], error.sentence
    removals = [
        VideoRemoval(
            video=video,
            folders=video_folders,
            rows={noun: counts.get(video.pk, 0) for noun, counts in rows.items()},
            is_listed_in_full=number < LISTED_IN_FULL,
        )
        for number, (video, video_folders) in enumerate(zip(videos, folders, strict=True))
    ]
    return Removal(removals, problem)


def stored_folders(video: Video) -> list[Folder]:
    """Returns the folders that hold files of this video. Raises StorageUnavailable."""
    store = get_store()
    prefixes = (*discards.original_prefixes(video), layout.video_prefix(video.public_id))
    files = [StoredFile(key, size) for prefix in prefixes for key, size in sorted(store.sizes(prefix))]
    return [Folder(prefix, list(group)) for prefix, group in groupby(files, lambda file: file.folder)]
