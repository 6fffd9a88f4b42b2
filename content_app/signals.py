"""Signal receivers. They pass on to services what was saved or deleted, and hold no rule themselves."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver

from content_app.models import Video
from content_app.services.processing import lifecycle
from content_app.services.storage import discards
from users_app import audit


@receiver(post_save, sender=Video)
def note_new_original(instance: Video, raw: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    is_written = update_fields is None or "video_file" in update_fields
    if not raw and is_written and instance.video_file.name:
        lifecycle.accept_saved_original(video=instance)


@receiver(post_save, sender=Video)
def note_new_video(instance: Video, created: bool, **_: Any) -> None:
    if created:
        audit.note("video_added", target=f"video:{instance.pk}", title=instance.title)


@receiver(post_delete, sender=Video)
def note_removed_video(instance: Video, **_: Any) -> None:
    audit.note("video_removed_for_good", target=f"video:{instance.pk}", title=instance.title)


@receiver(pre_delete, sender=Video)
def discard_stored_objects(instance: Video, **_: Any) -> None:
    # Before: the runs, which name the originals, are deleted with the film.
    discards.discard_video(video=instance)
