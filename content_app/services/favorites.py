"""What a person has marked to find again."""

from django.db import IntegrityError, transaction
from django.http import Http404

from content_app.models import Favorite, Video
from content_app.queries import favorites_of
from users_app.models import User


def toggle(*, user: User, video: Video) -> list[int]:
    """The ids that are marked afterwards. Two toggles at the same moment both succeed."""
    unmarked, _ = Favorite.objects.filter(user=user, video=video).delete()
    if not unmarked:
        _mark(user, video)
    return favorite_ids(user)


def favorite_ids(user: User) -> list[int]:
    """Latest mark first."""
    return list(favorites_of(user).order_by("-favorites__created_at", "-id").values_list("pk", flat=True))


def _mark(user: User, video: Video) -> None:
    try:
        with transaction.atomic():
            Favorite.objects.get_or_create(user=user, video=video)
    except IntegrityError as error:
        raise Http404 from error  # the video was deleted just now
