"""Resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload): parses and answers its headers."""

import base64
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from content_app.api.serializers import VideoFields
from content_app.api.uploads.direct import replaced_video, uploader
from content_app.api.uploads.forms import CHUNK_TYPE, DiskFull, declared_bytes, not_written
from content_app.api.uploads.serializers import MEDIA_TYPE, VideoRef
from content_app.input_rules import MEGABYTE
from content_app.models import DirectUpload, Video
from content_app.services.storage.stores import is_in_bucket
from content_app.services.uploads import direct_uploads, tus
from content_app.services.uploads.direct_uploads import UploadExpired
from content_app.services.uploads.tus import Checksum, ChunkRefused, IncomingBytes
from users_app.http.authentication import UPLOADERS
from users_app.http.signed_in import person_of
from users_app.http.throttles import NewUploadLimit

TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
# When a connection breaks silently, no more bytes arrive. The chunk ends after this time, so that its lock is released.
STALLED_S = 15
MAX_DROPPED_BYTES = 16 * MEGABYTE  # the chunk size of the watch site
# Clients may send numbers of any length. One with more digits counts as 10**18, which is larger than any file.
MAX_DIGITS = 18
CHECKSUM_MISMATCH = 460  # a status of the tus protocol
STATUS: dict[type[ChunkRefused], int] = {
    tus.Locked: status.HTTP_423_LOCKED,
    tus.Gone: status.HTTP_410_GONE,
    tus.TooMuch: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    tus.WrongChecksum: CHECKSUM_MISMATCH,
    tus.WrongOffset: status.HTTP_409_CONFLICT,
    tus.AlreadyArrived: status.HTTP_409_CONFLICT,
}
# The fields of a video that Upload-Metadata may contain; clients send prices to the metadata route.
VIDEO_FIELDS = ("title", "description", "category", "visibility")


class TusRefused(APIException):
    def __init__(self, status_code: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.headers = headers or {}


@contextmanager
def refused_chunks() -> Iterator[None]:
    """Raises a refusal by the service, or a failed write, as the API error that the client gets."""
    try:
        yield
    except ChunkRefused as refusal:
        headers = {"Upload-Offset": str(refusal.offset)} if isinstance(refusal, tus.WrongOffset) else {}
        raise TusRefused(STATUS[type(refusal)], refusal.sentence, refusal.code, headers) from refusal
    except OSError as error:
        raise not_written(error) from error


# --- headers ---------------------------------------------------------------------------------------------------------


def bad_header(name: str, problem: str, code: str = "bad_header") -> TusRefused:
    return TusRefused(status.HTTP_400_BAD_REQUEST, f"{name}: {problem}", code)


def read_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        raise bad_header(name, "send a whole number of bytes.")
    return int(text) if len(text) <= MAX_DIGITS else 10**MAX_DIGITS


def read_checksum(request: Request) -> Checksum | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in tus.ALGORITHMS:
        raise bad_header("Upload-Checksum", f"use {' or '.join(tus.ALGORITHMS)}.")
    try:
        return Checksum(algorithm, base64.b64decode(encoded, validate=True))
    except ValueError as error:
        raise bad_header("Upload-Checksum", "the checksum is not valid Base64.") from error


def read_pairs(header: str) -> dict[str, str]:
    """Parses `Upload-Metadata`: pairs of a name and a value in Base64, which may be missing."""
    pairs: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        name, _, encoded = pair.strip().partition(" ")
        if not name or name in pairs:
            raise bad_header(
                "Upload-Metadata", "every value needs a name, and no name may occur twice.", "bad_metadata"
            )
        try:
            pairs[name] = base64.b64decode(encoded, validate=True).decode()
        except ValueError as error:
            raise bad_header("Upload-Metadata", "send values as UTF-8 text in Base64.", "bad_metadata") from error
    return pairs


class FileMetadata(serializers.Serializer[None]):
    """The part of `Upload-Metadata` that describes the file itself."""

    filename = serializers.CharField()
    filetype = serializers.CharField(required=False, default="", allow_blank=True)
    video_id = VideoRef(required=False, default=None)

    def validate_filetype(self, value: str) -> str:
        """Drops a type that cannot be used: browsers send such types for some files."""
        return value if MEDIA_TYPE.match(value) else ""


def read_video_fields(pairs: Mapping[str, str], video: Video | None) -> dict[str, Any]:
    """Returns the fields of the video; none without a title: the client then sends them all to the metadata route."""
    if not pairs.get("title", "").strip():
        return {}
    form = VideoFields(video, data={name: pairs[name] for name in VIDEO_FIELDS if name in pairs})
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def chunk_of(request: Request, offset: int) -> IncomingBytes:
    return IncomingBytes(offset, declared_bytes(request._request), reader_of(request), read_checksum(request))


def reader_of(request: Request) -> Callable[[int], bytes]:
    """Returns a function that reads the body as it arrives, and returns no bytes once the connection is lost."""
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALLED_S)

    def read(size: int) -> bytes:
        try:
            return request._request.read(size)
        except OSError:
            return b""

    return read


