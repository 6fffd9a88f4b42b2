"""Headers that would make Django fail, and that the guard drops or cleans."""

from collections.abc import Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.wsgi import get_wsgi_application

from config.http.header_guard import HeaderGuard


def passed_on(**headers: str) -> dict[str, Any]:
    """Returns the environment that the application gets behind the guard."""
    seen: dict[str, Any] = {}

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        return []

    HeaderGuard(application)(dict(headers), cast(StartResponse, None))
    return seen


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("application/json; charset*=foo''utf-8", "application/json"),
        ("text/html; a *\t= foo''x; q=0.5", "text/html; q=0.5"),
        ("text/html; a*0*=foo''x, */*; q=0.1", "text/html, */*; q=0.1"),
        ("multipart/form-data; boundary=a*b", "multipart/form-data; boundary=a*b"),
        ("*/*", "*/*"),
    ],
)
def test_extended_parameters_are_dropped_and_nothing_else(given: str, kept: str) -> None:
    assert passed_on(CONTENT_TYPE=given, HTTP_ACCEPT=given) == {"CONTENT_TYPE": kept, "HTTP_ACCEPT": kept}


@pytest.mark.parametrize("name", ["CONTENT_TYPE", "HTTP_ACCEPT"])
@pytest.mark.parametrize("parameter", ["charset*=foo''x", "\"a;b\"*=foo''x", "a,b*=foo''x", "a\x0b*\x0b=foo''x"])
@pytest.mark.parametrize("path", ["/nothing/", "/api/nothing/", "/users/logout/"])
def test_a_made_up_character_set_causes_no_server_error(name: str, parameter: str, path: str, db: None) -> None:
    statuses: list[str] = []
    environ: dict[str, Any] = {"PATH_INFO": path, name: f"text/html; {parameter}", "HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    application = HeaderGuard(get_wsgi_application())

    def start_response(status: str, headers: Any, error: Any = None) -> Any:
        statuses.append(status)

    list(application(environ, start_response))
    assert statuses[0][:3] in {"404", "405", "406"}
