"""What the views share: who asks, which videos are asked for, and the JSON they get."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from content_app.api.links import Links
from content_app.api.serializers import CatalogueFilter, VideoSerializer
from content_app.models import Video
from content_app.queries import categories_named, favorites_of, matching, visible_to, with_details
from content_app.services.processing.forecast import Forecast
from content_app.states import UNDERWAY
from users_app.models import User

VIDEO_REF = OpenApiParameter("ref", str, OpenApiParameter.PATH, description="The id or the public id of a video.")


def person_of(request: Request) -> User:
    """Who is signed in; only for views that need a person, which is every view of this app."""
    return cast(User, request.user)


def video_json(request: Request, videos: Video | list[Video]) -> Any:
    context = {"links": Links(request), "person": person_of(request), "forecast": Forecast()}
    return VideoSerializer(videos, many=isinstance(videos, list), context=context).data


def filtered(request: Request) -> QuerySet[Video]:
    """The list of this person as the query string narrows it."""
    query = CatalogueFilter(data=request.query_params)
    query.is_valid(raise_exception=True)
    wanted = query.validated_data
    videos = favorites_of(person_of(request)) if wanted.get("favorites") else visible_to(person_of(request))
    if category := wanted.get("category"):
        videos = videos.filter(category__in=categories_named(category))
    if wanted.get("underway"):
        videos = videos.filter(state__in=UNDERWAY)
    return with_details(matching(videos, wanted.get("search", "")))