def is_chunk(request: Request) -> bool:
    return request._request.content_type == CHUNK_TYPE


def progress(upload: DirectUpload, offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Upload-Expires": http_date(upload.expires_at.timestamp())}


# --- routes ----------------------------------------------------------------------------------------------------------

TUS_RESUMABLE = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[TUS_VERSION])
UPLOAD_CHECKSUM = OpenApiParameter(
    "Upload-Checksum", str, OpenApiParameter.HEADER, description="`sha1` or `sha256`, a space, the checksum in Base64."
)


class Begun(serializers.Serializer[dict[str, Any]]):
    media_id = serializers.UUIDField(help_text="The public id of the new video. Unused when a file is replaced.")
    key = serializers.CharField(help_text="The `video_s3_key` of the metadata.")


class TusView(APIView):
    """Checks the version of the protocol, and names it in every response."""

    authentication_classes = UPLOADERS
    throttle_classes: Sequence[type[BaseThrottle]] = ()  # the client decides how many requests a file takes

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if is_in_bucket():
            sentence = "Files go straight into the bucket here: ask for an upload address."
            raise TusRefused(status.HTTP_409_CONFLICT, sentence, "in_bucket")
        if request.method == "OPTIONS":
            return
        if request.headers.get("Tus-Resumable") != TUS_VERSION:
            sentence = f"This server speaks tus {TUS_VERSION}: send Tus-Resumable: {TUS_VERSION}."
            headers = {"Tus-Version": TUS_VERSION}
            raise TusRefused(status.HTTP_412_PRECONDITION_FAILED, sentence, "tus_version", headers)
        super().initial(request, *args, **kwargs)
        uploader(request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, DiskFull):
            # Read the rest of the chunk: a client that is still sending would not see the answer.
            read, left = reader_of(self.request), MAX_DROPPED_BYTES
            while left > 0 and (block := read(tus.BLOCK_BYTES)):
                left -= len(block)
        response = super().handle_exception(exc)
        for name, value in getattr(exc, "headers", {}).items():
            response.headers[name] = value
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Tus-Resumable"] = TUS_VERSION
        if request.method == "HEAD":
            response.headers["Cache-Control"] = "no-store"
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as DRF has it
        """Lists what this server supports. Needs no sign-in."""
        headers = {
            "Tus-Version": TUS_VERSION,
            "Tus-Extension": TUS_EXTENSIONS,
            "Tus-Max-Size": str(settings.MAX_UPLOAD_MB * MEGABYTE),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
        return Response(status=status.HTTP_204_NO_CONTENT, headers=headers)


class TusUploads(TusView):
    throttle_classes = (NewUploadLimit,)

    @extend_schema(
        request={CHUNK_TYPE: OpenApiTypes.BINARY},
        parameters=[
            TUS_RESUMABLE,
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER, required=True, description="In bytes."),
            OpenApiParameter(
                "Upload-Metadata",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="`filename`; optionally `filetype`, `title`, `description`, `category`, `visibility`, and "
                "the `video_id` of a video whose file it replaces. Without a title, send them to the metadata route.",
            ),
            UPLOAD_CHECKSUM,
        ],
        responses={201: Begun},
        tags=["upload"],
    )
    def post(self, request: Request) -> Response:
        """Begin a resumable upload (tus 1.0). Send the file to the address in `Location`; the body may begin it."""
        if "Upload-Defer-Length" in request.headers:
            raise bad_header("Upload-Defer-Length", "send the length with the first request.", "deferred_length")
        if "Upload-Concat" in request.headers:
            raise bad_header("Upload-Concat", "this server does not support concatenation.", "no_concatenation")
        length = read_number(request, "Upload-Length")
        chunk = chunk_of(request, 0) if is_chunk(request) else None
        pairs = read_pairs(request.headers.get("Upload-Metadata", ""))
        # An empty `video_id`, which some clients send for a missing value, replaces no file.
        form = FileMetadata(data={name: value for name, value in pairs.items() if name != "video_id" or value})
        form.is_valid(raise_exception=True)
        file = form.validated_data
        video = replaced_video(request, file["video_id"])
        fields = read_video_fields(pairs, video)
        with refused_chunks():
            upload = direct_uploads.announce(
                owner=person_of(request), name=file["filename"], content_type=file["filetype"], size_bytes=length,
                video=video,
            )  # fmt: skip
            offset = tus.begin(upload=upload, chunk=chunk)
            if fields:
                direct_uploads.set_details(upload=upload, fields=fields)
        address = request.build_absolute_uri(reverse("tus-upload", args=[upload.public_id]))
        body = Begun({"media_id": upload.public_id, "key": upload.key}).data
        return Response(body, status.HTTP_201_CREATED, headers={"Location": address, **progress(upload, offset)})


