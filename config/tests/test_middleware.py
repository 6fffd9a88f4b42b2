from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from config.http.middleware import BodyLimits, RequestId, choose_request_id


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.request_id)  # type: ignore[attr-defined]  # set by the middleware


@pytest.mark.parametrize("offered", ["12345678", "a-b_c.D-0123", "x" * 64, "0190b0a2-7f6e-7c1a-9d52-3f8a0f6f3a11"])
def test_a_well_formed_id_of_the_client_is_kept(offered: str) -> None:
    response = RequestId(echo)(RequestFactory().get("/", HTTP_X_REQUEST_ID=offered))
    assert isinstance(response, HttpResponse)
    assert (response["X-Request-ID"], response.content.decode()) == (offered, offered)


@pytest.mark.parametrize(
    "offered", [None, "", "short", "x" * 65, "1234 5678", "12345678\n", "<script>", "äöüäöüäöü", "٠١٢٣٤٥٦٧"]
)
def test_any_other_id_is_replaced(offered: str | None) -> None:
    chosen = choose_request_id(offered)
    assert chosen != offered
    assert len(chosen) == 32


def test_two_requests_have_two_ids() -> None:
    assert choose_request_id(None) != choose_request_id(None)


@pytest.mark.parametrize("path", ["/api/nothing/", "/nothing/", "/static/nothing.css"])
def test_errors_carry_the_id_too(path: str, db: None) -> None:
    response = Client().get(path, HTTP_X_REQUEST_ID="my-request-1")
    assert (response.status_code, response["X-Request-ID"]) == (404, "my-request-1")


def test_a_refused_host_carries_it_too(db: None) -> None:
    response = Client().get("/", HTTP_HOST="evil.example", HTTP_X_REQUEST_ID="my-request-1")
    assert (response.status_code, response["X-Request-ID"]) == (400, "my-request-1")


def test_a_streamed_answer_stays_a_stream() -> None:
    produced = []

    def blocks() -> Iterator[bytes]:
        for number in range(3):
            produced.append(number)
            yield b"x"

    streaming = StreamingHttpResponse(blocks())
    response = RequestId(lambda request: streaming)(RequestFactory().get("/"))
    assert response is streaming
    assert produced == []
    assert b"".join(streaming) == b"xxx"


@pytest.fixture
def post(settings: Any) -> Callable[..., Any]:
    """Returns a function that sends a body through the limits, on a site whose usual limit is 100 bytes."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    def post(content_type: str, *, size: int = 10, path: str = "/", method: str = "POST") -> Any:
        request = RequestFactory().generic(method, path, b"x" * size, content_type=content_type)
        return BodyLimits(lambda request: HttpResponse("let through"))(request)

    return post


FILES, CHUNK = "multipart/form-data; boundary=x", "application/offset+octet-stream"
# Types of bodies that some parser might accept although they are no uploads.
OTHER_TYPES = [
    "", "application/json", "application/x-www-form-urlencoded", "application/*", "*/*", "multipart/*", "text/plain",
    "multipart/*; boundary=x", "multipart/form-data-x", "multipart/form-data/x", "multipart", "multipart/mixed",
    "APPLICATION/JSON", "Multipart/*; Boundary=x", "video/mp4", "application/octet-stream", "nonsense",
    'a/b; c="multipart/form-data"',
]  # fmt: skip


@pytest.mark.parametrize("content_type", OTHER_TYPES)
@pytest.mark.parametrize("path", ["/", "/users/login/", "/api/v1/videos/", "/api/v1/upload/tus/", "/admin/login/"])
def test_a_body_that_is_no_upload_has_a_limit(content_type: str, path: str, post: Callable[..., Any]) -> None:
    assert post(content_type, size=100, path=path).content == b"let through"
    for method in ("POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "ANY"):
        refused = post(content_type, size=101, path=path, method=method)
        assert refused.status_code == 413
        assert b'"too_large"' in refused.content


UPLOADS = [
    (FILES, "/api/v1/videos/"), (FILES, "/api/v1/videos"), (FILES, "/api/v1/videos/12/"),
    (FILES, "/api/v1/videos/0190b0a2-7f6e-7c1a-9d52-3f8a0f6f3a11"), (FILES, "/api/v1/videos/12/poster/"),
    (FILES, "/api/v1/videos/12/captions/pt-BR"), (FILES, "/admin/content_app/video/add/"),
    ("MULTIPART/Form-Data; Boundary=x", "/admin/content_app/video/12/change/"),
    (CHUNK, "/api/v1/upload/tus/"), (CHUNK, "/api/v1/upload/tus/0190b0a2-7f6e-7c1a-9d52-3f8a0f6f3a11"),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "path"), UPLOADS)
def test_files_may_be_larger_at_routes_that_take_files(content_type: str, path: str, post: Callable[..., Any]) -> None:
    assert post(content_type, size=1000, path=path).content == b"let through"
    swapped = CHUNK if content_type != CHUNK else FILES
    assert post(swapped, size=1000, path=path).status_code == 413


@pytest.mark.parametrize("content_type", [FILES, CHUNK])
@pytest.mark.parametrize(
    "path",
    ["/", "/users/login/", "/api/v1/videosx", "/api/v1/videos/1/retry/x/y", "/admin/login/",
     "/admin/content_app/videox/", "/content/", "/api/v1/upload/videos/metadata/", "/x/api/v1/videos/",
     "//api/v1/videos/"],
)  # fmt: skip
def test_files_have_the_usual_limit_at_other_routes(content_type: str, path: str, post: Callable[..., Any]) -> None:
    assert post(content_type, size=1000, path=path).status_code == 413


@pytest.mark.parametrize("charset", ["zlib", "bz2", "hex", "rot13", "utf-7", "utf-16", "idna", "undefined", "nonsense"])
def test_a_body_in_another_encoding_is_refused(charset: str, post: Callable[..., Any]) -> None:
    refused = post(f"application/json; charset={charset}")
    assert refused.status_code == 415
    assert b'"unsupported_media_type"' in refused.content


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8", "us-ascii"])
def test_utf_8_is_accepted_by_all_its_names(charset: str, post: Callable[..., Any]) -> None:
    assert post(f"application/json; charset={charset}").content == b"let through"


@pytest.mark.parametrize("length", ["", "-1", "many", "1e9", "²"])
def test_a_malformed_length_counts_as_zero(length: str) -> None:
    request = RequestFactory().post("/", "{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = length
    assert BodyLimits(lambda request: HttpResponse("let through"))(request).status_code == 200


def test_a_body_without_a_length_is_a_411() -> None:
    request = RequestFactory().post("/", "{}", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked")
    del request.META["CONTENT_LENGTH"]
    refused = BodyLimits(lambda request: HttpResponse("let through"))(request)
    assert refused.status_code == 411
    assert b'"length_required"' in getattr(refused, "content", b"")
