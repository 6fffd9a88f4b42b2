"""The tables of the catalogue: videos and what belongs to them, uploads on their way, and the platform's upkeep."""

from content_app.models.category import Category
from content_app.models.favorite import Favorite
from content_app.models.housekeeping import CacheDoubt, Discard, ReaperRound
from content_app.models.upload import DirectUpload
from content_app.models.video import (
    MAX_FILE_NAME_LENGTH,
    MAX_LABEL_LENGTH,
    MAX_TITLE_LENGTH,
    ORIGINAL_FIELDS,
    PIPELINE_FIELDS,
    Caption,
    Rendition,
    Video,
    original_key,
    videos_changed,
)

__all__ = [
    "MAX_FILE_NAME_LENGTH",
    "MAX_LABEL_LENGTH",
    "MAX_TITLE_LENGTH",
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
    "original_key",  # the first migration refers to it by this module
    "videos_changed",
]
