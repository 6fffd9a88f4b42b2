"""Routes for external transcoders, whose requests are signed with the keys of a service."""

import uuid

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.api.permissions import VIDEO_REF
from content_app.api.uploads.serializers import chosen_of
from content_app.queries import find_undeleted
from content_app.services.processing import external_results
from content_app.states import API_STATUS, State
from users_app.http.service_authentication import IsService, ServiceAuthentication

VideoId = inline_serializer("VideoId", {"video_id": serializers.IntegerField()})


class StatusReport(serializers.Serializer[None]):
    """The query string in which a transcoder reports its progress."""

    status = chosen_of("COMPLETED", "FAILED", "IN_PROGRESS")


class ServiceView(APIView):
    authentication_classes = (ServiceAuthentication,)
    permission_classes = (IsService,)


class VideoOfKey(ServiceView):
    @extend_schema(responses=VideoId, tags=["services"])
    def get(self, request: Request, s3_key: str) -> Response:
        """Find the video whose original has this key in the bucket of originals."""
        video_id = external_results.video_of_key(s3_key.removesuffix("/"))
        if video_id is None:
            raise NotFound("No video has an original with this key.")
        return Response({"video_id": video_id})


class TranscodingStatus(ServiceView):
    @extend_schema(
        parameters=[VIDEO_REF, StatusReport],
        request=None,
        responses=inline_serializer(
            "TranscodingStatus", {"video_id": serializers.IntegerField(), "status": serializers.CharField()}
        ),
        tags=["services"],
    )
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Report the progress of a transcode. On COMPLETED the result is checked, and published if it is sound."""
        form = StatusReport(data=request.query_params)
        form.is_valid(raise_exception=True)
        video = find_undeleted(ref)
        match form.validated_data["status"]:
            case "COMPLETED":
                external_results.complete(video=video)
            case "FAILED":
                external_results.fail(video=video)
            case "IN_PROGRESS":
                pass  # the video stays `pending` until its result is published
        video.refresh_from_db()
        return Response({"video_id": video.pk, "status": API_STATUS[State(video.state)]})
