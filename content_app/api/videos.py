"""The versioned API of videos: list, upload, change, delete, restore, retry."""

import uuid
from datetime import UTC, datetime

from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from content_app.access import sees_everything
from content_app.api.errors import CannotRetry
from content_app.api.film_answers import IF_NONE_MATCH, NOT_MODIFIED, film_page, one_film
from content_app.api.permissions import VIDEO_REF, changeable
from content_app.api.serializers import CatalogueFilter, VideoFields, VideoPage, VideoSerializer, VideoUpload
from content_app.api.uploads.direct import uploader
from content_app.api.uploads.forms import OTHER_FIELDS_BYTES, declared_bytes
from content_app.api.video_json import video_json
from content_app.queries import find_deleted, find_deleted_by, find_visible
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from content_app.states import State
from users_app.http.signed_in import person_of
from users_app.http.throttles import NewUploadLimit

UPLOAD_PARSERS: tuple[type[BaseParser], ...] = (MultiPartParser, *APIView.parser_classes)


class UploadView(APIView):
    """Takes the fields of a video as JSON, or as a form that may include its file."""

    parser_classes = UPLOAD_PARSERS

    def get_throttles(self) -> list[BaseThrottle]:
        # Only forms can include a file, and only files count against the limit of uploads.
        is_form = self.request._request.content_type == "multipart/form-data"
        return [*super().get_throttles(), *([NewUploadLimit()] if is_form else [])]


class Videos(UploadView):
    @extend_schema(
        operation_id="api_v1_videos_list",
        parameters=[
            *(CatalogueFilter, OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)),
            IF_NONE_MATCH,
        ],
        responses={200: VideoPage, 304: NOT_MODIFIED},
        tags=["videos"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List the videos that you may see, newest first, in pages."""
        return film_page(request)

    @extend_schema(
        request={"multipart/form-data": VideoUpload, "application/json": VideoFields},
        responses={201: VideoSerializer},
        tags=["videos"],
    )
    def post(self, request: Request) -> Response:
        """Upload a video. You can leave the file out and send it later, by PATCH; until then the video waits for it."""
        uploader(request)
        form = VideoUpload(data=request.data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data.pop("file", None)
        video = videos.create(owner=person_of(request), fields=form.validated_data, upload=upload)
        return Response(video_json(request, find_visible(person_of(request), video.pk)), status.HTTP_201_CREATED)


IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The `updated_at` that you have read, in double quotes."
)


class VideoEntry(UploadView):
    @extend_schema(
        parameters=[VIDEO_REF, IF_NONE_MATCH], responses={200: VideoSerializer, 304: NOT_MODIFIED}, tags=["videos"]
    )
    def get(self, request: Request, ref: int | uuid.UUID) -> HttpResponseBase:
        """Get one video."""
        return one_film(request, ref)

    @extend_schema(
        parameters=[VIDEO_REF, IF_MATCH],
        request={"multipart/form-data": VideoUpload, "application/json": VideoFields},
        responses={
            200: VideoSerializer,
            412: OpenApiResponse(description="The video was changed since you read it (changed_meanwhile)."),
        },
        tags=["videos"],
    )
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Change the fields of a video, or replace its file. The old version plays until the new one is ready.

        With the header `If-Match: "<updated_at>"` the request is refused (412) if the video has changed since then.
        """
        video = changeable(request, ref)
        # A body of this size includes a file, so the right to upload is checked before the body is read.
        if declared_bytes(request._request) > OTHER_FIELDS_BYTES:
            uploader(request)
        form = VideoUpload(video, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        upload = form.validated_data.pop("file", None)
        videos.edit(
            video_id=video.pk,
            by=person_of(request),
            changes=form.validated_data,
            upload=upload,
            read_at=if_match(request),
        )
        return Response(video_json(request, find_visible(person_of(request), video.pk)))

    @extend_schema(parameters=[VIDEO_REF], responses={204: None}, tags=["videos"])
    def delete(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Delete a video. Admins can restore it at any time, and an owner who deleted it within 15 minutes."""
        videos.soft_delete(video_id=changeable(request, ref).pk, by=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def if_match(request: Request) -> datetime | None:
    """Returns the `updated_at` in the If-Match header; None without the header, or for `*`."""
    value = request.headers.get("If-Match", "").strip().strip('"')
    if value in ("", "*"):
        return None
    try:
        moment = parse_datetime(value)
    except ValueError:
        moment = None
    # Any other value matches no video, so that the request is refused.
    return moment if moment and moment.tzinfo else datetime.min.replace(tzinfo=UTC)


class RestoreVideo(APIView):
    @extend_schema(parameters=[VIDEO_REF], request=None, responses=VideoSerializer, tags=["videos"])
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Restore a deleted video: admins at any time, owners within 15 minutes if they deleted it themselves."""
        person = person_of(request)
        if sees_everything(person):
            video = find_deleted(ref)
            videos.restore(video_id=video.pk)
        else:
            own = find_deleted_by(person, ref)
            if own is None or not videos.undo_deletion(video_id=own.pk, by=person):
                raise PermissionDenied("Only admins may restore videos.")
            video = own
        return Response(video_json(request, find_visible(person, video.pk)))


class RetryVideo(APIView):
    @extend_schema(parameters=[VIDEO_REF], request=None, responses=VideoSerializer, tags=["videos"])
    def post(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Process a failed video again, unless the same file would fail in the same way (see `can_retry`)."""
        video = changeable(request, ref)
        if video.state == State.ERROR and not video.can_retry:
            raise CannotRetry(CannotRetry.same_file)
        if video.state != State.ERROR or not lifecycle.retry(video_id=video.pk):
            raise CannotRetry
        return Response(video_json(request, find_visible(person_of(request), video.pk)))


class DismissRefusal(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses={204: None}, tags=["videos"])
    def delete(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Dismiss the note on why the last file or attempt was refused (`last_refusal`)."""
        lifecycle.dismiss_refusal(video_id=changeable(request, ref).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
