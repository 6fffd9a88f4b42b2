"""One published result of a film, and its qualities."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from media_pipeline import layout

MAX_FOLDER_LENGTH = 32


class Version(models.Model):
    """What plays of a film: the objects of one run, which never change once they are published."""

    video = models.ForeignKey("content_app.Video", on_delete=models.CASCADE, related_name="versions")
    # The run that made it, and with it the original that it was made of.
    run = models.OneToOneField("content_app.Run", on_delete=models.RESTRICT, related_name="version")
    folder = models.CharField(max_length=MAX_FOLDER_LENGTH, help_text="Below the film's prefix in the storage.")
    duration_s = models.FloatField(null=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    poster_choices = models.PositiveSmallIntegerField(default=0)
    # False for versions of releases that made no small pictures.
    has_small_choices = models.BooleanField(default=False)
    has_storyboard = models.BooleanField(default=False)
    has_manifest = models.BooleanField(default=False, help_text="Of DASH.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["video", "folder"], name="version_folder_once_per_video"),
            models.CheckConstraint(name="version_has_a_folder", condition=~models.Q(folder="")),
        ]

    def __str__(self) -> str:
        return self.folder

    @property
    def first_poster(self) -> str:
        """The best candidate, as Video.poster names it; "" without candidates."""
        return f"{self.folder}/{layout.POSTER}" if self.poster_choices else ""


class Rendition(models.Model):
    """One rung of a published version: a single MP4 that HLS players read by byte range."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=16, help_text="720p")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frame_rate = models.CharField(max_length=24, help_text="As a fraction: 30000/1001.")
    codecs = models.CharField(max_length=64)
    peak_bps = models.PositiveBigIntegerField()
    average_bps = models.PositiveBigIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    frames = models.PositiveIntegerField()

    class Meta:
        # The table content_app_rendition belongs to the release before, whose processes may still write to it.
        db_table = "content_app_version_rendition"
        ordering = ("height", "width")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "name"], name="rendition_name_once_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.width}×{self.height})"