class TusUpload(TusView):
    def find(self, request: Request, public_id: uuid.UUID) -> DirectUpload:
        """Returns the upload. Answers 404 if it belongs to another user, and 410 if it did not arrive in time."""
        upload = direct_uploads.find(owner=person_of(request), public_id=public_id, declared_bytes__isnull=False)
        if upload.arrived_at is None and upload.expires_at <= timezone.now():
            raise TusRefused(status.HTTP_410_GONE, UploadExpired.sentence, UploadExpired.code)
        return upload

    def head(self, request: Request, public_id: uuid.UUID) -> Response:
        """Answers how many bytes have arrived."""
        upload = self.find(request, public_id)
        with refused_chunks():
            offset = tus.resume(upload=upload)
        name = base64.b64encode(upload.name.encode()).decode()
        file = {"Upload-Length": str(upload.declared_bytes), "Upload-Metadata": f"filename {name}"}
        return Response(headers={**progress(upload, offset), **file})

    @extend_schema(
        request={CHUNK_TYPE: OpenApiTypes.BINARY},
        parameters=[
            TUS_RESUMABLE,
            OpenApiParameter(
                "Upload-Offset",
                int,
                OpenApiParameter.HEADER,
                required=True,
                description="From the answer to HEAD.",
            ),
            UPLOAD_CHECKSUM,
        ],
        responses={204: OpenApiResponse(description="`Upload-Offset` says how many bytes have arrived.")},
        tags=["upload"],
    )
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Continue an upload (tus 1.0), one request at a time. If a chunk breaks off, what has arrived is kept."""
        if not is_chunk(request):
            raise UnsupportedMediaType(request._request.content_type or "")
        chunk = chunk_of(request, read_number(request, "Upload-Offset"))
        upload = self.find(request, public_id)
        with refused_chunks():
            offset = tus.append(upload=upload, chunk=chunk)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=progress(upload, offset))

    @extend_schema(parameters=[TUS_RESUMABLE], responses={204: None}, tags=["upload"])
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        """Cancel an upload (tus 1.0) and remove what has arrived of it."""
        upload = self.find(request, public_id)
        with refused_chunks():
            tus.cancel(upload=upload)
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[tuple[str, Any, str]] = [
    ("api/v1/upload/tus", TusUploads.as_view(), "tus-uploads"),
    ("api/v1/upload/tus/<uuid:public_id>", TusUpload.as_view(), "tus-upload"),
]
