"""Where a player gets its media: signed addresses for whoever may watch, and the posters of listed videos."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.access import may_watch
from content_app.api.errors import NoAccess, NotReady, unavailable_media
from content_app.api.links import Links
from content_app.api.requests import VIDEO_REF, person_of
from content_app.api.serializers import MediaAddress, RenditionChoice
from content_app.models import Rendition, Video
from content_app.queries import find_visible, published_renditions
from content_app.services import delivery
from media_pipeline import layout
from media_pipeline.errors import SourceMissing, StorageUnavailable

A_YEAR_S = 31_536_000


def watchable(request: Request, ref: int | uuid.UUID) -> Video:
    """404 for a video that this person may not know of, 403 without access, 409 while nothing of it plays."""
    video = find_visible(person_of(request), ref)
    if not may_watch(person_of(request), video):
        raise NoAccess
    if not video.is_playable:
        raise NotReady
    return video


def chosen_rendition(request: Request, video: Video, *, quality: str | None) -> Rendition:
    choice = RenditionChoice(data={} if quality is None else {"quality": quality})
    choice.is_valid(raise_exception=True)
    renditions = published_renditions(video)
    if not renditions:
        raise NotReady
    return delivery.pick_rendition(renditions, short_side=choice.short_side())


class AnyAccept(BaseContentNegotiation):
    """Players say that they accept video; these routes answer with what they have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class VideoAddress(APIView):
    @extend_schema(parameters=[VIDEO_REF, RenditionChoice], responses=MediaAddress, tags=["content"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """A signed address of one MP4 with picture and sound; a missing quality gives the best one below it."""
        video = watchable(request, ref)
        rendition = chosen_rendition(request, video, quality=request.query_params.get("quality"))
        path = delivery.media_url(video, layout.rendition_file(rendition.name))
        return Response({"url": Links(request).absolute(path)})


class MasterPlaylist(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={(200, layout.content_type(layout.MASTER)): OpenApiTypes.STR},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponse:
        """The HLS master playlist; its addresses are signed and end after some hours."""
        with unavailable_media():
            playlist = delivery.master_playlist(watchable(request, ref))
        response = HttpResponse(playlist, content_type=layout.content_type(layout.MASTER))
        response["Cache-Control"] = "private, no-store"
        return response


class RenditionFile(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={302: OpenApiResponse(description="To the signed MP4.")},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID, quality: str) -> HttpResponseRedirect:
        """One quality as an MP4; a missing one gives the best below it."""
        video = watchable(request, ref)
        rendition = chosen_rendition(request, video, quality=quality)
        response = HttpResponseRedirect(delivery.media_url(video, layout.rendition_file(rendition.name)))
        response["Cache-Control"] = "private, no-store"
        return response


@require_safe
def show_poster(request: HttpRequest, public_id: uuid.UUID, version: str) -> HttpResponse:
    """Unsigned and cached for ever: a new version has a new address."""
    try:
        picture = delivery.listed_poster(public_id=public_id, version=version)
    except SourceMissing as error:
        raise Http404 from error
    except StorageUnavailable as error:
        return JsonResponse({"detail": error.sentence, "code": error.code}, status=503)
    response = HttpResponse(picture, content_type=layout.content_type(layout.POSTER))
    response["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    return response
