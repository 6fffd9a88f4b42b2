"""What a person has marked to find again."""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.http import Http404

from content_app.models import Favorite, Video
from content_app.queries import favorites_of_many
from users_app.models import User


def toggle(*, user: User, video: Video) -> list[int]:
    """The ids that are marked afterwards. Two toggles at the same moment both succeed."""
    unmarked, _ = Favorite.objects.filter(user=user, video=video).delete()
    if not unmarked:
        _mark(user, video)
    return favorite_ids(user)


def favorite_ids(user: User) -> list[int]:
    """Latest mark first."""
    return favorite_ids_of([user])[user.pk]


def favorite_ids_of(users: Collection[User]) -> dict[int, list[int]]:
    """Of each of them, by one query."""
    marked: dict[int, list[int]] = {user.pk: [] for user in users}
    for user_id, video_id in favorites_of_many(users):
        marked[user_id].append(video_id)
    return marked


def _mark(user: User, video: Video) -> None:
    try:
        with transaction.atomic():
            Favorite.objects.get_or_create(user=user, video=video)
    except IntegrityError as error:
        raise Http404 from error  # the video was deleted just now
