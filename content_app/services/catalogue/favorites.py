"""Favourites: the videos that a user has marked."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.http import Http404

from content_app.models import Favorite, Video
from content_app.queries import favorites_of_many
from users_app.models import User


def toggle(*, user: User, video: Video) -> list[int]:
    """Marks the video, or removes the mark. Returns the ids that are marked now. Raises Http404."""
    removed, _ = Favorite.objects.filter(user=user, video=video).delete()
    if not removed:
        try:
            with transaction.atomic():
                # Not create(): two clicks at the same moment both succeed.
                Favorite.objects.get_or_create(user=user, video=video)
        except IntegrityError as error:  # the video was deleted after it was read
            raise Http404 from error
    return favorite_ids(user)


def favorite_ids(user: User) -> list[int]:
    """Returns the ids of the user's favourites, latest mark first."""
    return favorite_ids_of([user])[user.pk]


def favorite_ids_of(users: Collection[User]) -> dict[int, list[int]]:
    """Returns the list of `favorite_ids` for each of these users, by the user's id, with one query."""
    marked: dict[int, list[int]] = {user.pk: [] for user in users}
    for user_id, video_id in favorites_of_many(users):
        marked[user_id].append(video_id)
    return marked
