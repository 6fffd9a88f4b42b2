"""The videos that a request asks for, and their JSON for the user of that request."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from content_app.api.links import Links
from content_app.api.serializers import CatalogueFilter, VideoSerializer
from content_app.models import Video
from content_app.queries import categories_named, favorites_of, matching, visible_to
from content_app.services.processing.forecast import Forecast
from content_app.states import UNDERWAY
from users_app.http.signed_in import person_of


def video_json(
    request: Request, videos: Video | list[Video], serializer: type[VideoSerializer] = VideoSerializer
) -> Any:
    context = {"links": Links(request), "person": person_of(request), "forecast": Forecast()}
    return serializer(videos, many=isinstance(videos, list), context=context).data


def filtered_videos(request: Request) -> QuerySet[Video]:
    """Returns the videos in this user's list that match the query string. Raises ValidationError."""
    query = CatalogueFilter(data=request.query_params)
    query.is_valid(raise_exception=True)
    filters = query.validated_data
    videos = favorites_of(person_of(request)) if filters.get("favorites") else visible_to(person_of(request))
    if category := filters.get("category"):
        videos = videos.filter(category__in=categories_named(category))
    if filters.get("underway"):
        videos = videos.filter(state__in=UNDERWAY)
    return matching(videos, filters.get("search", ""))
