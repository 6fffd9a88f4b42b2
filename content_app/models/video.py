"""A film, the qualities of its published version, and its captions."""

import uuid
from pathlib import PurePath
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone

from content_app.models.category import Category
from content_app.states import State, Visibility
from media_pipeline import layout

MAX_TITLE_LENGTH = 200
MAX_FILE_NAME_LENGTH = 255
MAX_LABEL_LENGTH = 60


def original_key(video: "Video", filename: str) -> str:
    """`originals/<public_id>/<upload_id>.<ext>`: every upload gets a new key, so no file is ever overwritten."""
    extension = "".join(c for c in PurePath(filename).suffix.lower() if c.isascii() and c.isalnum())[:8]
    return f"originals/{video.public_id}/{uuid.uuid4().hex}.{extension or 'bin'}"


# Only services.processing.lifecycle writes these, by conditional UPDATEs.
PIPELINE_FIELDS = frozenset(
    {
        *("accepted_original", "original_etag", "state", "queued_at", "progress", "time_left_s", "estimate_s"),
        *("error_code", "error_message", "error_is_final", "verdict"),
        *("played_original", "played_etag", "played_name", "played_bytes", "played_verdict"),
        *("refused_file", "refused_code", "refused_message", "refused_at"),
        *("claim_token", "lease_until", "attempts", "version", "duration_s", "width", "height", "size_bytes"),
        *("poster", "poster_choices", "has_small_poster", "has_small_choices"),
        *("has_storyboard", "has_manifest", "work_pixels", "work_s"),
    }
)
ORIGINAL_FIELDS = frozenset({"video_file", "original_name", "original_bytes"})


# Sent after the commit of a change that readers can see, with the ids and the public ids of the changed videos.
videos_changed = Signal()


class VideoQuerySet(models.QuerySet["Video"]):
    """Sends `videos_changed` for updates, which, unlike saving an instance, send no signal of Django's."""

    def update(self, **changes: Any) -> int:
        changed = list(self.values_list("pk", "public_id"))
        rows = super().update(**changes)
        if rows:
            refs = [ref for pair in changed for ref in pair]
            # Between the SELECT and the UPDATE another video may have come to match: then the list is incomplete.
            is_complete = rows <= len(changed)
            transaction.on_commit(lambda: videos_changed.send(Video, refs=refs, is_complete=is_complete))
        return rows


