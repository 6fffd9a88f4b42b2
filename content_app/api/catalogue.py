"""The catalogue: the list of videos, one video, categories, favourites."""

import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.film_answers import IF_NONE_MATCH, NOT_MODIFIED, film_list, one_film
from content_app.api.permissions import VIDEO_REF
from content_app.api.serializers import CatalogueFilter, CategorySerializer, FavoriteToggle, VideoSerializer
from content_app.models import Category
from content_app.queries import find_visible
from content_app.services.catalogue import favorites
from users_app.http.signed_in import person_of


class Catalogue(APIView):
    @extend_schema(
        parameters=[CatalogueFilter, IF_NONE_MATCH],
        responses={200: VideoSerializer(many=True), 304: NOT_MODIFIED},
        tags=["content"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List the videos that you may see, newest first, in one array."""
        return film_list(request)


class CatalogueEntry(APIView):
    @extend_schema(
        parameters=[VIDEO_REF, IF_NONE_MATCH], responses={200: VideoSerializer, 304: NOT_MODIFIED}, tags=["content"]
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponseBase:
        """Get one video."""
        return one_film(request, ref)


class Categories(APIView):
    @extend_schema(responses=CategorySerializer(many=True), tags=["content"])
    def get(self, request: Request) -> Response:
        """List the categories, in the order of the catalogue."""
        return Response(CategorySerializer(Category.objects.all(), many=True).data)


class ToggleFavorite(APIView):
    @extend_schema(
        request=FavoriteToggle,
        responses={200: {"type": "array", "items": {"type": "integer"}}},
        tags=["content"],
    )
    def post(self, request: Request) -> Response:
        """Mark a video as a favourite, or remove the mark. The answer lists the ids of your favourites."""
        body = FavoriteToggle(data=request.data)
        body.is_valid(raise_exception=True)
        video = find_visible(person_of(request), body.validated_data["video_id"])
        return Response(favorites.toggle(user=person_of(request), video=video))
