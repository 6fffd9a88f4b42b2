"""Pages before a film plays: few bytes, no layout shift, no complaint in the console, no request to another host."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.pages import Site
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for

pytestmark = pytest.mark.browser

MOST_BYTES = 200_000
MOST_SHIFT = 0.01
LATENCY_MS = 150
# hls.js, the worker that it starts, and the media that it plays, without posters.
PLAYER = re.compile(r"/vendor/hls\.js/|^blob:|/api/v1/stream/|/media/(?!posters/)")
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 412, "height": 823},
        "device_scale_factor": 1.75,
        "is_mobile": True,
        "has_touch": True,
    },
}
# Twelve films in four categories, with the demo film's posters, whose detail makes them large files.
ADD_FILMS = """
import shutil
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from content_app.models import Category, Video
from content_app.tests.factories import make_playable
from media_pipeline import layout
demo, films = Video.objects.get(public_id="{film}"), Path(settings.MEDIA_ROOT, "videos")
# What other tests have left behind would push these off the screen.
others = Video.objects.filter(deleted_at=None).exclude(pk=demo.pk)
print("hidden:", *others.values_list("pk", flat=True))
others.update(deleted_at=timezone.now())
version = demo.version
for number in range(12):
    film = make_playable(
        demo.owner, title=f"{title} {{number}}", description=demo.description, created_at=demo.created_at,
        category=Category.objects.all()[number % 4], folder=version.folder,
        poster=f"{{version.folder}}/{{layout.poster_file(number % version.poster_choices + 1)}}",
        rungs=[one.name for one in version.renditions.all()],
        duration_s=version.duration_s, poster_choices=version.poster_choices,
    )
    folder = films / str(film.public_id) / film.folder
    folder.mkdir(parents=True)
    for poster in (films / str(demo.public_id) / film.folder).glob("poster*.jpg"):
        shutil.copyfile(poster, folder / poster.name)
