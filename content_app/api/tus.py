"""Uploads that can be resumed, by tus 1.0 (https://tus.io/protocols/resumable-upload): headers in and out."""

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

from content_app.api.direct import replaced_video, uploader
from content_app.api.direct_serializers import MEDIA_TYPE, VideoRef
from content_app.api.requests import person_of
from content_app.api.serializers import VideoFields
from content_app.api.upload_handlers import CHUNK_TYPE, DISK_FULL, DiskFull, declared_bytes
from content_app.models import DirectUpload, Video
from content_app.rules import MEGABYTE
from content_app.services.storage.stores import is_in_bucket
from content_app.services.uploads import direct_uploads, tus
from content_app.services.uploads.direct_uploads import UploadExpired
from content_app.services.uploads.tus import Checksum, ChunkRefused, IncomingBytes
from media_pipeline.errors import StorageUnavailable
from users_app.http.authentication import UPLOADERS
from users_app.http.throttles import NewUploadLimit

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
# Of a connection that broke without a word nothing comes any more, and its chunk must not keep the lock for ever.
STALLED_S = 15
MOST_DROPPED = 16 * MEGABYTE  # what our own pages send at once
# More digits than any file has bytes; numbers of any length may be sent, and are too large.
MOST_DIGITS = 18
CHECKSUM_MISMATCH = 460
STATUS: dict[type[ChunkRefused], int] = {
    tus.Locked: status.HTTP_423_LOCKED,
    tus.Gone: status.HTTP_410_GONE,
    tus.TooMuch: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    tus.WrongChecksum: CHECKSUM_MISMATCH,
    tus.WrongOffset: status.HTTP_409_CONFLICT,
    tus.AlreadyArrived: status.HTTP_409_CONFLICT,
}
# What `describe` gets of an upload's own metadata; prices come by the metadata route.
DESCRIBING = ("title", "description", "category", "visibility")


class TusRefused(APIException):
    def __init__(self, status_code: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.headers = headers or {}


@contextmanager
def refused_chunks() -> Iterator[None]:
    try:
        yield
    except ChunkRefused as refusal:
        headers = {"Upload-Offset": str(refusal.offset)} if isinstance(refusal, tus.WrongOffset) else {}
        raise TusRefused(STATUS[type(refusal)], refusal.sentence, refusal.code, headers) from refusal
    except OSError as error:
        if error.errno in DISK_FULL:
            raise DiskFull from error
        raise StorageUnavailable(detail=str(error)) from error


# --- headers ---------------------------------------------------------------------------------------------------------


def bad_header(name: str, problem: str, code: str = "bad_header") -> TusRefused:
    return TusRefused(status.HTTP_400_BAD_REQUEST, f"{name}: {problem}", code)


def read_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        raise bad_header(name, "send a whole number of bytes.")
    return int(text) if len(text) <= MOST_DIGITS else 10**MOST_DIGITS


def read_length(request: Request) -> int:
    if "Upload-Defer-Length" in request.headers:
        raise bad_header("Upload-Defer-Length", "the length has to be known from the beginning.", "deferred_length")
    if "Upload-Concat" in request.headers:
        raise bad_header("Upload-Concat", "uploads cannot be put together from others here.", "no_concatenation")
    return read_number(request, "Upload-Length")


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
        raise bad_header("Upload-Checksum", "the checksum is not Base64.") from error


def read_pairs(header: str) -> dict[str, str]:
    """Of `Upload-Metadata`: names with values in Base64, or without any."""
    pairs: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        name, _, encoded = pair.strip().partition(" ")
        if not name or name in pairs:
            raise bad_header("Upload-Metadata", "every value needs a name of its own.", "bad_metadata")
        try:
            pairs[name] = base64.b64decode(encoded, validate=True).decode()
        except ValueError as error:
            raise bad_header("Upload-Metadata", "values are texts in UTF-8 and Base64.", "bad_metadata") from error
    return pairs


class Announced(serializers.Serializer[None]):
    """What `Upload-Metadata` has to say about the file itself."""

    filename = serializers.CharField()
    filetype = serializers.CharField(required=False, default="", allow_blank=True)
    video_id = VideoRef(required=False, default=None)


def read_announced(pairs: Mapping[str, str]) -> dict[str, Any]:
    form = Announced(data={name: value for name, value in pairs.items() if name != "video_id" or value})
    form.is_valid(raise_exception=True)
    told: dict[str, Any] = form.validated_data
    return {**told, "filetype": told["filetype"] if MEDIA_TYPE.match(told["filetype"]) else ""}


def read_fields(pairs: Mapping[str, str], video: Video | None) -> dict[str, Any]:
    """What is said about the film; nothing without a title, which the metadata route will bring."""
    if not pairs.get("title", "").strip():
        return {}
    said = {name: pairs[name] for name in DESCRIBING if name in pairs}
    form = VideoFields(video, data=said)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def chunk_of(request: Request, offset: int) -> IncomingBytes:
    return IncomingBytes(offset, declared_bytes(request._request), reader_of(request), read_checksum(request))


def reader_of(request: Request) -> Callable[[int], bytes]:
    """Reads the body as it comes, and ends when nothing comes any more."""
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALLED_S)

    def read(size: int) -> bytes:
        try:
            return request._request.read(size)
        except OSError:
            return b""

    return read


