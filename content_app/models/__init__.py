"""What there is to watch, and the rows that bring it there."""

from content_app.models.category import Category
from content_app.models.favorite import Favorite
from content_app.models.upkeep import CacheDoubt, Discard, ReaperRound
from content_app.models.upload import DirectUpload
from content_app.models.video import (
    ORIGINAL_FIELDS,
    PIPELINE_FIELDS,
    Caption,
    Rendition,
    Video,
    original_key,
    videos_changed,
)

__all__ = [
    "ORIGINAL_FIELDS",
    "PIPELINE_FIELDS",
    "CacheDoubt",
    "Caption",
    "Category",
    "DirectUpload",
    "Discard",
    "Favorite",
    "ReaperRound",
    "Rendition",
    "Video",
    "original_key",  # the first migration names it here
    "videos_changed",
]
