"""Favourites."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from content_app.models.video import Video


class Favorite(models.Model):
    """A user's mark on a video that the user wants to find again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favorites", verbose_name="person"
    )
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="favorites", verbose_name="film")
    created_at = models.DateTimeField("marked", default=timezone.now)

    class Meta:
        verbose_name = "favourite"
        ordering = ("-created_at", "-id")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "video"], name="favorite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.video_id}"
