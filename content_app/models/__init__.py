"""The tables of the catalogue: videos and what belongs to them, uploads on their way, and the platform's upkeep."""

from content_app.models.category import Category
from content_app.models.favorite import Favorite
from content_app.models.housekeeping import Discard, ReaperRound
from content_app.models.run import Chunk, Run
from content_app.models.upload import DirectUpload
from content_app.models.version import Rendition, Version
from content_app.models.video import (
    MAX_FILE_NAME_LENGTH,
    MAX_LABEL_LENGTH,
    MAX_TITLE_LENGTH,
    ORIGINAL_FIELDS,
    Caption,
    Video,
    original_key,
)

__all__ = [
    "MAX_FILE_NAME_LENGTH",
    "MAX_LABEL_LENGTH",
    "MAX_TITLE_LENGTH",
    "ORIGINAL_FIELDS",
    "Caption",
    "Category",
    "Chunk",
    "DirectUpload",
    "Discard",
    "Favorite",
    "ReaperRound",
    "Rendition",
    "Run",
    "Version",
    "Video",
    "original_key",  # the first migration refers to it by this module
]
