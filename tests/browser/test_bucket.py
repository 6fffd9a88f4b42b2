"""A film whose media come from a bucket, which has another origin than the page."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import ready_film
from tests.browser.pages import Site
from tests.fault_proxy import Fault, FaultProxy
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, PROJECT, Platform

pytestmark = pytest.mark.browser

DEMO = PROJECT / "demo" / "big-buck-bunny.mp4"


@pytest.fixture(scope="module")
def film(on_bucket: Platform) -> str:
    return ready_film(on_bucket, on_bucket.sign_in(), DEMO, title="In the bucket")


@pytest.fixture
def site(page: Page, on_bucket: Platform) -> Site:
    site = Site(page, on_bucket.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


def test_it_plays_and_seeks_and_every_byte_of_it_comes_from_the_bucket(
    site: Site, film: str, storage_network: FaultProxy
) -> None:
    said: list[str] = []
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    site.page.on("console", lambda message: said.append(message.text))
    site.page.on("request", note)
    player = site.open_film(film)
    player.play()
    player.wait_until_sound_is_decoded()
    player.seek(0.7)
    media = [url for url in asked if ".mp4" in url]
    assert media
    assert all(url.startswith(f"{storage_network.url}/") for url in media)
    assert not [text for text in said if "Content Security Policy" in text or "CORS" in text]


def test_it_goes_on_when_the_storage_was_away_for_a_moment(
    site: Site, film: str, storage_network: FaultProxy, bucket: str
) -> None:
    player = site.open_film(film)
    player.play()
    storage_network.be(Fault(status=500, times=2, method="GET", path=f"/{bucket}/videos/"))
    try:
        player.seek(0.9)
    finally:
        storage_network.be_normal()


def test_its_pictures_are_shown(site: Site, film: str) -> None:
    player = site.open_film(film)
    player.seek(0.3)
    site.open_catalogue()
    picture = site.page.locator("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)")
