"""What a page costs before anything plays: few bytes, nothing that moves, no complaint, nothing from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.pages import Site
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser

MOST_BYTES = 200_000
MOST_POSTER_BYTES = 250_000
MOST_SHIFT = 0.01
POSTERS = "/media/posters/"
PLAYER_AND_POSTERS = ("/static/vendor/hls.js/", "/api/v1/stream/", "/media/")
SHIFTS = """
window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shift += entry.hadRecentInput ? 0 : entry.value;
}).observe({type: 'layout-shift', buffered: true});
"""


@dataclass
class Visit:
    """One page, opened for the first time."""

    site: Site
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.site.page

    def watch(self) -> None:
        self.page.add_init_script(SHIFTS)
        self.page.on("requestfinished", lambda request: self.requests.append(request))
        self.page.on("console", lambda message: self.complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def open(self, path: str) -> None:
        self.site.open(path)
        self.page.wait_for_load_state("networkidle")

    def check_bytes(self) -> None:
        """Of all but the player and the posters, which come as large as they are, and only those in sight."""
        sizes = {urlsplit(request.url).path: request.sizes() for request in self.requests}
        bytes_ = {path: size["responseHeadersSize"] + size["responseBodySize"] for path, size in sizes.items()}
        assert sum(count for path, count in bytes_.items() if not path.startswith(PLAYER_AND_POSTERS)) < MOST_BYTES
        assert all(count < MOST_POSTER_BYTES for path, count in bytes_.items() if path.startswith(POSTERS))

    def check(self) -> None:
        assert self.complaints == []
        elsewhere = [
            request.url for request in self.requests if not request.url.startswith((self.site.origin, "blob:"))
        ]
        assert elsewhere == []
        assert self.page.evaluate("window.shift") < MOST_SHIFT


@pytest.fixture
def visit(chromium: Browser, platform: Platform) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    visit = Visit(Site(context.new_page(), platform.origin))
    visit.watch()
    yield visit
    context.close()


@pytest.fixture
def signed_in(visit: Visit) -> Visit:
    visit.site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return visit


def test_the_sign_in_page_is_light(visit: Visit) -> None:
    visit.open("/login/")
    visit.check()
    visit.check_bytes()


@pytest.mark.parametrize("path", ["/", "/upload/"])
def test_a_page_is_light_and_stands_still(signed_in: Visit, film: str, path: str) -> None:
    signed_in.open(path)
    signed_in.check()
    signed_in.check_bytes()


def test_the_watch_page_is_light_before_its_player_and_stands_still(signed_in: Visit, film: str) -> None:
    signed_in.open(f"/watch/{film}/")
    expect(signed_in.page.get_by_test_id("player")).to_have_attribute("data-state", "paused")
    signed_in.check()
    signed_in.check_bytes()


@pytest.mark.parametrize("page", ["catalogue", "watch"])
def test_slow_pictures_move_nothing(signed_in: Visit, film: str, page: str) -> None:
    held: list[Route] = []
    signed_in.page.route("**/media/posters/**", lambda route: held.append(route))
    signed_in.site.open("/" if page == "catalogue" else f"/watch/{film}/")
    state = "ready" if page == "catalogue" else "playable"
    expect(signed_in.page.get_by_test_id(page)).to_have_attribute("data-state", state)
    signed_in.page.wait_for_timeout(300)
    for route in held:
        route.continue_()
    signed_in.page.wait_for_load_state("networkidle")
    assert held
    signed_in.check()
