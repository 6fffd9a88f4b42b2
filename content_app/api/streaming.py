"""Media for players: playlists and signed addresses for users who may watch, and the posters of listed videos."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.errors import NotReady
from content_app.api.links import Links
from content_app.api.permissions import VIDEO_REF, watchable
from content_app.api.serializers import MediaAddress, RenditionChoice
from content_app.api.text_responses import AnyAccept, private_text
from content_app.models import Rendition, Video
from content_app.queries import find_with_listed_poster, published_renditions
from content_app.services.playback import delivery
from media_pipeline import layout
from media_pipeline.errors import SourceMissing, StorageUnavailable
from users_app.http.throttles import StreamLimit

A_YEAR_S = 31_536_000


def chosen_rendition(video: Video, *, quality: str | None) -> Rendition:
    """Returns the rendition with this quality, such as 720p, or with the next lower one; the best one for None."""
    choice = RenditionChoice(data={} if quality is None else {"quality": quality})
    choice.is_valid(raise_exception=True)
    renditions = published_renditions(video)
    if not renditions:
        raise NotReady
    return delivery.pick_rendition(renditions, short_side=choice.short_side())


class VideoAddress(APIView):
    throttle_classes = (StreamLimit,)

    @extend_schema(parameters=[VIDEO_REF, RenditionChoice], responses=MediaAddress, tags=["content"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Get a signed address of the MP4 in one quality, or in the next lower one if the video does not have it."""
        video = watchable(request, ref)
        rendition = chosen_rendition(video, quality=request.query_params.get("quality"))
        address = delivery.media_url(video, layout.rendition_file(rendition.name))
        return Response({"url": Links(request).absolute(address)})


class MasterPlaylist(APIView):
    throttle_classes = (StreamLimit,)
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={(200, layout.content_type(layout.MASTER)): OpenApiTypes.STR},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponse:
        """Get the HLS master playlist. The addresses in it are signed, and expire after some hours."""
        playlist = delivery.master_playlist(watchable(request, ref))
        return private_text(playlist, layout.content_type(layout.MASTER))


@method_decorator(gzip_page, name="dispatch")  # the manifest of a long film has thousands of addresses
class Manifest(APIView):
    throttle_classes = (StreamLimit,)
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={(200, layout.content_type(layout.MANIFEST)): OpenApiTypes.STR},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponse:
        """Get the DASH manifest of a film that an external transcoder made as DASH. The addresses in it expire too."""
        video = watchable(request, ref)
        if not (video.version and video.version.has_manifest):
            raise NotFound("This video has no DASH manifest; play the HLS playlist.")
        manifest = delivery.dash_manifest(video)
        return private_text(manifest, layout.content_type(layout.MANIFEST))


class StoryboardCues(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={(200, layout.content_type(layout.STORYBOARD_CUES)): OpenApiTypes.STR},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponse:
        """Get WebVTT for a seek bar: each cue names a part (`#xywh=`) of a signed sheet of small pictures."""
        video = watchable(request, ref)
        if not (video.version and video.version.has_storyboard):
            raise NotFound("This video was processed before storyboards were made; process it again to have one.")
        cues = delivery.storyboard(video)
        return private_text(cues, layout.content_type(layout.STORYBOARD_CUES))


class RenditionFile(APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[VIDEO_REF],
        responses={302: OpenApiResponse(description="To the signed MP4.")},
        tags=["streaming"],
    )
    def get(self, request: Request, ref: int | uuid.UUID, quality: str) -> HttpResponseRedirect:
        """Get the MP4 in one quality, or in the next lower one if the video does not have it."""
        video = watchable(request, ref)
        rendition = chosen_rendition(video, quality=quality)
        response = HttpResponseRedirect(delivery.media_url(video, layout.rendition_file(rendition.name)))
        response["Cache-Control"] = "private, no-store"
        return response


@require_safe
def show_poster(request: HttpRequest, public_id: uuid.UUID, folder: str, name: str) -> HttpResponse:
    """Answers with a poster at an unsigned address. Caches may keep it for a year: a new poster has a new address.

    The address of a poster that was replaced redirects to the current one.
    """
    video = find_with_listed_poster(public_id)
    poster = video.small_poster if name.endswith(layout.SMALL_SUFFIX) else video.poster
    if poster != f"{folder}/{name}.jpg":
        response: HttpResponse = HttpResponseRedirect(delivery.listed_poster_url(public_id, poster))
        response["Cache-Control"] = "no-cache"
        return response
    try:
        picture = delivery.read_poster(public_id, poster)
    except SourceMissing as error:
        raise Http404 from error
    except StorageUnavailable as error:
        return JsonResponse({"detail": error.sentence, "code": error.code}, status=503)
    response = HttpResponse(picture, content_type=layout.content_type(layout.POSTER))
    response["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    return response
