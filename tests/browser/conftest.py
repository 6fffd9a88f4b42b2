"""Debian's Chromium, driven by Playwright, and a platform with real processes."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.films import make_bilingual
from tests.browser.pages import CHROMIUM_ARGS, SOON_MS, Site
from tests.browser.transfers import FILM_BYTES, Network
from tests.client import Client
from tests.clips import Clip, make_clip
from tests.fault_proxy import FaultProxy
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

# Without these Chromium sends requests in the background, which a closed network refuses again and again.
QUIET_ARGS = (
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
PASSWORD = "a-long-password-for-people"
ADD_PEOPLE = f"""
from users_app.models import User
User.objects.create_user("creator@example.com", "{PASSWORD}", name="Creator", role="CREATOR")
User.objects.create_user("viewer@example.com", "{PASSWORD}", name="Viewer", role="VIEWER")
"""


CREATOR = ("creator@example.com", PASSWORD)
VIEWER = ("viewer@example.com", PASSWORD)


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Returns a function that starts Debian's Chromium, with more arguments if a test needs them."""
    path = shutil.which("chromium")
    assert path, "install the chromium package"
    expect.set_options(timeout=SOON_MS)
    with sync_playwright() as playwright:
        yield lambda *args: playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_ARGS, *QUIET_ARGS, *args])


@pytest.fixture(scope="session")
def chromium(launch: Callable[..., Browser]) -> Iterator[Browser]:
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def like_safari(launch: Callable[..., Browser]) -> Iterator[Page]:
    """A page without hls.js, so that the browser's own HLS plays films and lists their soundtracks, as in Safari."""
    browser = launch("--enable-blink-features=AudioVideoTracks")
    page = browser.new_page()
    page.route("**/hls.min.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    yield page
    browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Page:
    return window.new_page()


@pytest.fixture
def site(page: Page, platform: Platform) -> Site:
    """The watch site in a window without a session."""
    return Site(page, platform.origin)


@pytest.fixture
def as_admin(site: Site) -> Site:
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


@pytest.fixture(scope="session")
def people(platform: Platform) -> Platform:
    """The platform with a creator and a viewer."""
    added = platform.manage("shell", "-c", ADD_PEOPLE)
    assert added.returncode == 0, added.stderr
    return platform


@pytest.fixture(scope="session")
def errands(platform: Platform) -> Platform:
    """The platform with a second worker, which examines files while the first one encodes, as under `make up`."""
    platform.start("errands", sys.executable, "manage.py", "rqworker", "default")
    return platform


@pytest.fixture(scope="session")
def film(platform: Platform) -> str:
    """The public id of the demo clip, which is ready to watch in four qualities, with sound."""
    demo = Path(__file__).parent.parent.parent / "demo" / "big-buck-bunny.mp4"
    return ready_film(platform, platform.sign_in(), demo, title="Big Buck Bunny")


@pytest.fixture(scope="session")
def bilingual(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The public id of a film of six seconds with sound and captions in English and German."""
    folder = tmp_path_factory.mktemp("bilingual")
    picture = make_clip(folder, Clip(size="320x180", rate="25", duration_s=6), "picture")
    return ready_film(platform, platform.sign_in(), make_bilingual(folder, picture), title="Two languages")


@pytest.fixture(scope="session")
def large_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short film with many zero bytes behind it, which no player reads."""
    path = make_clip(tmp_path_factory.mktemp("large"), Clip(size="320x180", rate="25", duration_s=3), "long_way")
    with path.open("r+b") as file:
        file.truncate(FILM_BYTES)
    return path


@pytest.fixture
def network(storage_network: FaultProxy, bucket: str) -> Iterator[Network]:
    storage_network.requests.clear()
    yield Network(storage_network, f"/{bucket}/originals/")
    storage_network.be_normal()


def ready_film(platform: Platform, client: Client, path: Path, **fields: str) -> str:
    video = platform.wait_until_done(client, client.upload(path, **fields).json()["id"], limit_s=180)
    assert video["processing_state"] == "ready", video["processing_error"]
    return str(video["public_id"])
