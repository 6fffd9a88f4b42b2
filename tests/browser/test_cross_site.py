"""Pages of other origins in the browser of a signed-in user: they can do nothing, and a configured front end works."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.pages import Site
from tests.client import Client
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser

PAGE = b"<!doctype html><title>elsewhere</title><iframe name=hidden></iframe>"

FETCH = """async ([url, options]) => {
  try {
    const response = await fetch(url, {credentials: "include", ...options});
    return {status: response.status, body: await response.json().catch(() => null),
            requestId: response.headers.get("X-Request-ID")};
  } catch (error) {
    return {status: 0, body: null};
  }
}"""
FORM = """([url, kind, fields]) => new Promise(resolve => {
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: url, enctype: kind, target: "hidden"});
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, {name, value});
    form.append(input);
  }
  document.body.append(form);
  document.querySelector("iframe").onload = resolve;
  form.submit();
})"""
IMAGE = """url => new Promise(resolve => {
  const image = new Image();
  image.onload = () => resolve("shown");
  image.onerror = () => resolve("not shown");
  image.src = url;
})"""


class Elsewhere(BaseHTTPRequestHandler):
    """An empty page at every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of a server that does not belong to the platform."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def front_end(elsewhere: int) -> str:
    return f"http://localhost:{elsewhere}"


@pytest.fixture(scope="module")
def platform_with_front_end(
    tmp_path_factory: pytest.TempPathFactory, prepared_database: Path, front_end: str
) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("front-end"), template=prepared_database)
    running.env["CORS_ALLOWED_ORIGINS"] = front_end
    running.start_redis()
    running.prepare()
    running.start_web()
    yield running
    running.stop()


@pytest.fixture
def victim(page: Page, platform: Platform) -> Site:
    """The site of a signed-in user, on a platform that trusts its own pages only."""
    site = Site(page, platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


def fetch(page: Page, url: str, **options: Any) -> Any:
    return page.evaluate(FETCH, [url, options])


def is_signed_in(victim: Site) -> bool:
    victim.open("/login/")
    return bool(fetch(victim.page, f"{victim.origin}/api/v1/auth/me/")["status"] == 200)


def profile(victim: Site) -> Any:
    victim.open("/login/")
    return fetch(victim.page, f"{victim.origin}/users/profile/")["body"]


# localhost on another port is the same site, so browsers send the cookies from there; 127.0.0.1 is another site.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_elsewhere_can_do_nothing_with_a_persons_cookies(host: str, victim: Site, elsewhere: int) -> None:
    before = profile(victim)
    page, origin = victim.page, victim.origin
    page.goto(f"http://{host}:{elsewhere}/")
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        for path in ("/users/logout/", "/users/refresh/", "/content/add-favorite/", "/api/v1/auth/password/change/"):
            page.evaluate(FORM, [f"{origin}{path}", kind, {'{"video_id": 1, "a': '": 1}'}])
    attempts = [
        ("POST", "/users/logout/", "{}"),
        ("POST", "/users/refresh/", "{}"),
        ("POST", "/content/add-favorite/", '{"video_id": 1}'),
        ("PATCH", "/users/profile/", '{"name": "Stolen"}'),
        ("DELETE", "/users/sessions/", ""),
        ("DELETE", "/users/me/", "{}"),
    ]
    for method, path, body in attempts:
        for content_type in ("text/plain", "application/json"):
            headers = {"Content-Type": content_type}
            options = {"method": method, "headers": headers} | ({"body": body} if body else {})
            assert fetch(page, f"{origin}{path}", **options)["status"] == 0, (method, path, content_type)
            no_cors = {"method": method, "mode": "no-cors", "body": body or "x"}
            if method == "POST":
                fetch(page, f"{origin}{path}", **no_cors)
    assert fetch(page, f"{origin}/users/profile/") == {"status": 0, "body": None}, "it can read nothing either"
    for path in ("/users/logout/", "/users/sessions/", "/users/profile/"):
        assert page.evaluate(IMAGE, f"{origin}{path}") == "not shown"
    assert is_signed_in(victim)
    assert profile(victim) == before


def test_a_page_elsewhere_cannot_sign_a_browser_in_to_another_account(
    page: Page, platform: Platform, elsewhere: int
) -> None:
    page.goto(f"http://localhost:{elsewhere}/")
    body = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}", "a": "'
    page.evaluate(FORM, [f"{platform.origin}/users/login/", "text/plain", {body: '"}'}])
    fields = {"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    page.evaluate(FORM, [f"{platform.origin}/users/login/", "application/x-www-form-urlencoded", fields])
    assert page.context.cookies(platform.origin) == []


def test_a_front_end_signs_in_refreshes_and_signs_out(
    page: Page, platform_with_front_end: Platform, front_end: str
) -> None:
    origin = platform_with_front_end.origin
    page.goto(front_end)

    def post(path: str, body: str = "{}") -> Any:
        headers = {"Content-Type": "application/json", "X-Retry": "1", "X-Request-ID": "from-the-front-end"}
        return fetch(page, f"{origin}{path}", method="POST", body=body, headers=headers)

    login = f'{{"email": "{ADMIN_EMAIL}", "password": "{ADMIN_PASSWORD}"}}'
    answer = post("/users/login/", login)
    assert (answer["status"], answer["requestId"]) == (200, "from-the-front-end")
    assert answer["body"]["email"] == ADMIN_EMAIL
    assert fetch(page, f"{origin}/content/")["status"] == 200
    assert post("/users/refresh/")["status"] == 200
    patch = {"method": "PATCH", "body": '{"name": "Ada"}', "headers": {"Content-Type": "application/json"}}
    assert fetch(page, f"{origin}/users/profile/", **patch)["body"]["name"] == "Ada"
    assert post("/users/logout/")["status"] == 200
    answer = fetch(page, f"{origin}/content/")
    assert (answer["status"], answer["body"]["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Content-Type": "application/json", "Referer": "https://elsewhere.example/"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"}, 415),
    ],
)
def test_programs_may_use_cookies_with_a_json_body_only(
    headers: dict[str, str], status: int, platform: Platform
) -> None:
    client: Client = platform.sign_in()
    answer = client.request("POST", "/users/refresh/", b"{}", headers)
    assert answer.status == status, answer.body
    if status == 403:
        assert answer.json()["code"] == "cross_site"
