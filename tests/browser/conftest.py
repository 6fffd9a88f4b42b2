"""Debian's Chromium, driven by Playwright, before a platform that runs for real."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.pages import CHROMIUM_ARGS, Site
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

# A closed network refuses what Chromium does in the background, many times over.
QUIET_ARGS = (
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "install the chromium package"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_ARGS, *QUIET_ARGS])
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def site(window: BrowserContext, platform: Platform) -> Site:
    """A window that nobody has signed in to."""
    return Site(window.new_page(), platform.origin)


@pytest.fixture
def as_admin(site: Site) -> Site:
    site.sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    return site


@pytest.fixture(scope="session")
def film(platform: Platform) -> str:
    """The public id of the demo clip, ready to watch: four qualities, with sound."""
    admin = platform.sign_in()
    demo = Path(__file__).parent.parent.parent / "demo" / "big-buck-bunny.mp4"
    video = platform.wait_until_done(admin, admin.upload(demo, title="Big Buck Bunny").json()["id"], limit_s=180)
    assert video["processing_state"] == "ready"
    return str(video["public_id"])
