"""Signed media over WSGI: what is sent, what is refused, and that no other file can be reached."""

import errno
import re
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from config.env import BASE_DIR
from config.http.media_server import BLOCK_BYTES, MediaServer
from content_app.services.playback import grants
from media_pipeline.layout import CONTENT_TYPES

PREFIX = "videos/5f6c3f1e-0000-4000-8000-000000000001/v1"
FILM = bytes(range(256)) * 4


@dataclass
class Reply:
    status: str
    headers: dict[str, str]
    body: bytes


Get = Callable[..., Reply]


@pytest.fixture
def media(settings: Any) -> Path:
    """The media folder with one published version in it."""
    root = Path(settings.MEDIA_ROOT)
    for folder in (PREFIX, "originals/x", "incoming"):
        (root / folder).mkdir(parents=True)
    (root / PREFIX / "720p.mp4").write_bytes(FILM)
    (root / PREFIX / "master.m3u8").write_text("#EXTM3U\n")
    (root / PREFIX / "manifest.mpd").write_text("<MPD/>")
    (root / PREFIX / "init.m4s").write_bytes(b"init")
    (root / PREFIX / "empty.vtt").touch()
    (root / "originals/x/secret.mp4").write_bytes(b"secret")
    return root


def django_was_asked(environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"django"]


def ignore_start(*_: Any) -> Any:
    """A start_response for tests that read the body only."""


