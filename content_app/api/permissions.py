"""Finds the video that a route names, if this user may watch or change it."""

import uuid

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from content_app.access import may_change, may_watch
from content_app.api.errors import NoAccess, NotReady
from content_app.models import Video
from content_app.queries import find_visible
from users_app import audit
from users_app.http.signed_in import person_of

VIDEO_REF = OpenApiParameter("ref", str, OpenApiParameter.PATH, description="The id or the public id of a video.")


def watchable(request: Request, ref: int | uuid.UUID) -> Video:
    """Returns the video. Answers 404 if the user may not find it, 403 without access, 409 while it has no version."""
    video = find_visible(person_of(request), ref)
    if not may_watch(person_of(request), video):
        raise NoAccess
    if not video.is_playable:
        raise NotReady
    return video


def changeable(request: Request, ref: int | uuid.UUID) -> Video:
    """Returns the video. Answers 404 if the user may not find it, 403 if the user may not change it."""
    video = find_visible(person_of(request), ref)
    if not may_change(person_of(request), video):
        raise PermissionDenied("This video belongs to someone else.")
    audit.about("video", video.pk)
    return video
