"""Who may watch a video, change it, or upload one; pure. Which videos a user may find: content_app.queries."""

from django.contrib.auth.models import AnonymousUser

from content_app.models import Video
from users_app.models import User
from users_app.roles import may_manage_all, may_upload

Person = User | AnonymousUser


def sees_everything(person: Person) -> bool:
    return isinstance(person, User) and may_manage_all(person.role)


def may_change(person: Person, video: Video) -> bool:
    return sees_everything(person) or (person.pk is not None and person.pk == video.owner_id)


def may_upload_videos(person: Person) -> bool:
    """True when this user may upload originals, of new videos or in place of another file."""
    return isinstance(person, User) and person.is_active and may_upload(person.role)


def may_watch(person: Person, video: Video) -> bool:
    """True when this user may watch a video that the user has been allowed to find.

    Every signed-in user may watch a free video; a paid one is for its owner and for admins.
    """
    return person.is_authenticated and (not video.is_paid or may_change(person, video))