def drop_rest(request: Request) -> None:
    """Of a chunk for which there is no room: a client that still sends would not hear the answer."""
    read, left = reader_of(request), MOST_DROPPED
    while left > 0 and (block := read(tus.BLOCK_BYTES)):
        left -= len(block)


def is_chunk(request: Request) -> bool:
    return request._request.content_type == CHUNK_TYPE


def progress(upload: DirectUpload, offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Upload-Expires": http_date(upload.expires_at.timestamp())}


# --- routes ----------------------------------------------------------------------------------------------------------

TUS_RESUMABLE = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION])
UPLOAD_CHECKSUM = OpenApiParameter(
    "Upload-Checksum", str, OpenApiParameter.HEADER, description="`sha1` or `sha256`, a space, the checksum in Base64."
)


class Begun(serializers.Serializer[dict[str, Any]]):
    media_id = serializers.UUIDField(help_text="The public id of the video that becomes of it, unless it replaces one.")
    key = serializers.CharField(help_text="The `video_s3_key` of the metadata.")


class TusView(APIView):
    """Says which version it speaks, whatever it answers."""

    authentication_classes = UPLOADERS
    throttle_classes: Sequence[type[BaseThrottle]] = ()  # a file is as many requests as its sender makes of it

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if is_in_bucket():
            sentence = "Files go straight into the bucket here: ask for an upload address."
            raise TusRefused(status.HTTP_409_CONFLICT, sentence, "in_bucket")
        if request.method == "OPTIONS":
            return
        if request.headers.get("Tus-Resumable") != VERSION:
            sentence = f"This server speaks tus {VERSION}; say so in Tus-Resumable."
            headers = {"Tus-Version": VERSION}
            raise TusRefused(status.HTTP_412_PRECONDITION_FAILED, sentence, "tus_version", headers)
        super().initial(request, *args, **kwargs)
        uploader(request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, DiskFull):
            drop_rest(self.request)
        response = super().handle_exception(exc)
        for name, value in getattr(exc, "headers", {}).items():
            response.headers[name] = value
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Tus-Resumable"] = VERSION
        if request.method == "HEAD":
            response.headers["Cache-Control"] = "no-store"
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as DRF has it
        """What this server can do; nobody has to be signed in."""
        abilities = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(settings.MAX_UPLOAD_MB * MEGABYTE),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
        return Response(status=status.HTTP_204_NO_CONTENT, headers=abilities)


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
                description="`filename`; if wanted `filetype`, `title`, `description`, `category`, `visibility`, and "
                "`video_id` of the video whose file it replaces. Without a title the metadata route says what it is.",
            ),
            UPLOAD_CHECKSUM,
        ],
        responses={201: Begun},
        tags=["upload"],
    )
    def post(self, request: Request) -> Response:
        """Begin an upload that can be resumed (tus 1.0); `Location` says where it goes. The body may begin the file."""
        length = read_length(request)
        chunk = chunk_of(request, 0) if is_chunk(request) else None
        pairs = read_pairs(request.headers.get("Upload-Metadata", ""))
        told = read_announced(pairs)
        video = replaced_video(request, told["video_id"])
        fields = read_fields(pairs, video)
        with refused_chunks():
            upload = direct_uploads.announce(
                owner=person_of(request), name=told["filename"], content_type=told["filetype"], size_bytes=length,
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
        """404 for what is not this person's, 410 for what did not come in time."""
        upload = direct_uploads.find(owner=person_of(request), public_id=public_id, declared_bytes__isnull=False)
        if upload.arrived_at is None and upload.expires_at <= timezone.now():
            raise TusRefused(status.HTTP_410_GONE, UploadExpired.sentence, UploadExpired.code)
        return upload

    def head(self, request: Request, public_id: uuid.UUID) -> Response:
        """How much of it has come."""
        upload = self.find(request, public_id)
        with refused_chunks():
            offset = tus.resume(upload=upload)
        name = base64.b64encode(upload.name.encode()).decode()
        told = {"Upload-Length": str(upload.declared_bytes), "Upload-Metadata": f"filename {name}"}
        return Response(headers={**progress(upload, offset), **told})

    @extend_schema(
        request={CHUNK_TYPE: OpenApiTypes.BINARY},
        parameters=[
            TUS_RESUMABLE,
            OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True, description="As HEAD says."),
            UPLOAD_CHECKSUM,
        ],
        responses={204: OpenApiResponse(description="It has come as far as `Upload-Offset` says.")},
        tags=["upload"],
    )
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Go on with an upload (tus 1.0). One request at a time may; what comes of a chunk that breaks off is kept."""
        if not is_chunk(request):
            raise UnsupportedMediaType(request._request.content_type or "")
        chunk = chunk_of(request, read_number(request, "Upload-Offset"))
        upload = self.find(request, public_id)
        with refused_chunks():
            offset = tus.append(upload=upload, chunk=chunk)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=progress(upload, offset))

    @extend_schema(parameters=[TUS_RESUMABLE], responses={204: None}, tags=["upload"])
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        """Give up an upload (tus 1.0); what has come of it is removed."""
        upload = self.find(request, public_id)
        with refused_chunks():
            tus.cancel(upload=upload)
        return Response(status=status.HTTP_204_NO_CONTENT)


routes: list[tuple[str, Any, str]] = [
    ("api/v1/upload/tus", TusUploads.as_view(), "tus-uploads"),
    ("api/v1/upload/tus/<uuid:public_id>", TusUpload.as_view(), "tus-upload"),
]
