"""A film that Chromium plays through Debian's Nginx, over plain HTTP and over TLS with HTTP/2."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response

from tests.browser.pages import Site
from tests.nginx import Nginx
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, started

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["off", "on"], ids=["plain", "TLS"])
def origin(platform: Platform, request: pytest.FixtureRequest) -> Iterator[str]:
    with started(Nginx(platform, NGINX_TLS=request.param)) as server:
        yield server.tls_origin if request.param == "on" else server.origin


def test_it_plays_and_seeks(chromium: Browser, origin: str, platform: Platform, film: str) -> None:
    window = chromium.new_context(ignore_https_errors=True)  # Nginx starts with a self-signed certificate
    client = platform.sign_in()
    window.add_cookies([{"name": name, "value": value, "url": origin} for name, value in client.cookies.items()])
    answers: list[Response] = []

    def note(response: Response) -> None:
        if "/media/" in response.url and ".mp4" in response.url:
            answers.append(response)

    page = window.new_page()
    page.on("response", note)
    player = Site(page, origin).open_film(film)
    player.play()
    player.wait_until_sound_is_decoded()
    player.seek(0.7)
    assert answers
    statuses = {response.status for response in answers}
    assert {206} <= statuses <= {200, 206}  # a request without a range gets 200
    assert {response.headers["server"] for response in answers} == {"nginx"}
    window.close()


def test_people_sign_in_through_it(chromium: Browser, origin: str) -> None:
    window = chromium.new_context(ignore_https_errors=True)
    Site(window.new_page(), origin).sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    window.close()
