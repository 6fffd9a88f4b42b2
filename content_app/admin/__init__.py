"""The admin site of the catalogue: staff upload videos, follow their processing, and fix what went wrong."""

from content_app.admin.catalogue import CategoryAdmin, FavoriteAdmin
from content_app.admin.videos import VideoAdmin

__all__ = ["CategoryAdmin", "FavoriteAdmin", "VideoAdmin"]
