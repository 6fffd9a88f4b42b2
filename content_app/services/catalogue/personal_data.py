"""What this app keeps about a user: exported when the user asks, removed when the user leaves."""

from typing import Any

from django.utils import timezone

from content_app.models import Favorite, Run, Video
from content_app.queries import favorites_of
from users_app.models import User

FILM_FIELDS = (
    *("id", "public_id", "title", "description", "visibility", "is_paid", "price", "currency", "original_name"),
    *("created_at", "deleted_at"),
)


def export_marks(user: User) -> list[dict[str, Any]]:
    # Marks of films that the user may no longer find are left out, because this user may not read their titles.
    marks = Favorite.objects.filter(user=user, video__in=favorites_of(user))
    return [
        {"video_id": video_id, "title": title, "marked_at": marked_at}
        for video_id, title, marked_at in marks.values_list("video_id", "video__title", "created_at")
    ]


def export_films(user: User) -> list[dict[str, Any]]:
    """Returns the films with the names of all files that were uploaded for them, also of those that were refused."""
    films = list(Video.objects.filter(owner=user).values(*FILM_FIELDS))
    files: dict[int, list[str]] = {film["id"]: [] for film in films}
    for video_id, name in Run.objects.filter(video__owner=user).order_by("pk").values_list("video", "name"):
        if video_id in files and name not in files[video_id]:
            files[video_id].append(name)
    return [{**film, "files": files[film["id"]]} for film in films]


def remove_films_and_marks(user: User) -> None:
    """Removes the favourites, and soft-deletes the films: an admin can restore a film that others have paid for."""
    Favorite.objects.filter(user=user).delete()
    now = timezone.now()
    Video.objects.filter(owner=user, deleted_at=None).update(deleted_at=now, updated_at=now)
