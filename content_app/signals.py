"""Thin receivers: they tell the services what was saved and deleted, and hold no rule."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from content_app.models import Video
from content_app.services import discards, processing


@receiver(post_save, sender=Video)
def note_new_original(instance: Video, raw: bool, **_: Any) -> None:
    if not raw and instance.video_file.name != instance.accepted_original:
        processing.accept_original(video=instance)


@receiver(post_delete, sender=Video)
def discard_what_it_made(instance: Video, **_: Any) -> None:
    discards.discard_video(video=instance)
