import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.template import TemplateDoesNotExist
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.http import errors

RAISED: dict[str, Exception] = {
    "http404": Http404("secret model name"),
    "denied": PermissionDenied("secret"),
    "suspicious": SuspiciousOperation("secret"),
    "database": OperationalError("secret host"),
    "connection": InterfaceError("secret host"),
    "cut-off": UnreadablePostError("secret"),
    "bug": ZeroDivisionError("secret"),
    "throttled": exceptions.Throttled(wait=7),
    "fields": serializers.ValidationError({"title": ["Too long.", "Too dull."], "tags": {"0": ["No."]}}),
    "sentence": serializers.ValidationError("This is not a film.", "not_a_video"),
}


class Raises(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]

    def post(self, request: Request, name: str) -> Response:
        return Response(request.data)


def page(request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name]


urlpatterns = [path("api/<name>/", Raises.as_view()), path("page/<name>/", page)]
handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error


@pytest.fixture
def visitor(settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("http404", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("suspicious", 400, "bad_request"),
        ("database", 503, "database_unavailable"),
        ("connection", 503, "database_unavailable"),
        ("cut-off", 400, "incomplete_body"),
        ("bug", 500, "server_error"),
        ("throttled", 429, "throttled"),
    ],
)
def test_every_error_of_the_api_is_a_sentence_and_a_code(name: str, status: int, code: str, visitor: Client) -> None:
    response = visitor.get(f"/api/{name}/")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert set(response.json()) == {"detail", "code"}
    assert response.json()["detail"].endswith((".", "seconds."))
    assert "secret" not in response.content.decode()


def test_an_unknown_address_is_a_404_in_json(visitor: Client) -> None:
    assert visitor.get("/api/v1/nothing/here").json()["code"] == "not_found"


def test_messages_of_fields_are_kept_beside_the_code(visitor: Client) -> None:
    assert visitor.get("/api/fields/").json() == {
        "title": ["Too long.", "Too dull."],
        "tags": {"0": ["No."]},
        "code": "invalid",
    }


def test_a_validation_error_of_one_sentence_keeps_its_own_code(visitor: Client) -> None:
    response = visitor.get("/api/sentence/")
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "This is not a film.", "code": "not_a_video"},
    )


@pytest.mark.parametrize("place", ["api", "page"])
def test_a_database_that_is_away_is_a_503_with_retry_after(place: str, visitor: Client) -> None:
    response = visitor.get(f"/{place}/database/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("body", ["{", "nonsense", "", "[" * 100_000, '{"a": NaN}', "\x00"])
def test_malformed_json_is_a_parse_error(body: str, visitor: Client) -> None:
    response = visitor.post("/api/any/", body or "{", content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize(("method", "status"), [("put", 405), ("patch", 405), ("delete", 405)])
def test_a_method_that_a_route_lacks_has_a_code(method: str, status: int, visitor: Client) -> None:
    response = getattr(visitor, method)("/api/any/")
    assert (response.status_code, response.json()["code"]) == (status, "method_not_allowed")


@pytest.mark.parametrize(
    ("path_", "accept", "is_json"),
    [
        ("/api/v1/videos/", "text/html", True),
        ("/users/login/", "text/html", True),
        ("/content/", "text/html", True),
        ("/health", "text/html", True),
        ("/watch/1/", "text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("/watch/1/", "*/*", False),
        ("/watch/1/", "", False),
        ("/watch/1/", "image/png", False),
        ("/watch/1/", "application/json, text/plain, */*", True),
        ("/watch/1/", "text/html;q=0.5, application/json", True),
        ("/watch/1/", ";;,,/", False),
    ],
)
def test_api_paths_and_clients_that_accept_json_first_get_json(path_: str, accept: str, is_json: bool) -> None:
    request = RequestFactory().get(path_, HTTP_ACCEPT=accept)
    assert errors.wants_json(request) is is_json


@pytest.mark.parametrize(
    ("name", "status"),
    [("http404", 404), ("denied", 403), ("suspicious", 400), ("database", 503), ("bug", 500)],
)
def test_a_page_that_fails_is_still_a_page(name: str, status: int, visitor: Client) -> None:
    response = visitor.get(f"/page/{name}/", HTTP_ACCEPT="text/html")
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert "secret" not in response.content.decode()


def test_a_template_that_fails_leaves_plain_text(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> str:
        raise TemplateDoesNotExist("500.html")

    monkeypatch.setattr(errors, "render_to_string", fail)
    with caplog.at_level(logging.ERROR):
        response = visitor.get("/page/bug/", HTTP_ACCEPT="text/html")
    assert (response.status_code, response["Content-Type"]) == (500, "text/plain; charset=utf-8")
    assert response.content == b"Something went wrong on our side.\n"