class Video(models.Model):
    """A film. Saving an instance never overwrites PIPELINE_FIELDS, which a worker may have written in the meantime."""

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

    video_file = models.FileField("original", upload_to=original_key, max_length=200, blank=True)
    original_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, editable=False)
    original_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    # The original that the pipeline works on; differs from video_file only until the save that changed it commits.
    accepted_original = models.CharField(max_length=200, blank=True, editable=False)
    # The ETag of an object that a client put into the bucket itself. The client could overwrite the key after the
    # check; the worker therefore reads only the object that was checked.
    original_etag = models.CharField(max_length=100, blank=True, editable=False)

    state = models.CharField(max_length=10, choices=State, default=State.UPLOADING, editable=False)
    # When the video joined the queue of videos that wait for a worker.
    queued_at = models.DateTimeField(null=True, editable=False)
    progress = models.PositiveSmallIntegerField(default=0, editable=False)
    time_left_s = models.PositiveIntegerField(null=True, editable=False)
    # The latest estimate of how long the whole encode takes; see services.processing.forecast.
    estimate_s = models.PositiveIntegerField(null=True, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    error_message = models.CharField(max_length=500, blank=True, editable=False)
    error_is_final = models.BooleanField(default=False, editable=False, help_text="The same file fails the same way.")
    # What the probe found in the original, and the encode plan; see services.processing.preflight.
    verdict = models.JSONField(null=True, editable=False)

    # The claim: the worker that holds claim_token may write until lease_until, and each write renews the lease.
    claim_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    # The published version, which plays; empty until there is one.
    version = models.CharField(max_length=32, blank=True, editable=False)
    duration_s = models.FloatField(null=True, editable=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(default=0, editable=False, help_text="Of the published version.")
    # The original that the published version was made of. While a candidate is tried, these fields keep it, so that
    # it can be restored if the candidate is refused.
    played_original = models.CharField(max_length=200, blank=True, editable=False)
    played_etag = models.CharField(max_length=100, blank=True, editable=False)
    played_name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, editable=False)
    played_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    played_verdict = models.JSONField(null=True, editable=False)
    # Why the last attempt at another version failed. refused_file is empty when it was made from the same original.
    refused_file = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, editable=False)
    refused_code = models.CharField(max_length=40, blank=True, editable=False)
    refused_message = models.CharField(max_length=500, blank=True, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)
    # `<folder>/<file>` below the video's prefix: a candidate of the version, or an uploaded picture in its own folder.
    poster = models.CharField(max_length=60, blank=True, editable=False)
    poster_choices = models.PositiveSmallIntegerField(default=0, editable=False)
    # False for posters and candidates that were made by releases without small pictures.
    has_small_poster = models.BooleanField(default=False, editable=False)
    has_small_choices = models.BooleanField(default=False, editable=False)
    has_storyboard = models.BooleanField(default=False, editable=False)
    has_manifest = models.BooleanField(default=False, editable=False, help_text="Of DASH.")
    # How much work the version was, and how long it took: later estimates are derived from it.
    work_pixels = models.PositiveBigIntegerField(default=0, editable=False)
    work_s = models.FloatField(default=0, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = VideoQuerySet.as_manager()

    class Meta:
        verbose_name = "film"
        ordering = ("-created_at", "-id")
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="video_newest"),
            models.Index(fields=["state", "lease_until"], name="video_state_lease"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="video_ready_with_the_original_it_plays",
                condition=~Q(state=State.READY) | Q(version="") | Q(accepted_original=F("played_original")),
            ),
            models.CheckConstraint(name="video_failed_plays_nothing", condition=~Q(state=State.ERROR) | Q(version="")),
            models.CheckConstraint(
                name="video_played_original_of_a_version", condition=Q(played_original="") | ~Q(version="")
            ),
            models.CheckConstraint(name="video_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(name="video_paid_means_a_price", condition=Q(is_paid=False) | Q(price__gt=0)),
            models.UniqueConstraint(fields=["is_featured"], condition=Q(is_featured=True), name="one_featured_video"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A plain save() of an existing row. A caller that names `update_fields` knows which fields it writes.
        if not self._state.adding and not args and not kwargs.keys() & {"update_fields", "force_insert"}:
            # Without a new file the fields of the original are left out too: this instance may have been read before
            # a candidate was refused, and would bring it back.
            has_new_original = self.video_file.name != self.accepted_original
            kept = PIPELINE_FIELDS if has_new_original else PIPELINE_FIELDS | ORIGINAL_FIELDS
            kwargs["update_fields"] = {field.name for field in self._meta.fields} - kept - {"id"}
        super().save(*args, **kwargs)

    @property
    def is_playable(self) -> bool:
        return bool(self.version)

    @property
    def key_prefix(self) -> str:
        """The prefix of the published version's objects in the store."""
        return f"videos/{self.public_id}/{self.version}"

    @property
    def original_prefixes(self) -> list[str]:
        """The prefixes, or keys, of all originals of this video.

        A direct upload that replaces the file of an existing video has a key outside the video's own folder.
        """
        own = layout.originals_prefix(self.public_id)
        names = {self.video_file.name or "", self.accepted_original, self.played_original}
        return [own, *sorted(name for name in names if name and not name.startswith(f"{own}/"))]

    @property
    def small_poster(self) -> str:
        """The poster for cards, as `<folder>/<file>`; the large poster when there is no small one."""
        return layout.small_poster_file(self.poster) if self.has_small_poster else self.poster


class Rendition(models.Model):
    """One rung of a published version: a single MP4 that HLS players read by byte range."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="renditions")
    version = models.CharField(max_length=32)
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
        ordering = ("height", "width")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["video", "version", "name"], name="rendition_once_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.width}×{self.height})"


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
