"""Bringing files into the storage beside the web server: addresses and signatures, then what the film is called."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.access import may_upload_videos
from content_app.api.direct_serializers import (
    AddressWanted,
    Metadata,
    PutAddress,
    SignatureWanted,
    SignedRequest,
    ThumbnailWanted,
    UploadedPage,
    UploadedVideo,
    UploadKey,
)
from content_app.api.links import Links
from content_app.api.permissions import changeable
from content_app.api.requests import VIDEO_REF, person_of
from content_app.api.serializers import VideoFields
from content_app.models import DirectUpload, Video
from content_app.queries import find_visible, listed, with_details
from content_app.services.additions import posters
from content_app.services.catalogue.videos import NotAllowed
from content_app.services.processing.forecast import Forecast
from content_app.services.uploads import direct_uploads, presigning
from content_app.services.uploads.presigning import Wanted
from users_app.http.authentication import UPLOADERS
from users_app.http.pagination import NewestFirst
from users_app.http.throttles import Limit, NewUploadLimit
from users_app.models import User


def uploader(request: Request) -> User:
    """Who asks, if they may bring films."""
    if not may_upload_videos(person_of(request)):
        raise NotAllowed
    return person_of(request)


def replaced_video(request: Request, ref: int | uuid.UUID | None) -> Video | None:
    return None if ref is None else changeable(request, ref)


def address_json(upload: DirectUpload, most_bytes: int) -> dict[str, Any]:
    form = presigning.sign_form(upload, most=most_bytes)
    return {
        "url": presigning.sign_put(upload),
        "method": "PUT",
        "headers": {"Content-Type": upload.content_type},
        "post": {"url": form.url, "fields": form.fields},
        "media_id": upload.public_id,
        "key": upload.key,
        "max_bytes": most_bytes,
        "expires_in_seconds": presigning.lifetime_s(),
    }


class UploadAddress(APIView):
    authentication_classes = UPLOADERS
    throttle_classes = (Limit, NewUploadLimit)

    @extend_schema(request=AddressWanted, responses={201: PutAddress}, tags=["upload"])
    def post(self, request: Request) -> Response:
        """An address for one PUT of one file of this type, or a form that the storage itself caps the size of."""
        person = uploader(request)
        form = AddressWanted(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        presigning.bucket()
        upload = direct_uploads.announce(
            owner=person, name=wanted["filename"], content_type=wanted["content_type"],
            size_bytes=wanted["size"], video=replaced_video(request, wanted["video_id"]),
        )  # fmt: skip
        answer = address_json(upload, presigning.max_upload_bytes())
        return Response(PutAddress(answer).data, status.HTTP_201_CREATED)


class ThumbnailAddress(APIView):
    authentication_classes = UPLOADERS
    throttle_classes = (Limit, NewUploadLimit)

    @extend_schema(
        request=None,
        parameters=[ThumbnailWanted],
        responses={201: PutAddress},
        tags=["upload"],
    )
    def post(self, request: Request) -> Response:
        """An address for one picture, which becomes the poster of the video once there is a film."""
        person = uploader(request)
        form = ThumbnailWanted(data=request.query_params)
        form.is_valid(raise_exception=True)
        presigning.bucket()
        upload = direct_uploads.announce(
            owner=person, content_type=form.validated_data["content_type"], purpose=direct_uploads.Purpose.POSTER,
            video=changeable(request, form.validated_data["associated_video_id"]),
        )  # fmt: skip
        answer = address_json(upload, posters.MAX_BYTES)
        return Response(PutAddress(answer).data, status.HTTP_201_CREATED)


class SignRequest(APIView):
    throttle_classes = ()  # one for each part of a file, as fast as the line is
    authentication_classes = UPLOADERS

    @extend_schema(request=SignatureWanted, responses=SignedRequest, tags=["upload"])
    def post(self, request: Request) -> Response:
        """Sign one request of an upload in parts, as Uppy's `signRequest` asks.

        What begins an upload gets a key of ours, whatever key it names; what goes on names that key and its upload id.
        """
        person = uploader(request)
        form = SignatureWanted(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        wanted = Wanted(asked["method"], asked["uploadId"], asked["partNumber"], asked["expiresIn"])
        presigning.bucket()
        if wanted.upload_id or wanted.method not in ("PUT", "POST"):
            upload = direct_uploads.find_open(owner=person, key=asked["key"])
        else:
            limit = NewUploadLimit()
            if not limit.allow_request(request, self):
                self.throttled(request, limit.wait())
            upload = direct_uploads.announce(
                owner=person, name=asked["key"], content_type=asked["contentType"], size_bytes=asked["size"],
                video=replaced_video(request, asked["video_id"]),
            )  # fmt: skip
        signed = presigning.presign(upload, wanted)
        answer = {"url": signed.url, "key": signed.key, "media_id": upload.public_id}
        return Response(answer | ({"fields": signed.fields} if signed.fields else {}))


class UploadMetadata(APIView):
    authentication_classes = UPLOADERS

    @extend_schema(request=Metadata, responses={200: UploadedVideo, 201: UploadedVideo}, tags=["upload"])
    def post(self, request: Request) -> Response:
        """Say what the film is, before or after its file has arrived; again to change it or to have it looked for."""
        person = uploader(request)
        named = UploadKey(data=request.data)
        named.is_valid(raise_exception=True)
        key = named.validated_data["video_s3_key"]
        upload = direct_uploads.find(owner=person, key=key, purpose=direct_uploads.Purpose.VIDEO)
        if upload.video is not None:
            changeable(request, upload.video.public_id)  # it may have been given to somebody else meanwhile
        form = VideoFields(upload.video, data=request.data, partial=upload.video is not None)
        form.is_valid(raise_exception=True)
        video = direct_uploads.set_details(upload=upload, fields=form.validated_data)
        is_new = upload.video is None
        answer = uploaded_json(request, find_visible(person, video.pk))
        return Response(answer, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class UploadedVideos(APIView):
    @extend_schema(
        operation_id="api_v1_upload_videos_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=UploadedPage,
        tags=["upload"],
    )
    def get(self, request: Request) -> Response:
        """Public videos that can be watched, newest first, in pages."""
        pages = NewestFirst()
        page = pages.paginate_queryset(with_details(listed()), request, view=self)
        return pages.get_paginated_response(uploaded_json(request, page or []))


class UploadedEntry(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=UploadedVideo, tags=["upload"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """One video, with what became of the file that was uploaded last."""
        return Response(uploaded_json(request, find_visible(person_of(request), ref)))


def uploaded_json(request: Request, videos: Video | list[Video]) -> Any:
    context = {"links": Links(request), "person": person_of(request), "forecast": Forecast()}
    return UploadedVideo(videos, many=isinstance(videos, list), context=context).data
