"""Limits of uploads by forms: refused early by their declared length, and dropped when they are cut off.

No more bytes than declared are read, because Django reads the body through a limited stream.
"""

import errno
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from rest_framework import status
from rest_framework.exceptions import APIException

from content_app.input_rules import MEGABYTE, too_large_sentence
from content_app.preferred_types import prefers_json
from content_app.services.storage import disk_space
from content_app.services.uploads.direct_uploads import too_many_sentence
from content_app.shared_connections import lend_connection
from content_app.upload_routes import ADMIN_SITE, CHUNKS, FILMS_OF_STAFF, FORMS
from media_pipeline.errors import StorageUnavailable

# The allowance for the other fields of a form. The size of the file itself is checked exactly once it has arrived.
OTHER_FIELDS_BYTES = MEGABYTE
FORM_TYPE = "multipart/form-data"
CHUNK_TYPE = "application/offset+octet-stream"
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_ROOM = "There is no room left for this upload. Try again later."
MOST_FORMS = 10  # with files, that one person sends at once


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = NO_ROOM
    default_code = "insufficient_storage"


def not_written(error: OSError) -> DiskFull | StorageUnavailable:
    """Returns the error that a client gets when its file cannot be written: 507 for a full disk, else 503."""
    return DiskFull() if error.errno in DISK_FULL else StorageUnavailable(detail=str(error))


