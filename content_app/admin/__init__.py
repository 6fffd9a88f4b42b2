"""Where staff upload videos, see what becomes of them, and put right what went wrong."""

from content_app.admin.catalogue import CategoryAdmin, FavoriteAdmin
from content_app.admin.videos import VideoAdmin

__all__ = ["CategoryAdmin", "FavoriteAdmin", "VideoAdmin"]
