"""Signal receivers. They pass on to services what was saved or deleted, and hold no rule themselves."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from content_app import video_cache
from content_app.models import Category, Video, videos_changed
from content_app.services.processing import lifecycle
from content_app.services.storage import discards
from users_app import audit


@receiver(post_save, sender=Video)
def note_new_original(instance: Video, raw: bool, **_: Any) -> None:
    if not raw and instance.video_file.name != instance.accepted_original:
        lifecycle.accept_original(video=instance)


@receiver(videos_changed)
def forget_updated_videos(refs: list[video_cache.Ref], is_complete: bool, **_: Any) -> None:
    if is_complete:
        video_cache.forget_videos(refs)
    else:
        video_cache.forget_all()


@receiver(post_save, sender=Video)
def note_new_video(instance: Video, created: bool, **_: Any) -> None:
    if created:
        audit.note("video_added", target=f"video:{instance.pk}", title=instance.title)


@receiver(post_delete, sender=Video)
def note_removed_video(instance: Video, **_: Any) -> None:
    audit.note("video_removed_for_good", target=f"video:{instance.pk}", title=instance.title)


@receiver([post_save, post_delete], sender=Video)
def forget_video(instance: Video, **_: Any) -> None:
    # Read now: a deleted instance has lost its id by the time of the commit.
    refs: list[video_cache.Ref] = [instance.pk, instance.public_id]
    transaction.on_commit(lambda: video_cache.forget_videos(refs))


@receiver([post_save, post_delete], sender=Category)
def forget_all_videos(**_: Any) -> None:
    transaction.on_commit(video_cache.forget_all)


@receiver(post_delete, sender=Video)
def discard_stored_objects(instance: Video, **_: Any) -> None:
    discards.discard_video(video=instance)