"""
REMOVE_FILMS = """
from content_app.models import Video
Video.objects.filter(title__startswith="{title} ").delete()
Video.objects.filter(pk__in={hidden}).update(deleted_at=None)
"""
TITLE = "Another quiet morning"
# For each picture on the screen, whether it has been loaded.
POSTERS_IN_SIGHT = """() => [...document.querySelectorAll(".poster img")].filter(image => {
    const { top, bottom, left, right } = image.getBoundingClientRect();
    return top < innerHeight && bottom > 0 && left < innerWidth && right > 0;
}).map(image => image.naturalWidth > 0)"""
# Each layout shift with its score and the elements that moved, without shifts that follow a click.
SHIFTS = """
window.shifts = [];
const nameOf = ({node}) => `${node?.nodeName} ${node?.id ?? ""} ${node?.className ?? ""}`;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
        if (!entry.hadRecentInput) window.shifts.push([entry.value, entry.sources.map(nameOf)]);
    }
}).observe({type: 'layout-shift', buffered: true});
"""


@dataclass
class Visit:
    """A page that a browser opens for the first time, and what it loads and reports."""

    site: Site
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.site.page

    def watch(self) -> None:
        self.page.add_init_script(SHIFTS)
        self.be_far_away()
        self.page.on("requestfinished", lambda request: self.requests.append(request))
        self.page.on("console", lambda message: self.complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def be_far_away(self) -> None:
        """Adds latency, so that the placeholders of films are drawn before the films are known."""
        far = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
        self.page.context.new_cdp_session(self.page).send("Network.emulateNetworkConditions", far)

    @property
    def posters(self) -> list[Request]:
        return [request for request in self.requests if path_of(request).startswith("/media/posters/")]

    def complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def open(self, path: str) -> None:
        self.site.open(path)
        self.page.wait_for_load_state("networkidle")

    def check_bytes(self) -> None:
        """Asserts that everything but the player came within MOST_BYTES."""
        counted = [(bytes_of(request), request.url) for request in self.requests if not PLAYER.search(request.url)]
        assert sum(size for size, _ in counted) < MOST_BYTES, sorted(counted)

    def check(self) -> None:
        assert self.complaints == []
        elsewhere = [
            request.url for request in self.requests if not request.url.startswith((self.site.origin, "blob:"))
        ]
        assert elsewhere == []
        shifts = self.page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < MOST_SHIFT, shifts


def posters_in_sight(page: Page) -> list[bool]:
    drawn: list[bool] = page.evaluate(POSTERS_IN_SIGHT)
    return drawn


def bytes_of(request: Request) -> int:
    """Returns the bytes of the answer on the wire; Chromium sometimes does not report those of the body."""
    sizes, response = request.sizes(), request.response()
    assert response
    body = sizes["responseBodySize"]
    return sizes["responseHeadersSize"] + (body if body >= 0 else len(response.body()))


def path_of(request: Request) -> str:
    return urlsplit(request.url).path


@pytest.fixture(params=["desktop"])
def visit(request: pytest.FixtureRequest, chromium: Browser, platform: Platform) -> Iterator[Visit]:
    """A visit on a desktop, or on the screens that a test names."""
    context = chromium.new_context(**SCREENS[request.param])
    visit = Visit(Site(context.new_page(), platform.origin))
    visit.watch()
    yield visit
    context.close()


@pytest.fixture
def signed_in(visit: Visit) -> Visit:
    visit.site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return visit


@pytest.fixture(scope="module")
def full_shelves(platform: Platform, film: str) -> Iterator[None]:
    added = platform.manage("shell", "-c", ADD_FILMS.format(film=film, title=TITLE))
    assert added.returncode == 0, added.stderr
    yield
    hidden = [int(pk) for pk in added.stdout.partition("hidden:")[2].split()]
    platform.manage("shell", "-c", REMOVE_FILMS.format(title=TITLE, hidden=hidden))


def test_the_sign_in_page_takes_few_bytes(visit: Visit) -> None:
    visit.open("/login/")
    visit.check()
    visit.check_bytes()


def test_the_upload_page_takes_few_bytes_and_does_not_shift(signed_in: Visit) -> None:
    signed_in.open("/upload/")
    signed_in.check()
    signed_in.check_bytes()


@pytest.mark.usefixtures("full_shelves")
@pytest.mark.parametrize("visit", SCREENS, indirect=True)
def test_the_first_screen_of_the_catalogue_takes_few_bytes_and_does_not_shift(signed_in: Visit) -> None:
    signed_in.open("/")
    signed_in.check()
    signed_in.check_bytes()
    assert len(posters_in_sight(signed_in.page)) >= 2
    assert all(posters_in_sight(signed_in.page))


@pytest.mark.usefixtures("full_shelves")
def test_posters_further_down_load_when_the_page_is_scrolled_to_them(signed_in: Visit) -> None:
    signed_in.open("/")
    before = len(signed_in.posters)
    signed_in.page.mouse.wheel(0, 600)

    def are_there() -> bool:
        signed_in.page.wait_for_timeout(50)
        return len(signed_in.posters) > before and all(posters_in_sight(signed_in.page))

    wait_for(are_there, what="the posters further down")
    signed_in.check()


def test_the_watch_page_takes_few_bytes_before_its_player_and_does_not_shift(signed_in: Visit, film: str) -> None:
    signed_in.open(f"/watch/{film}/")
    expect(signed_in.page.get_by_test_id("player")).to_have_attribute("data-state", "paused")
    signed_in.check()
    signed_in.check_bytes()


@pytest.mark.parametrize("page", ["catalogue", "watch"])
def test_slow_pictures_shift_no_layout(signed_in: Visit, film: str, page: str) -> None:
    held: list[Route] = []
    is_slow = True
    signed_in.page.route("**/media/posters/**", lambda route: held.append(route) if is_slow else route.continue_())
    signed_in.site.open("/" if page == "catalogue" else f"/watch/{film}/")
    state = "ready" if page == "catalogue" else "playable"
    expect(signed_in.page.get_by_test_id(page)).to_have_attribute("data-state", state)

    def is_waited_for() -> bool:
        signed_in.page.wait_for_timeout(300)
        return bool(held)

    wait_for(is_waited_for, what="a poster that is waited for")
    is_slow = False
    for route in held:
        route.continue_()
    signed_in.page.wait_for_load_state("networkidle")
    signed_in.check()
