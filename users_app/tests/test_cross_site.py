from typing import Any

import pytest
from rest_framework.test import APIClient

from users_app.http.cross_site import is_trusted
from users_app.models import User
from users_app.tests.conftest import SignIn

OWN = "https://api.example.com"
FRONT_END = "https://www.example.com"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

UNSAFE_REQUESTS = [
    ("our own page", {"Origin": OWN}, True),
    ("our own page, with a form", {"Origin": OWN, **FORM}, True),
    ("the front end", {"Origin": FRONT_END}, True),
    ("the front end on another site", {"Origin": FRONT_END, "Sec-Fetch-Site": "cross-site"}, True),
    ("the front end on our site", {"Origin": FRONT_END, "Sec-Fetch-Site": "same-site"}, True),
    ("a stranger's page", {"Origin": "https://evil.example"}, False),
    ("a stranger's page, with JSON", {"Origin": "https://evil.example", **JSON}, False),
    ("a stranger who claims to be here", {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ("a sandboxed page", {"Origin": "null", **JSON}, False),
    ("an empty origin", {"Origin": "", **JSON}, False),
    ("our host over plain http", {"Origin": "http://api.example.com"}, False),
    ("our host on another port", {"Origin": f"{OWN}:8443"}, False),
    ("a host that begins with the name of this site", {"Origin": f"{OWN}.evil.example"}, False),
    ("the same origin without Origin", {"Sec-Fetch-Site": "same-origin"}, True),
    ("the same site without Origin", {"Sec-Fetch-Site": "same-site", **JSON}, False),
    ("another site without Origin", {"Sec-Fetch-Site": "cross-site", **JSON}, False),
    ("no site at all", {"Sec-Fetch-Site": "none", **JSON}, False),
    ("a browser that hides its site", {"Sec-Fetch-Mode": "cors", **JSON}, False),
    ("a page that shows a referrer only", {"Referer": f"{OWN}/page", **JSON}, False),
    ("a program with JSON", JSON, True),
    ("a program with JSON and a charset", {"Content-Type": "Application/JSON; charset=utf-8"}, True),
    ("a form without a sender", FORM, False),
    ("plain text without a sender", {"Content-Type": "text/plain"}, False),
    ("multipart without a sender", {"Content-Type": "multipart/form-data; boundary=x"}, False),
    ("JSON in a parameter only", {"Content-Type": "text/plain; x=application/json"}, False),
    ("a request without anything", {}, False),
]


def trusted(method: str, headers: dict[str, str]) -> bool:
    return is_trusted(method=method, headers=headers, own_origin=OWN, trusted_origins={FRONT_END})


@pytest.mark.parametrize(
    ("headers", "expected"), [row[1:] for row in UNSAFE_REQUESTS], ids=[r[0] for r in UNSAFE_REQUESTS]
)
def test_an_unsafe_request_needs_a_trusted_sender(headers: dict[str, str], expected: bool) -> None:
    assert trusted("POST", headers) is expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "PROPFIND", "post", ""])
def test_every_method_not_known_as_safe_is_unsafe(method: str) -> None:
    assert not trusted(method, {"Origin": "https://evil.example"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_open_to_every_page(method: str) -> None:
    assert trusted(method, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize("route", ["/users/login/", "/users/refresh/", "/users/logout/"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_strangers_page_cannot_use_the_session_routes(
    route: str, content_type: str, sign_in: SignIn, viewer: User
) -> None:
    victim = sign_in(viewer)
    response = victim.generic("POST", route, "{}", content_type=content_type, HTTP_ORIGIN="https://evil.example")
    assert response.status_code == 403
    assert response.json()["code"] == "cross_site"
    assert not response.cookies
    assert victim.get("/api/v1/auth/me/").status_code == 200


def test_a_cross_site_sign_out_without_cookies_deletes_none(db: None) -> None:
    """Browsers do not send Lax cookies with such a post, but the answer to it could still delete them."""
    response = APIClient().post("/users/logout/", HTTP_ORIGIN="https://evil.example")
    assert response.status_code == 403
    assert not response.cookies


def test_the_configured_front_end_signs_in_and_out(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    front_end: dict[str, Any] = {"HTTP_ORIGIN": "http://localhost:4200", "HTTP_SEC_FETCH_SITE": "cross-site"}
    assert client.post("/users/refresh/", {}, format="json", **front_end).status_code == 200
    assert client.post("/users/logout/", {}, format="json", **front_end).status_code == 200
