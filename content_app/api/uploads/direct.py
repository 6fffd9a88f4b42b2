"""Direct uploads: signed addresses for the storage, then the metadata of the video; and the videos made from them."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.access import may_upload_videos
from content_app.api.permissions import VIDEO_REF, changeable
from content_app.api.serializers import VideoFields
from content_app.api.uploads.serializers import (
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
from content_app.api.video_json import video_json
from content_app.models import DirectUpload, Video
from content_app.queries import find_visible, listed, with_details
from content_app.services.additions import posters
from content_app.services.catalogue.videos import NotAllowed
from content_app.services.uploads import direct_uploads, presigning
from content_app.services.uploads.presigning import Wanted
from users_app.http.authentication import UPLOADERS
from users_app.http.pagination import NewestFirst
from users_app.http.signed_in import person_of
from users_app.http.throttles import Limit, NewUploadLimit
from users_app.models import User


def uploader(request: Request) -> User:
    """Returns the signed-in user. Raises NotAllowed when the user may not upload videos."""
    if not may_upload_videos(person_of(request)):
        raise NotAllowed
    return person_of(request)


def replaced_video(request: Request, ref: int | uuid.UUID | None) -> Video | None:
    return None if ref is None else changeable(request, ref)


def address_json(upload: DirectUpload, max_bytes: int) -> dict[str, Any]:
    form = presigning.sign_form(upload, max_bytes=max_bytes)
    return {
        "url": presigning.sign_put(upload),
        "method": "PUT",
        "headers": {"Content-Type": upload.content_type},
        "post": {"url": form.url, "fields": form.fields},
        "media_id": upload.public_id,
        "key": upload.key,
        "max_bytes": max_bytes,
        "expires_in_seconds": presigning.lifetime_s(),
    }


class UploadAddress(APIView):
    authentication_classes = UPLOADERS
    throttle_classes = (Limit, NewUploadLimit)

    @extend_schema(request=AddressWanted, responses={201: PutAddress}, tags=["upload"])
    def post(self, request: Request) -> Response:
        """Get a signed address for one PUT of one file, and the same upload as a form whose size the storage limits."""
        person = uploader(request)
        form = AddressWanted(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        presigning.bucket()  # refuses a site without a bucket before an upload is announced
        upload = direct_uploads.announce(
            owner=person, name=fields["filename"], content_type=fields["content_type"],
            size_bytes=fields["size"], video=replaced_video(request, fields["video_id"]),
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
        """Get a signed address for one picture, which becomes the poster as soon as the video can be played."""
        person = uploader(request)
        form = ThumbnailWanted(data=request.query_params)
        form.is_valid(raise_exception=True)
        presigning.bucket()  # refuses a site without a bucket before an upload is announced
        upload = direct_uploads.announce(
            owner=person, content_type=form.validated_data["content_type"], purpose=direct_uploads.Purpose.POSTER,
            video=changeable(request, form.validated_data["associated_video_id"]),
        )  # fmt: skip
        answer = address_json(upload, posters.MAX_BYTES)
        return Response(PutAddress(answer).data, status.HTTP_201_CREATED)


class SignRequest(APIView):
    throttle_classes = ()  # a client sends one request for each part of a file, as fast as its connection allows
    authentication_classes = UPLOADERS

    @extend_schema(request=SignatureWanted, responses=SignedRequest, tags=["upload"])
    def post(self, request: Request) -> Response:
        """Sign one request of a multipart upload, as Uppy's `signRequest` asks for it.

        A request that begins an upload gets a new key, whatever key it names. Later requests name that key and the
        upload id.
        """
        person = uploader(request)
        form = SignatureWanted(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        wanted = Wanted(fields["method"], fields["uploadId"], fields["partNumber"], fields["expiresIn"])
        presigning.bucket()  # refuses a site without a bucket before an upload is announced
        if wanted.upload_id or wanted.method not in ("PUT", "POST"):
            upload = direct_uploads.find_open(owner=person, key=fields["key"])
        else:
            # Checked here and not by throttle_classes: a new upload counts against the limit, its parts do not.
            limit = NewUploadLimit()
            if not limit.allow_request(request, self):
                self.throttled(request, limit.wait())
            upload = direct_uploads.announce(
                owner=person, name=fields["key"], content_type=fields["contentType"], size_bytes=fields["size"],
                video=replaced_video(request, fields["video_id"]),
            )  # fmt: skip
        signed = presigning.presign(upload, wanted)
        answer = {"url": signed.url, "key": signed.key, "media_id": upload.public_id}
        return Response(answer | ({"fields": signed.fields} if signed.fields else {}))


class UploadMetadata(APIView):
    authentication_classes = UPLOADERS

    @extend_schema(request=Metadata, responses={200: UploadedVideo, 201: UploadedVideo}, tags=["upload"])
    def post(self, request: Request) -> Response:
        """Send the metadata of an upload, before or after its file has arrived.

        Send it again to change the metadata, or to have the server check now whether the file has arrived.
        """
        person = uploader(request)
        key_form = UploadKey(data=request.data)
        key_form.is_valid(raise_exception=True)
        key = key_form.validated_data["video_s3_key"]
        upload = direct_uploads.find(owner=person, key=key, purpose=direct_uploads.Purpose.VIDEO)
        is_new = upload.video is None
        if upload.video is not None:
            changeable(request, upload.video.public_id)  # an admin may have given the video to another owner
        form = VideoFields(upload.video, data=request.data, partial=not is_new)
        form.is_valid(raise_exception=True)
        video = direct_uploads.set_details(upload=upload, fields=form.validated_data)
        answer = video_json(request, find_visible(person, video.pk), UploadedVideo)
        return Response(answer, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class UploadedVideos(APIView):
    @extend_schema(
        operation_id="api_v1_upload_videos_list",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)],
        responses=UploadedPage,
        tags=["upload"],
    )
    def get(self, request: Request) -> Response:
        """List the public videos that can be played, newest first, in pages."""
        page = NewestFirst(request).page(with_details(listed()))
        return page.response(video_json(request, page.rows, UploadedVideo))


class UploadedEntry(APIView):
    @extend_schema(parameters=[VIDEO_REF], responses=UploadedVideo, tags=["upload"])
    def get(self, request: Request, ref: int | uuid.UUID) -> Response:
        """Get one video, and what became of the file that was uploaded last."""
        return Response(video_json(request, find_visible(person_of(request), ref), UploadedVideo))