def call(path: str, method: str = "GET", *, wrapper: bool = False, **headers: str) -> Reply:
    environ: WSGIEnvironment = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    if wrapper:
        environ["wsgi.file_wrapper"] = FileWrapper
    seen: list[Any] = []

    def start_response(status: str, sent: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        seen.extend((status, sent))

    body: Any = validator(MediaServer(django_was_asked))(environ, start_response)
    content = b"".join(body)
    body.close()
    return Reply(seen[0], dict(seen[1]), content)


@pytest.fixture
def get(media: Path) -> Get:
    """Returns a function that requests a file with a valid grant."""

    def ask(name: str = "720p.mp4", method: str = "GET", **options: Any) -> Reply:
        return call(f"/media/{grants.sign(PREFIX)}/{PREFIX}/{name}", method, **options)

    return ask


# --- what is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", [False, True], ids=["by blocks", "by file wrapper"])
def test_a_whole_file_is_sent(get: Get, wrapper: bool) -> None:
    reply = get(wrapper=wrapper)
    assert (reply.status, reply.body) == ("200 OK", FILM)
    assert reply.headers["Content-Length"] == str(len(FILM))
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Range" not in reply.headers


@pytest.mark.parametrize("wrapper", [False, True], ids=["by blocks", "by file wrapper"])
@pytest.mark.parametrize(
    ("header", "first", "last"), [("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=-24", 1000, 1023)]
)
def test_a_range_is_sent_to_the_byte(get: Get, wrapper: bool, header: str, first: int, last: int) -> None:
    reply = get(range=header, wrapper=wrapper)
    assert (reply.status, reply.body) == ("206 Partial Content", FILM[first : last + 1])
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/1024"
    assert reply.headers["Content-Length"] == str(last - first + 1)


def test_a_range_behind_the_end_is_416_with_the_size(get: Get) -> None:
    reply = get(range="bytes=1024-")
    assert reply.status.startswith("416")
    assert reply.headers["Content-Range"] == "bytes */1024"
    assert b"bad_range" in reply.body


def test_several_ranges_get_the_whole_file(get: Get) -> None:
    assert get(range="bytes=0-1,5-6").status == "200 OK"


def test_a_head_request_gets_the_headers_of_the_whole_and_no_body(get: Get) -> None:
    reply = get(method="HEAD", range="bytes=0-1")
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == ("200 OK", b"", "1024")


def test_an_empty_file_is_sent_empty(get: Get) -> None:
    reply = get("empty.vtt", wrapper=True)
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == ("200 OK", b"", "0")


@pytest.mark.parametrize(
    ("name", "content_type"), [("manifest.mpd", "application/dash+xml"), ("init.m4s", "video/iso.segment")]
)
def test_the_files_of_dash_have_their_types(get: Get, name: str, content_type: str) -> None:
    reply = get(name)
    assert (reply.status, reply.headers["Content-Type"]) == ("200 OK", content_type)


def test_nginx_knows_the_same_types() -> None:
    (block,) = re.findall(r"types \{([^}]*)\}", (BASE_DIR / "nginx/snippets/signed.conf").read_text())
    lines = [line.split() for line in block.split(";") if line.strip()]
    assert {f".{ending}": kind for kind, *endings in lines for ending in endings} == CONTENT_TYPES


def test_an_unchanged_file_is_not_sent_again(get: Get) -> None:
    etag = get().headers["ETag"]
    reply = get(if_none_match=etag, range="bytes=0-1")
    assert (reply.status, reply.body) == ("304 Not Modified", b"")
    assert reply.headers["ETag"] == etag
    assert get(if_match='"another"').status == "412 Precondition Failed"


def test_a_changed_file_is_sent_whole_to_a_client_that_continues_the_old_one(get: Get) -> None:
    headers = get().headers
    assert get(range="bytes=5-", if_range=headers["ETag"]).status.startswith("206")
    assert get(range="bytes=5-", if_range=headers["Last-Modified"]).status.startswith("206")
    assert get(range="bytes=5-", if_range='"older"').body == FILM


def test_media_may_be_kept_by_the_browser_while_the_grant_lasts(get: Get, settings: Any) -> None:
    settings.MEDIA_GRANT_MINUTES = 60
    private, max_age, immutable = get().headers["Cache-Control"].split(", ")
    assert (private, immutable) == ("private", "immutable")
    assert 3000 <= int(max_age.removeprefix("max-age=")) <= 3600


def test_memory_stays_constant(media: Path, get: Get) -> None:
    with (media / PREFIX / "1080p.mp4").open("wb") as file:
        file.truncate(64 * BLOCK_BYTES)
    environ: WSGIEnvironment = {"PATH_INFO": f"/media/{grants.sign(PREFIX)}/{PREFIX}/1080p.mp4"}
    setup_testing_defaults(environ)
    environ["HTTP_RANGE"] = "bytes=1-"
    tracemalloc.start()
    body: Any = MediaServer(django_was_asked)(environ, ignore_start)
    sent = sum(len(block) for block in body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    body.close()
    assert sent == 64 * BLOCK_BYTES - 1
    assert peak < 4 * BLOCK_BYTES


def test_the_file_is_closed_when_the_player_goes_away(get: Get, media: Path) -> None:
    environ: WSGIEnvironment = {"PATH_INFO": f"/media/{grants.sign(PREFIX)}/{PREFIX}/720p.mp4"}
    setup_testing_defaults(environ)
    body: Any = MediaServer(django_was_asked)(environ, ignore_start)
    next(iter(body))
    body.close()
    assert body.file.closed


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(reply: Reply, status: int, code: str) -> bool:
    return reply.status.startswith(str(status)) and f'"{code}"'.encode() in reply.body


@pytest.mark.parametrize("grant", ["", "x", "abc.def", "1." + "A" * 43, "zzzzzz." + "A" * 43])
def test_nothing_is_sent_without_a_grant(media: Path, grant: str) -> None:
    assert refused(call(f"/media/{grant}/{PREFIX}/720p.mp4"), 403, "bad_grant")
    assert refused(call(f"/media/{PREFIX}/720p.mp4"), 403, "bad_grant")


def test_a_grant_opens_no_other_version_or_video(media: Path) -> None:
    grant = grants.sign(PREFIX)
    for other in (PREFIX.replace("v1", "v2"), PREFIX.replace("0001", "0002")):
        assert refused(call(f"/media/{grant}/{other}/720p.mp4"), 403, "bad_grant")


def test_a_grant_of_a_file_opens_that_file_alone(media: Path) -> None:
    (media / PREFIX / "poster.jpg").write_bytes(b"a picture")
    grant = grants.sign_file(f"{PREFIX}/poster.jpg")
    assert call(f"/media/file/{grant}/{PREFIX}/poster.jpg").body == b"a picture"
    for name in ("720p.mp4", "master.m3u8", "poster.jpg.mp4", "v1/poster.jpg", "../v1/720p.mp4", ""):
        assert refused(call(f"/media/file/{grant}/{PREFIX}/{name}"), 403, "bad_grant")
    assert refused(call(f"/media/{grant}/{PREFIX}/poster.jpg"), 403, "bad_grant")
    assert refused(call(f"/media/file/{grants.sign(PREFIX)}/{PREFIX}/720p.mp4"), 403, "bad_grant")


def test_an_expired_grant_says_so(media: Path, settings: Any) -> None:
    settings.MEDIA_GRANT_MINUTES = -10
    grant = grants.sign(PREFIX)
    assert refused(call(f"/media/{grant}/{PREFIX}/720p.mp4"), 403, "grant_expired")


@pytest.mark.parametrize("name", ["1080p.mp4", "nothing/720p.mp4", "720p.exe"])
def test_a_missing_file_is_404_with_a_grant_and_403_without(get: Get, name: str) -> None:
    assert refused(get(name), 404, "not_found")
    assert refused(call(f"/media/{'1.' + 'A' * 43}/{PREFIX}/{name}"), 403, "bad_grant")


@pytest.mark.parametrize(
    "tail",
    [
        "../v1/720p.mp4",
        "..",
        ".",
        "",
        "./720p.mp4",
        "/720p.mp4",
        "..\\720p.mp4",
        "720p.mp4\x00",
        "720p.mp4\n",
        "%2e%2e",
        "%2e%2e/720p.mp4",
        "720p.mp4/",
        "720p.mp4/..",
        ".hidden.mp4",
        "a/b/c.mp4",
        "720p.mp4?x",
        "７20p.mp4",
        "v" * 9000,
    ],
)
def test_path_tricks_are_refused(get: Get, tail: str) -> None:
    assert refused(get(tail), 403, "bad_grant")


@pytest.mark.parametrize("path", ["originals/x/secret.mp4", "incoming/", "work/x", "", "../etc/passwd", "videos"])
def test_only_published_versions_can_be_signed_for(media: Path, path: str) -> None:
    prefix = path.rpartition("/")[0]
    assert refused(call(f"/media/{grants.sign(prefix)}/{path}"), 403, "bad_grant")
    assert refused(call(f"/media/{path}"), 403, "bad_grant")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../originals/x/secret.mp4"])
def test_symbolic_links_are_not_followed(get: Get, media: Path, target: str) -> None:
    (media / PREFIX / "link.mp4").symlink_to(target)
    (media / PREFIX / "loop.mp4").symlink_to("loop.mp4")
    assert refused(get("link.mp4"), 404, "not_found")
    assert refused(get("loop.mp4"), 404, "not_found")


def test_a_folder_is_no_file(get: Get, media: Path) -> None:
    (media / PREFIX / "folder.mp4").mkdir()
    assert refused(get("folder.mp4"), 404, "not_found")


def test_a_disk_error_is_a_503(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    assert refused(get(), 503, "storage_unavailable")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_media_can_only_be_read(get: Get, method: str) -> None:
    reply = get(method=method)
    assert refused(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"


# --- browsers and neighbours -----------------------------------------------------------------------------------------


def test_front_ends_of_other_origins_may_read_media_and_refusals(get: Get, settings: Any) -> None:
    origin = settings.CORS_ALLOWED_ORIGINS[0]
    for reply in (get(origin=origin), get(method="OPTIONS", origin=origin), call("/media/x", origin=origin)):
        assert reply.headers["Access-Control-Allow-Origin"] == origin
        assert reply.headers["Access-Control-Allow-Credentials"] == "true"
        assert reply.headers["Vary"] == "Origin"
    preflight = get(method="OPTIONS", origin=origin)
    assert preflight.status == "204 No Content"
    assert "range" in preflight.headers["Access-Control-Allow-Headers"]


def test_pages_of_unknown_origins_may_not_read_media(get: Get) -> None:
    assert "Access-Control-Allow-Origin" not in get(origin="https://evil.example").headers


def test_every_answer_has_a_request_id(get: Get) -> None:
    assert get(x_request_id="abc-12345678").headers["X-Request-ID"] == "abc-12345678"
    assert len(call("/media/x", x_request_id="<script>").headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/", "/content/", "/media", f"/media/posters/{PREFIX}.jpg", "/static/media/x"])
def test_other_paths_are_passed_to_django(path: str) -> None:
    assert call(path).body == b"django"


# --- what Nginx asks -------------------------------------------------------------------------------------------------


def test_nginx_learns_whether_a_grant_is_valid_and_for_how_long() -> None:
    good = call(f"/media-grant/{grants.sign(PREFIX)}/{PREFIX}/")
    assert (good.status, good.body) == ("204 No Content", b"")
    assert 0 < int(good.headers["X-Grant-Seconds"]) <= grants.lifetime_s()


def test_nginx_learns_that_a_grant_of_a_file_is_valid_for_that_file_only() -> None:
    key = f"{PREFIX}/poster.jpg"
    grant = grants.sign_file(key)
    assert call(f"/media-grant/file/{grant}/{key}").status == "204 No Content"
    # The grant is valid neither for other files nor for the folder, nor as a grant of a version.
    for other in (f"file/{grant}/{PREFIX}/720p.mp4", f"file/{grant}/{PREFIX}/", f"{grant}/{PREFIX}/", f"{grant}/{key}"):
        assert call(f"/media-grant/{other}").status == "403 Forbidden"
    assert call(f"/media-grant/file/{grants.sign(PREFIX)}/{PREFIX}/").status == "403 Forbidden"


@pytest.mark.parametrize("address", ["", "x", "1.{}/{}/", "../{}", "{}"])
def test_nginx_learns_that_any_other_grant_is_bad(address: str) -> None:
    refused = call("/media-grant/" + address.format("A" * 43, PREFIX))
    assert refused.status == "403 Forbidden"
    assert b'"bad_grant"' in refused.body
