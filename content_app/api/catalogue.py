"""What there is to watch: lists, one video, categories, favourites. Each view parses, asks and answers."""

import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.long_lists import LONG, PART, answer_long_list
from content_app.api.requests import VIDEO_REF, filtered, person_of, video_json
from content_app.api.serializers import CatalogueFilter, CategorySerializer, FavoriteToggle, VideoSerializer
from content_app.models import Category
from content_app.queries import find_visible, in_batches
from content_app.services.catalogue import favorites


class Catalogue(APIView):
    @extend_schema(parameters=[CatalogueFilter], responses=VideoSerializer(many=True), tags=["content"])
    def get(self, request: Request) -> HttpResponseBase:
        """What this person may see, newest first."""
        videos = filtered(request)
        first = list(videos[:LONG])
        if len(first) < LONG:
            return Response(video_json(request, first))
        del first  # it would be kept while this request waits for its turn
        parts = (video_json(request, part) for part in in_batches(videos, PART))
        return answer_long_list(person_of(request).pk, parts)


class CatalogueEntry(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=VideoSerializer, tags=["content"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """One video."""
        return Response(video_json(request, find_visible(person_of(request), ref)))


class Categories(APIView):
    @extend_schema(responses=CategorySerializer(many=True), tags=["content"])
    def get(self, request: Request) -> Response:
        """The genres, in the order of the page."""
        return Response(CategorySerializer(Category.objects.all(), many=True).data)


class ToggleFavorite(APIView):
    @extend_schema(
        request=FavoriteToggle,
        responses={200: {"type": "array", "items": {"type": "integer"}}},
        tags=["content"],
    )
    def post(self, request: Request) -> Response:
        """Mark a video, or unmark it; answers the ids that are marked now."""
        body = FavoriteToggle(data=request.data)
        body.is_valid(raise_exception=True)
        video = find_visible(person_of(request), body.validated_data["video_id"])
        return Response(favorites.toggle(user=person_of(request), video=video))
