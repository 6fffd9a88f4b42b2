"""A film and its captions."""

import uuid
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from content_app.models.category import Category
from content_app.models.fields import (
    KeptBigIntegerField,
    KeptBooleanField,
    KeptCharField,
    KeptOneToOneField,
    OriginalField,
)
from content_app.models.revision import Revised, RevisedQuerySet
from content_app.states import State, Visibility
from media_pipeline import layout

if TYPE_CHECKING:
    from content_app.models.run import Run
    from content_app.models.version import Version

MAX_TITLE_LENGTH = 200
MAX_FILE_NAME_LENGTH = 255
MAX_LABEL_LENGTH = 60


def original_key(video: "Video", filename: str) -> str:
    """`originals/<public_id>/<upload_id>.<ext>`: every upload gets a new key, so no file is ever overwritten."""
    extension = "".join(c for c in PurePath(filename).suffix.lower() if c.isascii() and c.isalnum())[:8]
    return f"originals/{video.public_id}/{uuid.uuid4().hex}.{extension or 'bin'}"


ORIGINAL_FIELDS = frozenset({"video_file", "original_name", "original_bytes"})


class Video(Revised):
    """A film, as its readers see it. How it is made, its runs tell.

    Workers change the fields that are kept by save() while an instance of the film is in use elsewhere.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="videos")
    title = models.CharField(max_length=MAX_TITLE_LENGTH)
    description = models.TextField(max_length=5000, blank=True)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="videos")
    visibility = models.CharField(
        max_length=10,
        choices=Visibility,
        default=Visibility.PUBLIC,
        help_text="Public: listed to everyone signed in. Unlisted: whoever has the link. Private: owner and admins.",
    )
    # The one film at the top of the catalogue; services.catalogue.videos.feature changes which one it is.
    is_featured = models.BooleanField("featured", default=False, editable=False)
    is_paid = models.BooleanField("paid", default=False)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    currency = models.CharField(max_length=3, default="EUR")

    video_file = OriginalField("original", upload_to=original_key, max_length=200, blank=True)
    original_name = KeptCharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, editable=False)
    original_bytes = KeptBigIntegerField(default=0, editable=False)
    # In a column of its own: the release before, whose processes go on while this one starts, writes to `state`.
    state = KeptCharField(
        max_length=10, choices=State, default=State.UPLOADING, db_default=State.UPLOADING, editable=False,
        db_column="film_state",
    )  # fmt: skip
    # What plays; None until a run has made it.
    version = KeptOneToOneField("Version", on_delete=models.RESTRICT, null=True, editable=False, related_name="+")
    # The run that `state` tells of: the live one, else the one that made what plays, else the one that failed.
    run = KeptOneToOneField("Run", on_delete=models.RESTRICT, null=True, editable=False, related_name="+")
    # The last run of another file, or of the same one, that failed beside what plays; None once it is dismissed.
    refusal = KeptOneToOneField("Run", on_delete=models.RESTRICT, null=True, editable=False, related_name="+")
    # `<folder>/<file>` below the video's prefix: a candidate of the version, or an uploaded picture in its own folder.
    poster = KeptCharField(max_length=60, blank=True, editable=False)
    # False for posters that were made by releases without small pictures.
    has_small_poster = KeptBooleanField(default=False, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = RevisedQuerySet.as_manager()

    class Meta:
        verbose_name = "film"
        ordering = ("-created_at", "-id")
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="video_newest"),
            models.Index(fields=["state"], name="video_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="video_ready_means_a_version", condition=~Q(state=State.READY) | Q(version__isnull=False)
            ),
            models.CheckConstraint(
                name="video_failed_means_no_version", condition=~Q(state=State.ERROR) | Q(version=None)
            ),
            models.CheckConstraint(
                name="video_made_by_a_run", condition=Q(state=State.UPLOADING) | Q(run__isnull=False)
            ),
            models.CheckConstraint(name="video_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(name="video_paid_means_a_price", condition=Q(is_paid=False) | Q(price__gt=0)),
            models.UniqueConstraint(fields=["is_featured"], condition=Q(is_featured=True), name="one_featured_video"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_playable(self) -> bool:
        return self.version_id is not None

    @property
    def can_retry(self) -> bool:
        """True when processing failed, and another attempt with the same file may help."""
        return self.state == State.ERROR and self.run is not None and not self.run.error_is_final

    @property
    def refused_file(self) -> str:
        """The name of the file whose refusal is noted; "" when it was the film's own, processed once more."""
        failed: Run | None = self.refusal
        if failed is None or (failed.original and failed.original == self.video_file.name):
            return ""
        return failed.name

    @property
    def folder(self) -> str:
        """The folder of the published version's objects; "" until there is one."""
        version: Version | None = self.version
        return version.folder if version else ""

    @property
    def key_prefix(self) -> str:
        """The prefix of the published version's objects in the store."""
        return layout.version_prefix(self.public_id, self.folder)

    @property
    def small_poster(self) -> str:
        """The poster for cards, as `<folder>/<file>`; the large poster when there is no small one."""
        return layout.small_poster_file(self.poster) if self.has_small_poster else self.poster


class Caption(models.Model):
    """The captions of a video in one language: `captions_<language>.vtt` in a folder below the video's prefix."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="captions")
    language = models.CharField(max_length=12, help_text="As BCP 47 has it: de, pt-BR.")
    label = models.CharField(max_length=MAX_LABEL_LENGTH, help_text="What the player's menu says.")
    folder = models.CharField(max_length=32, help_text="The version it was found in, or one of its own.")
    is_uploaded = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("label", "language")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["video", "language"], name="caption_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.language})"
