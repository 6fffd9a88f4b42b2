"""Uploading, changing and removing videos: the versioned API."""

import uuid
from datetime import UTC, datetime

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
from content_app.api.direct import uploader
from content_app.api.errors import CannotRetry
from content_app.api.permissions import changeable
from content_app.api.requests import VIDEO_REF, filtered, person_of, video_json
from content_app.api.serializers import CatalogueFilter, VideoFields, VideoPage, VideoSerializer, VideoUpload
from content_app.api.upload_handlers import OTHER_FIELDS_BYTES, declared_bytes
from content_app.queries import find_deleted, find_deleted_by, find_visible
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from content_app.states import State
from users_app.http.pagination import NewestFirst
from users_app.http.throttles import NewUploadLimit

UPLOAD_PARSERS: tuple[type[BaseParser], ...] = (MultiPartParser, *APIView.parser_classes)


class BringsFiles(APIView):
    """Takes what is said about a video as JSON, or as a form that may bring its file."""

    parser_classes = UPLOAD_PARSERS

    def get_throttles(self) -> list[BaseThrottle]:
        is_form = self.request._request.content_type == "multipart/form-data"
        return [*super().get_throttles(), *([NewUploadLimit()] if is_form else [])]


class Videos(BringsFiles):
    @extend_schema(
        operation_id="api_v1_videos_list",
        parameters=[CatalogueFilter, OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=VideoPage,
        tags=["videos"],
    )
    def get(self, request: Request) -> Response:
        """What this person may see, newest first, in pages."""
        pages = NewestFirst()
        page = pages.paginate_queryset(filtered(request), request, view=self)
        return pages.get_paginated_response(video_json(request, page or []))

    @extend_schema(
        request={"multipart/form-data": VideoUpload, "application/json": VideoFields},
        responses={201: VideoSerializer},
        tags=["videos"],
    )
    def post(self, request: Request) -> Response:
        """Upload a video; without a file it waits for one (PATCH it with the file)."""
        uploader(request)
        form = VideoUpload(data=request.data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data.pop("file", None)
        video = videos.create(owner=person_of(request), fields=form.validated_data, upload=upload)
        return Response(video_json(request, find_visible(person_of(request), video.pk)), status.HTTP_201_CREATED)


IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The `updated_at` that was seen, in double quotes."
)


class VideoEntry(BringsFiles):
    @extend_schema(parameters=[VIDEO_REF], responses=VideoSerializer, tags=["videos"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """One video."""
        return Response(video_json(request, find_visible(person_of(request), ref)))

    @extend_schema(
        parameters=[VIDEO_REF, IF_MATCH],
        request={"multipart/form-data": VideoUpload, "application/json": VideoFields},
        responses={
            200: VideoSerializer,
            412: OpenApiResponse(description="It was changed since (changed_meanwhile)."),
        },
        tags=["videos"],
    )
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Change what is said about a video, or replace its file: the old one plays until the new one is ready.

        With the header `If-Match: "<updated_at>"` it is refused (412) if the video was changed since.
        """
        video = changeable(request, ref)
        if declared_bytes(request._request) > OTHER_FIELDS_BYTES:  # there is a file in it
            uploader(request)
        form = VideoUpload(video, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        upload = form.validated_data.pop("file", None)
        videos.edit(
            video_id=video.pk,
            by=person_of(request),
            changes=form.validated_data,
            upload=upload,
            read_at=seen_by(request),
        )
        return Response(video_json(request, find_visible(person_of(request), video.pk)))

    @extend_schema(parameters=[VIDEO_REF], responses={204: None}, tags=["videos"])
    def delete(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Hide a video from everybody; an admin can restore it, and for some minutes the owner who deleted it."""
        videos.soft_delete(video_id=changeable(request, ref).pk, by=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def seen_by(request: Request) -> datetime | None:
    """The `updated_at` that the editor has read; a value that is no time equals none."""
    told = request.headers.get("If-Match", "").strip().strip('"')
    if told in ("", "*"):
        return None
    try:
        moment = parse_datetime(told)
    except ValueError:
        moment = None
    return moment if moment and moment.tzinfo else datetime.min.replace(tzinfo=UTC)


class RestoreVideo(APIView):
    @extend_schema(parameters=[VIDEO_REF], request=None, responses=VideoSerializer, tags=["videos"])
    def patch(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Bring a deleted video back: admins at any time, owners within a quarter of an hour what they deleted."""
        person = person_of(request)
        if sees_everything(person):
            video = find_deleted(ref)
            videos.restore(video_id=video.pk)
        else:
            found = find_deleted_by(person, ref)
            if found is None or not videos.undo_deletion(video_id=found.pk, by=person):
                raise PermissionDenied("Only admins may restore videos.")
            video = found
        return Response(video_json(request, find_visible(person, video.pk)))


class RetryVideo(APIView):
    @extend_schema(parameters=[VIDEO_REF], request=None, responses=VideoSerializer, tags=["videos"])
    def post(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Process a failed video again, unless the same file would fail the same way (`can_retry`)."""
        video = changeable(request, ref)
        if video.state == State.ERROR and video.error_is_final:
            raise CannotRetry(CannotRetry.same_file)
        if video.state != State.ERROR or not lifecycle.retry(video_id=video.pk):
            raise CannotRetry
        return Response(video_json(request, find_visible(person_of(request), video.pk)))


class LastRefusal(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses={204: None}, tags=["videos"])
    def delete(self, request: Request, ref: int | uuid.UUID) -> Response:
        """It was read why the last file or try came to nothing (`last_refusal`)."""
        lifecycle.dismiss_refusal(video_id=changeable(request, ref).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
