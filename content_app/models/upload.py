"""Files on their way into the storage."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from background.leases import Leased, LeasedQuerySet
from content_app.models.video import MAX_FILE_NAME_LENGTH, Video


class DirectUpload(Leased):
    """A file that reaches the storage by a signed request or by tus, not by a form.

    It is announced, arrives in parts or whole, is checked, and is then used or refused.
    """

    class Purpose(models.TextChoices):
        VIDEO = "video", "Original"
        POSTER = "poster", "Poster"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    # None until the uploader sends the film's title; a new video takes the public id of its upload.
    video = models.ForeignKey(Video, on_delete=models.CASCADE, null=True, related_name="uploads")
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.VIDEO)
    key = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=MAX_FILE_NAME_LENGTH, blank=True, help_text="As the uploader calls the file.")
    content_type = models.CharField(max_length=100, blank=True)
    declared_bytes = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    look_at = models.DateTimeField(default=timezone.now, help_text="When to see whether it has arrived.")
    arrived_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=100, blank=True, help_text="Of the object as it arrived.")
    # The column of the release before, whose processes go on while this one starts.
    free_at = models.DateTimeField(null=True, editable=False, db_column="checked_until")
    settled_at = models.DateTimeField(null=True, help_text="Used or refused.")
    problem_code = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=500, blank=True)

    objects = LeasedQuerySet["DirectUpload"].as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["settled_at", "arrived_at", "look_at"], name="upload_waiting")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="upload_settled_is_not_leased", condition=Q(settled_at=None) | Q(lease_token=None)
            ),
        ]

    def held(self) -> "models.QuerySet[DirectUpload]":
        held: models.QuerySet[DirectUpload] = super().held()
        return held.filter(settled_at=None)

    def __str__(self) -> str:
        return self.name or str(self.public_id)
