"""Serves signed media by byte range, before Django: no database query, and one open file or block of memory a request.

It serves `/media/<grant>/videos/<public_id>/<version>/<file>` with the grant of a version,
`/media/file/<grant>/videos/…` with the grant of that one file, and nothing else: never originals, unfinished uploads or
work files. Where media lie in buckets, it answers playlists whose addresses lead to the bucket, signed, and redirects
all other requests there. Behind Nginx, which serves the files itself, only `respond_to_nginx` is used.
"""

import errno
import gzip
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path, PurePath
from typing import Any, BinaryIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

from config.http.byte_ranges import ByteRange, Unsatisfiable, Validators, may_continue, parse_range, precondition
from config.http.middleware import choose_request_id
from content_app.services.playback import delivery
from content_app.services.playback.grants import GrantRefused, verify, verify_file
from content_app.services.storage.stores import bucket_store
from media_pipeline.errors import SourceMissing, StorageUnavailable
from media_pipeline.layout import CONTENT_TYPES, LISTS

# Nginx asks here for each grant once a minute (nginx/snippets/media-local.conf).
GRANT_URL = "/media-grant/"
BLOCK_BYTES = 256 * 1024
METHODS = ("GET", "HEAD", "OPTIONS")
# Any other address is refused before the server looks for a file. These admit no name that starts with a dot, no
# escapes, no second folder and no control characters.
GRANT = r"(?P<grant>[0-9a-z]{1,13}\.[A-Za-z0-9_-]{43})"
PREFIX = r"(?P<prefix>videos/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/[A-Za-z0-9_-]{1,32})"
NAME = r"(?P<name>(?:[A-Za-z0-9_-]{1,32}/)?[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,16}){1,3})"
ADDRESS = re.compile(f"(?P<of_file>file/)?{GRANT}/{PREFIX}/{NAME}?")  # Nginx asks about a version without a name
NO_QUALITY = re.compile(r";q=0(\.0*)?$")
NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "range, if-range, if-none-match, if-modified-since, x-request-id",
    "Access-Control-Max-Age": "86400",
}
EXPOSED = "Accept-Ranges, Content-Length, Content-Range, ETag, X-Request-ID"