class TooManyForms(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = too_many_sentence(MOST_FORMS)
    default_code = "too_many_uploads"


class UploadLimit:
    """Middleware: a form whose declared length is too large gets 413 before a byte of it is read.

    Large forms are only for the upload routes, whose views authenticate the user before they read the body, and for
    signed-in staff in the admin site: Django's CSRF check would store a stranger's file to look for the token in it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Every multipart type: another parser may accept one that Django itself does not.
        if not (request.content_type or "").startswith("multipart/"):
            return self.get_response(request)
        is_film_of_staff = FILMS_OF_STAFF.fullmatch(request.path)
        if is_film_of_staff and not admin.site.has_permission(request):
            # The body is not read: a client that sends it drop by drop would hold a thread for as long as it likes.
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if (size := declared_bytes(request)) > OTHER_FIELDS_BYTES and size > max_body_bytes(request):
            return too_large(request)
        if is_film_of_staff and prefers_json(request, by_default=True) and not has_room(request):
            # The page's script keeps the typed fields. For a browser without scripts, TemporaryFiles skips the file.
            return JsonResponse({"detail": NO_ROOM, "code": DiskFull.default_code}, status=DiskFull.status_code)
        return self.get_response(request)


def max_body_bytes(request: HttpRequest) -> int:
    """Returns how large a form may be: on the routes of uploads it may include a file, elsewhere only other fields."""
    may_include_file = is_upload(request)
    if may_include_file and FILMS_OF_STAFF.fullmatch(request.path):
        rights = ("content_app.add_video", "content_app.change_video")
        may_include_file = admin.site.has_permission(request) and any(map(request.user.has_perm, rights))
    return OTHER_FIELDS_BYTES + (settings.MAX_UPLOAD_MB * MEGABYTE if may_include_file else 0)


def is_upload(request: HttpRequest) -> bool:
    """Whether this route takes a large body of this media type; all other bodies are small, and read into memory."""
    if request.content_type == FORM_TYPE:
        return bool(FORMS.fullmatch(request.path) or FILMS_OF_STAFF.fullmatch(request.path))
    return request.content_type == CHUNK_TYPE and bool(CHUNKS.fullmatch(request.path))


def declared_bytes(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def has_room(request: HttpRequest) -> bool:
    """Whether the file of a form fits on the disk; a form without a file needs no room."""
    size = declared_bytes(request)
    if size <= OTHER_FIELDS_BYTES:
        return True
    try:
        return size <= disk_space.left_bytes(settings.MEDIA_ROOT) - disk_space.promised_bytes()
    except OSError:  # the folder is gone: TemporaryFiles skips the file and says why
        return True


def too_large(request: HttpRequest) -> HttpResponse:
    sentence = too_large_sentence(settings.MAX_UPLOAD_MB)
    if not prefers_json(request, by_default=True):
        return HttpResponse(sentence, content_type="text/plain", status=413)  # the admin's form, in a browser
    return JsonResponse({"detail": sentence, "code": "too_large"}, status=413)


class PersonalFile(TemporaryUploadedFile):
    """A file that is being uploaded, in a temporary file whose name begins with the id of its sender."""

    def __init__(self, sender: str, name: str, content_type: str, charset: str | None, extra: Any) -> None:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the view that stores the upload, or drop(), closes it
            prefix=sender, suffix=".upload", dir=disk_space.incoming_folder()
        )
        disk_space.hold(file)
        UploadedFile.__init__(self, file, name, content_type, 0, charset, extra)


class TemporaryFiles(TemporaryFileUploadHandler):
    """Stores the files of forms on the disk of the media, if there is room for the whole body.

    The file is given the length of the body at once (sparse: the disk holds only what has arrived), so that other
    uploads can count the bytes that are still to come.

    When a file cannot be stored, API clients get DiskFull, TooManyForms or StorageUnavailable at once. For a form of
    the admin site the body is read to its end without the file, so that the typed fields are kept, and `upload_problem`
    says why the file is missing.
    """

    file: PersonalFile

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        request = cast(HttpRequest, self.request)
        FileUploadHandler.new_file(self, *args, **kwargs)
        sender = f"{request.user.pk}-"
        with self.skipped_by_the_admin_site(), disk_space.asked_for(size := declared_bytes(request)):
            if request.user.pk and len(disk_space.coming_by_forms(sender)) >= MOST_FORMS:
                raise TooManyForms
            self.file = PersonalFile(
                sender, self.file_name or "", self.content_type or "", self.charset, self.content_type_extra
            )
            self.file.truncate(size)
        lend_connection()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        with self.skipped_by_the_admin_site():
            disk_space.require_free(settings.MEDIA_ROOT, len(raw_data))
            super().receive_data_chunk(raw_data, start)
        return None

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        self.file.truncate(file_size)
        return super().file_complete(file_size)

    @contextmanager
    def skipped_by_the_admin_site(self) -> Iterator[None]:
        """Skips the file in the admin site when the block refuses it; for API clients the error stays an error."""
        try:
            yield
        except (OSError, TooManyForms) as error:
            refusal = not_written(error) if isinstance(error, OSError) else error
            request = cast(HttpRequest, self.request)
            if not request.path.startswith(ADMIN_SITE):
                raise refusal from error
            sentence = refusal.sentence if isinstance(refusal, StorageUnavailable) else str(refusal)
            request.upload_problem = sentence  # type: ignore[attr-defined]  # an attribute of this project
            raise SkipFile from error


class WholeBody:
    """Raises StopUpload when the body ends before its closing boundary: Django would take the file for complete."""

    def __init__(self, body: IO[bytes], boundary: bytes) -> None:
        self.body = body
        self.closing = b"--" + boundary + b"--"
        self.tail = b""
        self.is_closed = False

    def read(self, size: int = -1) -> bytes:
        try:
            data = self.body.read(size)
        except OSError:
            data = b""  # the client has closed the connection
        if not self.is_closed:
            seen = self.tail + data  # the boundary may begin in one block and end in the next
            self.is_closed = self.closing in seen
            self.tail = seen[-len(self.closing) :]
        if not data and not self.is_closed:
            raise StopUpload(connection_reset=True)
        return data


class WholeUploadsOnly(FileUploadHandler):
    """The first of FILE_UPLOAD_HANDLERS. The others store the files; this one drops all if the body is cut off."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, Any]]:
        lend_connection()
        handlers = [handler for handler in cast(HttpRequest, self.request).upload_handlers if handler is not self]
        body = WholeBody(input_data, boundary)
        files: MultiValueDict[str, Any] = MultiValueDict()
        is_whole = False
        try:
            post, files = MultiPartParser(META, cast(Any, body), handlers, encoding).parse()
            is_whole = body.is_closed
        except OSError as error:
            raise not_written(error) from error
        finally:
            if not is_whole:
                drop(handlers, files)
        if not is_whole:
            raise MultiPartParserError("the upload was cut off.")
        return post, files

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def drop(handlers: Iterable[FileUploadHandler], files: MultiValueDict[str, Any]) -> None:
    """Removes all files of a form; closing a temporary file removes it."""
    # A file that was cut off is not among `files`; only its handler knows it.
    unfinished = (getattr(handler, "file", None) for handler in handlers)
    finished = (file for _, several in files.lists() for file in several)
    for file in (*unfinished, *finished):
        if file is not None:
            file.close()
