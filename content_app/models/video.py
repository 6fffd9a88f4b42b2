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


def original_key(video: "Video", filename: str) -> str:
    """`originals/<public_id>/<upload_id>.<ext>`: a new key for every upload, so nothing is overwritten."""
    extension = "".join(c for c in PurePath(filename).suffix.lower() if c.isascii() and c.isalnum())[:8]
    return f"originals/{video.public_id}/{uuid.uuid4().hex}.{extension or 'bin'}"


# Written by services.processing.lifecycle alone, by conditional UPDATEs.
PIPELINE_FIELDS = frozenset(
    {
        *("accepted_original", "original_etag", "state", "queued_at", "progress", "time_left_s", "estimate_s"),
        *("error_code", "error_message", "error_is_final", "verdict"),
        *("played_original", "played_etag", "played_name", "played_bytes", "played_verdict"),
        *("refused_file", "refused_code", "refused_message", "refused_at"),
        *("claim_token", "lease_until", "attempts", "version", "duration_s", "width", "height", "size_bytes"),
        *("poster", "poster_choices", "has_small_poster", "has_small_choices", "has_storyboard"),
        "has_manifest",
        *("work_pixels", "work_s"),
    }
)
ORIGINAL_FIELDS = frozenset({"video_file", "original_name", "original_bytes"})


# Sent with the ids and public ids of videos of which something that readers see was changed, once that is committed.
videos_changed = Signal()


class VideoQuerySet(models.QuerySet["Video"]):
    """Tells of changes, as saving an instance does by itself."""

    def update(self, **changes: Any) -> int:
        changed = list(self.values_list("pk", "public_id"))
        rows = super().update(**changes)
        if rows:
            refs = [ref for pair in changed for ref in pair]
            # A condition may have come true in between, for a video that was not among them.
            is_complete = rows <= len(changed)
            transaction.on_commit(lambda: videos_changed.send(Video, refs=refs, is_complete=is_complete))
        return rows


class Video(models.Model):
    """A film. Saving an instance never overwrites what a worker wrote meanwhile (PIPELINE_FIELDS)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="videos")
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=5000, blank=True)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="videos")
    visibility = models.CharField(
        max_length=10,
        choices=Visibility,
        default=Visibility.PUBLIC,
        help_text="Public: listed to everyone signed in. Unlisted: whoever has the link. Private: owner and admins.",
    )
    # At the top of the catalogue; services.catalogue.videos.feature moves it from film to film.
    is_featured = models.BooleanField("featured", default=False, editable=False)
    is_paid = models.BooleanField("paid", default=False)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    currency = models.CharField(max_length=3, default="EUR")

    video_file = models.FileField("original", upload_to=original_key, max_length=200, blank=True)
    original_name = models.CharField(max_length=255, blank=True, editable=False)
    original_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    # The original that the pipeline was told of; differs from video_file only until the save that changed it commits.
    accepted_original = models.CharField(max_length=200, blank=True, editable=False)
    # Of an object that somebody else put into the bucket: another one under the same key is not the one we checked.
    original_etag = models.CharField(max_length=100, blank=True, editable=False)

    state = models.CharField(max_length=10, choices=State, default=State.UPLOADING, editable=False)
    # Since when it has its place among the videos that wait for a worker.
    queued_at = models.DateTimeField(null=True, editable=False)
    progress = models.PositiveSmallIntegerField(default=0, editable=False)
    time_left_s = models.PositiveIntegerField(null=True, editable=False)
    # What making the version takes from beginning to end, as far as is known now; see services.processing.forecast.
    estimate_s = models.PositiveIntegerField(null=True, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    error_message = models.CharField(max_length=500, blank=True, editable=False)
    error_is_final = models.BooleanField(default=False, editable=False, help_text="The same file fails the same way.")
    # What the probe found in the original and what is planned, before it is encoded; see services.processing.preflight.
    verdict = models.JSONField(null=True, editable=False)

    # The claim: who holds claim_token may write until lease_until, which each write renews.
    claim_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    # The published version that plays; empty until the first one.
    version = models.CharField(max_length=32, blank=True, editable=False)
    duration_s = models.FloatField(null=True, editable=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(default=0, editable=False, help_text="Of the published version.")
    # The original that this version was made of. While another one is tried, it waits here to be taken back.
    played_original = models.CharField(max_length=200, blank=True, editable=False)
    played_etag = models.CharField(max_length=100, blank=True, editable=False)
    played_name = models.CharField(max_length=255, blank=True, editable=False)
    played_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    played_verdict = models.JSONField(null=True, editable=False)
    # Why the last try to make another version came to nothing; without a file's name it was the same original again.
    refused_file = models.CharField(max_length=255, blank=True, editable=False)
    refused_code = models.CharField(max_length=40, blank=True, editable=False)
    refused_message = models.CharField(max_length=500, blank=True, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)
    # `<folder>/<file>` below the video's prefix: a candidate of the version, or an upload in a folder of its own.
    poster = models.CharField(max_length=60, blank=True, editable=False)
    poster_choices = models.PositiveSmallIntegerField(default=0, editable=False)
    # Posters and candidates that were made before there were small ones have none.
    has_small_poster = models.BooleanField(default=False, editable=False)
    has_small_choices = models.BooleanField(default=False, editable=False)
    has_storyboard = models.BooleanField(default=False, editable=False)
    has_manifest = models.BooleanField(default=False, editable=False, help_text="Of DASH.")
    # What making the version took: later estimates are judged by it.
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
        if not self._state.adding and not args and not kwargs.keys() & {"update_fields", "force_insert"}:
            has_new_original = self.video_file.name != self.accepted_original
            kept = PIPELINE_FIELDS if has_new_original else PIPELINE_FIELDS | ORIGINAL_FIELDS
            kwargs["update_fields"] = {field.name for field in self._meta.fields} - kept - {"id"}
        super().save(*args, **kwargs)

    @property
    def is_playable(self) -> bool:
        return bool(self.version)

    @property
    def key_prefix(self) -> str:
        """Where the published version's objects lie in the store."""
        return f"videos/{self.public_id}/{self.version}"

    @property
    def original_prefixes(self) -> list[str]:
        """Where originals of it lie. One that an upload brought for a video that was there lies elsewhere."""
        own = layout.originals_prefix(self.public_id)
        names = {self.video_file.name or "", self.accepted_original, self.played_original}
        return [own, *sorted(name for name in names if name and not name.startswith(f"{own}/"))]

    @property
    def small_poster(self) -> str:
        """The poster for cards, named as `poster` is; the poster itself where there is no small one."""
        return layout.small_poster_file(self.poster) if self.has_small_poster else self.poster


class Rendition(models.Model):
    """One rung of one published version: a single MP4 that HLS reads by byte range."""

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
    """What is said, as text, in one language: `captions_<language>.vtt` in a folder below the video's prefix."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="captions")
    language = models.CharField(max_length=12, help_text="As BCP 47 has it: de, pt-BR.")
    label = models.CharField(max_length=60, help_text="What the player's menu says.")
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
