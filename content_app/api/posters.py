"""The poster of a video, and the candidates for it; for the video's owner and admins."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.errors import NotReady
from content_app.api.links import Links
from content_app.api.permissions import VIDEO_REF, changeable
from content_app.api.serializers import PosterChoices, PosterNumber, PosterUpload
from content_app.api.videos import UPLOAD_PARSERS
from content_app.models import Video
from content_app.queries import find_visible
from content_app.services.additions import posters
from users_app.http.signed_in import person_of


def posters_json(request: Request, video: Video) -> dict[str, object]:
    links = Links(request)
    if not video.is_playable:
        raise NotReady
    return {
        "current": links.poster(video),
        "current_small": links.small_poster(video),
        "is_uploaded": posters.is_uploaded(video),
        "candidates": [
            {
                "number": one.number,
                "url": links.absolute(one.url),
                "small_url": links.absolute(one.small_url),
                "is_current": one.is_current,
            }
            for one in posters.candidates(video)
        ],
    }


class Posters(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=PosterChoices, tags=["posters"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """List the candidates for the poster."""
        return Response(posters_json(request, changeable(request, ref)))


class Poster(APIView):
    parser_classes = UPLOAD_PARSERS

    @extend_schema(
        parameters=[VIDEO_REF],
        request={"application/json": PosterNumber, "multipart/form-data": PosterUpload},
        responses=PosterChoices,
        tags=["posters"],
    )
    def put(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Choose one of the candidates, or upload a picture of your own."""
        video = changeable(request, ref)
        is_form = request.content_type.startswith("multipart/")
        form = PosterUpload(data=request.data) if is_form else PosterNumber(data=request.data)
        form.is_valid(raise_exception=True)
        if is_form:
            posters.upload(video_id=video.pk, upload=form.validated_data["file"])
        else:
            posters.choose(video_id=video.pk, number=form.validated_data["candidate"])
        return Response(posters_json(request, find_visible(person_of(request), video.pk)))

    @extend_schema(parameters=[VIDEO_REF], responses={200: PosterChoices}, tags=["posters"])
    def delete(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Go back to the best candidate."""
        video = changeable(request, ref)
        posters.reset(video_id=video.pk)
        return Response(posters_json(request, find_visible(person_of(request), video.pk)))
