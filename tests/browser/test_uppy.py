"""Uppy with its S3 plug-in and its Golden Retriever, with the signer of the platform and a bucket of a real server."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.pages import Site
from tests.browser.transfers import FILM_BYTES, MEGABYTE, Network, unfinished_parts
from tests.ceph import Ceph
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for

pytestmark = pytest.mark.browser

BUNDLE = Path(__file__).parent / "uppy" / "uppy.bundle.js"
INPUT = """document.body.innerHTML = '<input id="file" type="file">'"""
PARTS = FILM_BYTES // (5 * MEGABYTE)
PERCENT = "uppy.getState().totalProgress"
LONGEST_WAIT_MS = 30_000


@pytest.fixture
def uppy(page: Page, on_bucket: Platform) -> Page:
    """Uppy on a page of the platform's origin, where an admin is signed in."""
    Site(page, on_bucket.origin).be(ADMIN_EMAIL, ADMIN_PASSWORD)
    page.route("**/uppy-test/*.js", lambda route: route.fulfill(path=BUNDLE, content_type="text/javascript"))
    page.goto(f"{on_bucket.origin}/uppy-test/")
    start(page)
    return page


def start(page: Page) -> None:
    """Loads Uppy into the page for unknown addresses. Browsers let no page that a test makes up ask 127.0.0.1."""
    page.evaluate(INPUT)
    page.add_script_tag(url="/uppy-test/uppy.bundle.js")


def begin(uppy: Page, film: Path, *, percent: int) -> None:
    """Starts an upload and waits until it has reached this percentage."""
    uppy.locator("#file").set_input_files(film)
    uppy.wait_for_function(f"least => {PERCENT} >= least", arg=percent, timeout=LONGEST_WAIT_MS)


def expect_film(uppy: Page, platform: Platform) -> None:
    uppy.wait_for_function("() => window.film || window.problem", timeout=LONGEST_WAIT_MS)
    assert uppy.evaluate("() => window.problem ?? null") is None
    video = platform.wait_until_done(platform.sign_in(), uppy.evaluate("() => window.film.id"))
    assert video["processing_state"] == "ready", video["processing_error"]


def test_it_brings_a_film(uppy: Page, on_bucket: Platform, large_film: Path, network: Network) -> None:
    begin(uppy, large_film, percent=100)
    expect_film(uppy, on_bucket)
    assert network.parts == PARTS


@pytest.mark.slow
def test_it_pauses_and_goes_on(uppy: Page, on_bucket: Platform, large_film: Path, network: Network) -> None:
    network.slow_down()
    begin(uppy, large_film, percent=30)
    uppy.evaluate("uppy.pauseAll()")
    sent = network.parts
    uppy.wait_for_timeout(1500)
    assert network.parts == sent
    network.be_normal()
    uppy.evaluate("uppy.resumeAll()")
    expect_film(uppy, on_bucket)
    assert network.parts <= PARTS + 1


@pytest.mark.slow
def test_its_golden_retriever_goes_on_after_a_reload(
    uppy: Page, on_bucket: Platform, large_film: Path, network: Network
) -> None:
    network.slow_down()
    begin(uppy, large_film, percent=40)
    uppy.reload()
    network.be_normal()
    start(uppy)
    uppy.wait_for_function("() => window.isRestored && uppy.getFiles().length === 1")
    assert uppy.evaluate("() => uppy.getFiles()[0].isGhost") is False
    uppy.evaluate("uppy.emit('restore-confirmed')")
    expect_film(uppy, on_bucket)
    assert network.parts <= PARTS + 1


def test_cancelling_it_leaves_nothing(
    uppy: Page, large_film: Path, network: Network, s3_server: Ceph, bucket: str
) -> None:
    network.slow_down()
    begin(uppy, large_film, percent=20)
    assert unfinished_parts(s3_server, bucket)
    uppy.evaluate("uppy.cancelAll()")
    wait_for(lambda: not unfinished_parts(s3_server, bucket), what="the end of the parts")