class MediaRefused(Exception):
    def __init__(self, status: HTTPStatus, detail: str, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code, self.headers = status, detail, code, headers or {}


@dataclass
class Answer:
    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()


class MediaServer:
    """WSGI: answers requests for signed media, and hands all others to `application`."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(GRANT_URL):
            answer = respond_to_nginx(path.removeprefix(GRANT_URL))
        elif path.startswith(settings.MEDIA_URL) and not path.startswith(f"{settings.MEDIA_URL}posters/"):
            answer = respond(path.removeprefix(settings.MEDIA_URL), environ)
        else:
            return self.application(environ, start_response)
        headers = {**answer.headers, **common_headers(environ)}
        start_response(f"{answer.status.value} {answer.status.phrase}", list(headers.items()))
        return answer.body


def respond_to_nginx(address: str) -> Answer:
    """204 with the seconds that a grant is still good for, or 403.

    Nginx asks for what the grant covers, `<grant>/<prefix>/` or `file/<grant>/<key>`, and remembers the answer for it.
    """
    match = ADDRESS.fullmatch(address)
    try:
        if match is None or bool(match["of_file"]) != bool(match["name"]):
            raise not_signed()
        end_s = authorised_end(match)
    except MediaRefused as refusal:
        return refusal_answer(refusal, has_body=True)
    return Answer(HTTPStatus.NO_CONTENT, {"X-Grant-Seconds": str(max(end_s - int(time.time()), 0))})


def respond(address: str, environ: WSGIEnvironment) -> Answer:
    method = environ["REQUEST_METHOD"]
    try:
        if method == "OPTIONS":
            return Answer(HTTPStatus.NO_CONTENT, dict(PREFLIGHT))
        if method not in METHODS:
            allowed = {"Allow": ", ".join(METHODS)}
            raise MediaRefused(HTTPStatus.METHOD_NOT_ALLOWED, "Media can only be read.", "method_not_allowed", allowed)
        key, end_s = authorised_key(address)
        lifetime_s = end_s - int(time.time())
        if bucket_store():
            return redirect_to_bucket(key, environ, lifetime_s=lifetime_s)
        return send_file(published_file(key), environ, max_age_s=lifetime_s)
    except MediaRefused as refusal:
        return refusal_answer(refusal, has_body=method != "HEAD")


def authorised_key(address: str) -> tuple[str, int]:
    """The key that a signed address names, and when its grant ends; raises MediaRefused."""
    match = ADDRESS.fullmatch(address)
    if match is None or not match["name"]:
        raise not_signed()
    end_s = authorised_end(match)
    key = f"{match['prefix']}/{match['name']}"
    if PurePath(key).suffix not in CONTENT_TYPES:
        raise not_found()
    return key, end_s


def authorised_end(match: re.Match[str]) -> int:
    """When the grant of an address ends; raises MediaRefused when it does not cover that address."""
    try:
        if match["of_file"]:
            return verify_file(match["grant"], f"{match['prefix']}/{match['name']}")
        return verify(match["grant"], match["prefix"])
    except GrantRefused as refusal:
        raise MediaRefused(HTTPStatus.FORBIDDEN, refusal.sentence, refusal.code) from refusal


def redirect_to_bucket(key: str, environ: WSGIEnvironment, *, lifetime_s: int) -> Answer:
    """A redirect to the signed address of a file, or a playlist whose addresses are signed."""
    headers = {"Cache-Control": "private, no-store"}  # the signed addresses end
    try:
        if not key.endswith(LISTS):
            return Answer(HTTPStatus.FOUND, {"Location": delivery.bucket_url(key, lifetime_s), **headers})
        read_list = delivery.bucket_playlist if key.endswith(".m3u8") else delivery.bucket_manifest
        body = read_list(key, lifetime_s).encode()
    except SourceMissing as error:
        raise not_found() from error
    except StorageUnavailable as error:
        raise unavailable() from error
    if takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        # The playlist of a long film repeats one long address thousands of times.
        body = gzip.compress(body, compresslevel=4, mtime=0)
        headers["Content-Encoding"] = "gzip"
    headers |= {"Content-Type": CONTENT_TYPES[PurePath(key).suffix], "Content-Length": str(len(body))}
    return Answer(HTTPStatus.OK, headers, [body] if environ["REQUEST_METHOD"] != "HEAD" else ())


def takes_gzip(accepted: str) -> bool:
    """True for `gzip` or `*`, unless q=0 refuses it."""
    words = [word.replace(" ", "").lower() for word in accepted.split(",")]
    return any(word.split(";")[0] in ("gzip", "*") and not NO_QUALITY.search(word) for word in words)


def published_file(key: str) -> Path:
    """The file of this key. A link that leads out of the folder of published videos counts as no file."""
    folder = os.path.realpath(Path(settings.MEDIA_ROOT, "videos"))
    try:
        path = Path(os.path.realpath(Path(settings.MEDIA_ROOT, key), strict=True))
    except OSError as error:
        raise unreadable(error) from error
    if not path.is_relative_to(folder) or not path.is_file():
        raise not_found()
    return path


def send_file(path: Path, environ: WSGIEnvironment, *, max_age_s: int) -> Answer:
    stat = path.stat()
    validators = Validators(etag=f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"', modified_s=int(stat.st_mtime))
    headers = {
        "ETag": validators.etag,
        "Last-Modified": validators.last_modified,
        "Cache-Control": f"private, max-age={max(max_age_s, 0)}, immutable",
        "Accept-Ranges": "bytes",
    }
    condition = precondition(request_headers(environ), validators)
    if condition == HTTPStatus.NOT_MODIFIED:
        return Answer(condition, headers)
    if condition is not None:
        raise MediaRefused(condition, "The file is not in the state that was asked for.", "precondition_failed")
    part = requested_range(environ, validators, size=stat.st_size)
    headers["Content-Type"] = CONTENT_TYPES[path.suffix]
    if part is None:
        headers["Content-Length"] = str(stat.st_size)
        return Answer(HTTPStatus.OK, headers, body_of(path, ByteRange(0, stat.st_size - 1), environ))
    headers["Content-Length"] = str(part.length)
    headers["Content-Range"] = f"bytes {part.first}-{part.last}/{stat.st_size}"
    return Answer(HTTPStatus.PARTIAL_CONTENT, headers, body_of(path, part, environ))


def requested_range(environ: WSGIEnvironment, validators: Validators, *, size: int) -> ByteRange | None:
    """The range to send, or None for the whole file: only GET has ranges, and an If-Range that fails drops them.

    Raises MediaRefused (416).
    """
    if environ["REQUEST_METHOD"] != "GET" or not may_continue(environ.get("HTTP_IF_RANGE"), validators):
        return None
    try:
        return parse_range(environ.get("HTTP_RANGE"), size=size)
    except Unsatisfiable as error:
        where = {"Content-Range": f"bytes */{size}"}
        sentence = f"The file has {size} bytes; the range lies behind its end."
        raise MediaRefused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sentence, "bad_range", where) from error


class FilePart:
    """A part of an open file. gunicorn's sendfile only uses its descriptor, its position and the Content-Length."""

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        self.file = file
        self.end = part.last + 1
        self.seek(part.first)

    def seek(self, position: int) -> None:
        # socket.sendfile calls this too: before it falls back on reading, and after it has sent the part.
        self.remaining = self.end - self.file.seek(position)

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        data = self.file.read(min(size, self.remaining))
        self.remaining -= len(data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def fileno(self) -> int:
        return self.file.fileno()

    def close(self) -> None:
        self.file.close()


def body_of(path: Path, part: ByteRange, environ: WSGIEnvironment) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "HEAD" or part.length == 0:
        return ()
    try:
        file_part = FilePart(path.open("rb", buffering=0), part)
    except OSError as error:
        raise unreadable(error) from error
    wrapper: Any = environ.get("wsgi.file_wrapper")
    wrapped: Iterable[bytes] = wrapper(file_part, BLOCK_BYTES) if wrapper else file_part
    return wrapped


def request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    return {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}


def common_headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Request-ID": choose_request_id(environ.get("HTTP_X_REQUEST_ID")),
        "Vary": "Origin, Accept-Encoding" if settings.S3_CONNECTION else "Origin",
    }
    origin = environ.get("HTTP_ORIGIN")
    if origin in settings.CORS_ALLOWED_ORIGINS:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}
        if settings.CORS_ALLOW_CREDENTIALS:
            headers["Access-Control-Allow-Credentials"] = "true"
    return headers


def refusal_answer(refusal: MediaRefused, *, has_body: bool) -> Answer:
    body = json.dumps({"detail": refusal.detail, "code": refusal.code}).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **refusal.headers,
    }
    return Answer(refusal.status, headers, [body] if has_body else ())


def unreadable(error: OSError) -> MediaRefused:
    if error.errno in NOT_THERE:
        return not_found()
    return unavailable()


def not_signed() -> MediaRefused:
    return MediaRefused(HTTPStatus.FORBIDDEN, "Media are only served at signed addresses.", "bad_grant")


def unavailable() -> MediaRefused:
    return MediaRefused(
        HTTPStatus.SERVICE_UNAVAILABLE, "The storage cannot be read at the moment.", "storage_unavailable"
    )


def not_found() -> MediaRefused:
    return MediaRefused(HTTPStatus.NOT_FOUND, "There is no such file in this version of the video.", "not_found")
