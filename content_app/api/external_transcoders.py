"""What other services ask and tell, each request signed with their keys."""

import uuid

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.direct_serializers import chosen_of
from content_app.api.requests import VIDEO_REF
from content_app.models import Video
from content_app.queries import find_undeleted
from content_app.services.processing import external
from content_app.states import API_STATUS, State
from users_app.http.service_authentication import IsService, ServiceAuthentication

VideoId = inline_serializer("VideoId", {"video_id": serializers.IntegerField()})


class Told(serializers.Serializer[None]):
    """The query string that says how far the film is."""

    status = chosen_of("COMPLETED", "FAILED", "IN_PROGRESS")


class ServiceView(APIView):
    authentication_classes = (ServiceAuthentication,)
    permission_classes = (IsService,)


class VideoOfKey(ServiceView):
    @extend_schema(responses=VideoId, tags=["services"])
    def get(self, request: Request, s3_key: str) -> Response:
        """The video whose original lies under this key of the bucket of originals."""
        video_id = external.video_of_key(s3_key.removesuffix("/"))
        if video_id is None:
            raise NotFound("No video has its original there.")
        return Response({"video_id": video_id})


class TranscodingStatus(ServiceView):
    @extend_schema(
        parameters=[VIDEO_REF, Told],
        request=None,
        responses=inline_serializer(
            "TranscodingStatus", {"video_id": serializers.IntegerField(), "status": serializers.CharField()}
        ),
        tags=["services"],
    )
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Say how far the film is. COMPLETED is believed when its result is there and sound; then it plays."""
        form = Told(data=request.query_params)
        form.is_valid(raise_exception=True)
        video = find_undeleted(ref)
        apply_state(video, form.validated_data["status"])
        video.refresh_from_db()
        return Response({"video_id": video.pk, "status": API_STATUS[State(video.state)]})


def apply_state(video: Video, told: str) -> None:
    """IN_PROGRESS changes nothing: the film waits until it is made."""
    if told == "COMPLETED":
        external.complete(video=video)
    elif told == "FAILED":
        external.fail(video=video)
