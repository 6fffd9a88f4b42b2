"""The video that is asked for, if this person may do with it what they ask."""

import uuid

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from content_app.access import may_change, may_watch
from content_app.api.errors import NoAccess, NotReady
from content_app.api.requests import person_of
from content_app.models import Video
from content_app.queries import find_visible
from users_app import audit


def watchable(request: Request, ref: int | uuid.UUID) -> Video:
    """404 for a video that this person may not know of, 403 without access, 409 while nothing of it plays."""
    video = find_visible(person_of(request), ref)
    if not may_watch(person_of(request), video):
        raise NoAccess
    if not video.is_playable:
        raise NotReady
    return video


def changeable(request: Request, ref: int | uuid.UUID) -> Video:
    """404 for a video that this person may not know of, 403 for one that is somebody else's."""
    video = find_visible(person_of(request), ref)
    if not may_change(person_of(request), video):
        raise PermissionDenied("This video belongs to someone else.")
    audit.about("video", video.pk)
    return video
