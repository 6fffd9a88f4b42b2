"""Who may know of a video, watch it and change it; pure."""

from django.contrib.auth.models import AnonymousUser

from content_app.models import Video
from users_app.models import User
from users_app.roles import may_manage_all, may_upload

Person = User | AnonymousUser


def sees_everything(person: Person) -> bool:
    return isinstance(person, User) and may_manage_all(person.role)


def may_change(person: Person, video: Video) -> bool:
    return sees_everything(person) or (person.pk is not None and person.pk == video.owner_id)


def may_bring(person: Person) -> bool:
    """Files: to make a film of, or in place of another."""
    return isinstance(person, User) and person.is_active and may_upload(person.role)


def may_watch(person: Person, video: Video) -> bool:
    """Asked about a video that the person may know of: free ones are for everyone who is signed in."""
    return person.is_authenticated and (not video.is_paid or may_change(person, video))
