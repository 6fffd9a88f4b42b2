"""Large films, which the upload page and the admin site send apart from their forms: in parts to a bucket or by tus."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local.linux import descendants
from tests.browser.admin_pages import VIDEOS, Office
from tests.browser.pages import Site
from tests.browser.transfers import (
    FILM_BYTES,
    MEGABYTE,
    NO_LIMIT,
    Network,
    expect_film,
    expect_progress,
    limit_speed,
    note,
    unfinished_parts,
)
from tests.ceph import Ceph
from tests.end_to_end.test_direct_upload import web_received_bytes
from tests.fault_proxy import Fault
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, wait_for

pytestmark = pytest.mark.browser

PARTS = FILM_BYTES // (8 * MEGABYTE)
LITTLE_BYTES = FILM_BYTES // 4  # more than the web server reads of requests and of its own code


@pytest.fixture
def site(page: Page, on_bucket: Platform) -> Site:
    site = Site(page, on_bucket.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


def start(site: Site, film: Path, title: str) -> None:
    site.choose_file(film)
    site.start_upload(title=title)
    expect(site.page.get_by_test_id("transfer")).to_be_visible()


def test_a_large_film_becomes_ready_and_none_of_it_passes_through_web(
    site: Site, on_bucket: Platform, large_film: Path, network: Network
) -> None:
    before = web_received_bytes(on_bucket)
    network.slow_down()
    start(site, large_film, "Straight into the bucket")
    expect(site.page.get_by_test_id("transfer-done")).to_contain_text(re.compile(r"[1-9]\d? % of 40 MB"))
    expect(site.page.locator("#transfer-rate")).to_contain_text("/s, ")
    network.be_normal()
    expect_film(site)
    assert network.parts == PARTS
    assert web_received_bytes(on_bucket) - before < LITTLE_BYTES


def test_it_is_paused_and_goes_on(site: Site, large_film: Path, network: Network) -> None:
    network.slow_down()
    start(site, large_film, "With a pause")
    expect_progress(site.page, 30)
    pause = site.page.get_by_test_id("pause-upload")
    pause.press("Enter")
    expect(pause).to_have_text("Resume")
    expect(note(site.page)).to_contain_text("Paused.")
    sent = network.parts
    site.page.wait_for_timeout(1500)
    assert network.parts == sent
    network.be_normal()
    pause.press("Enter")
    expect_film(site)
    assert network.parts <= PARTS + 3, "only the parts that were under way are sent again"


def test_after_a_reload_it_goes_on_from_the_parts_that_are_there(
    site: Site, large_film: Path, network: Network
) -> None:
    network.slow_down()
    start(site, large_film, "After a reload")
    expect_progress(site.page, 62)
    site.page.reload()
    expect(site.page.get_by_test_id("unfinished")).to_contain_text("An upload of “long_way.mp4” was not finished.")
    before = network.parts
    site.page.locator("#file").set_input_files(large_film)
    expect(note(site.page)).to_have_text(re.compile(r"Continuing where it stopped: [2-9]\d %\."))
    network.be_normal()
    expect_film(site)
    assert network.parts - before < PARTS
    expect(site.page.locator("#outcome-title")).to_have_text("After a reload")
    site.open("/upload/")
    expect(site.page.get_by_test_id("upload-form")).to_be_visible()
    expect(site.page.get_by_test_id("unfinished")).to_be_hidden()


@pytest.mark.parametrize(
    "fault", [Fault(refuses=True, method="PUT"), pytest.param(Fault(status=503, method="PUT"), marks=pytest.mark.slow)]
)
def test_a_storage_that_is_away_for_a_while_only_delays_it(
    site: Site, large_film: Path, network: Network, fault: Fault
) -> None:
    network.slow_down()
    start(site, large_film, "Through a tunnel")
    expect_progress(site.page, 20)
    network.proxy.be(fault)
    expect(note(site.page)).to_contain_text("The connection was lost.")
    site.page.wait_for_timeout(2000)
    network.be_normal()
    expect_film(site)


def test_an_offline_browser_waits_until_it_is_online(site: Site, large_film: Path, network: Network) -> None:
    network.slow_down()
    start(site, large_film, "Offline")
    expect_progress(site.page, 20)
    site.page.context.set_offline(True)
    network.be_normal()
    expect(note(site.page)).to_contain_text("The connection was lost.")
    sent = network.parts
    site.page.wait_for_timeout(2000)
    assert network.parts == sent
    site.page.context.set_offline(False)
    expect_film(site)


def test_cancelling_leaves_nothing_in_the_bucket(
    site: Site, large_film: Path, network: Network, s3_server: Ceph, bucket: str
) -> None:
    network.slow_down()
    start(site, large_film, "Cancelled")
    expect_progress(site.page, 30)
    assert unfinished_parts(s3_server, bucket)
    site.page.get_by_test_id("cancel-upload").click()
    expect(site.page.get_by_test_id("upload-problem")).to_have_text("Upload cancelled. Nothing was kept.")
    wait_for(lambda: not unfinished_parts(s3_server, bucket), what="the end of the parts")
    site.page.reload()
    expect(site.page.get_by_test_id("upload-form")).to_be_visible()
    expect(site.page.get_by_test_id("unfinished")).to_be_hidden()


def test_an_unfinished_upload_can_be_discarded(
    site: Site, large_film: Path, network: Network, s3_server: Ceph, bucket: str
) -> None:
    network.slow_down()
    start(site, large_film, "Discarded")
    expect_progress(site.page, 20)
    site.page.reload()
    site.page.get_by_test_id("discard-upload").click()
    expect(site.page.get_by_test_id("unfinished")).to_be_hidden()
    wait_for(lambda: not unfinished_parts(s3_server, bucket), what="the end of the parts")


# --- Media in a folder: by tus ---------------------------------------------------------------------------------------


@pytest.fixture
def at_home(page: Page, own_platform: Platform) -> Site:
    """The upload page of a platform whose media lie in a folder, and whose programs may be killed."""
    own_platform.start_all()
    site = Site(page, own_platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


def stored(platform: Platform) -> list[Path]:
    """Returns all files below the media folder that are large enough for a film or a part of one."""
    media = Path(platform.env["MEDIA_ROOT"])
    return [path for path in media.rglob("*") if path.is_file() and path.stat().st_size > MEGABYTE]


def test_in_a_folder_a_large_film_is_paused_and_becomes_ready(at_home: Site, large_film: Path) -> None:
    limit_speed(at_home.page)
    start(at_home, large_film, "By tus")
    expect(at_home.page.get_by_test_id("transfer-done")).to_contain_text(re.compile(r"[1-9]\d? % of 40 MB"))
    pause = at_home.page.get_by_test_id("pause-upload")
    pause.click()
    expect(note(at_home.page)).to_contain_text("Paused.")
    limit_speed(at_home.page, NO_LIMIT)
    pause.click()
    expect_film(at_home)


@pytest.mark.parametrize(
    ("status", "place"), [(507, "upload-problem"), (409, "upload-problem"), (429, "transfer-note")]
)
def test_in_a_folder_a_refusal_is_shown_in_the_words_of_the_server(
    page: Page, platform: Platform, large_film: Path, status: int, place: str
) -> None:
    site = Site(page, platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    said = {"detail": "This is why it does not go on.", "code": "too_many_uploads" if status == 409 else ""}
    page.route("**/api/v1/upload/tus/", lambda route: route.fulfill(status=status, json=said))
    start(site, large_film, "Refused")
    expect(page.get_by_test_id(place)).to_have_text(said["detail"])


@pytest.mark.slow
def test_in_a_folder_it_goes_on_after_a_reload(at_home: Site, large_film: Path) -> None:
    limit_speed(at_home.page)
    start(at_home, large_film, "By tus, after a reload")
    expect_progress(at_home.page, 50)
    at_home.page.reload()
    expect(at_home.page.get_by_test_id("unfinished")).to_contain_text("An upload of “long_way.mp4” was not finished.")
    at_home.page.locator("#file").set_input_files(large_film)
    expect(note(at_home.page)).to_have_text(re.compile(r"Continuing where it stopped: [3-9]\d %\."))
    limit_speed(at_home.page, NO_LIMIT)
    expect_film(at_home)
    expect(at_home.page.locator("#outcome-title")).to_have_text("By tus, after a reload")


@pytest.mark.slow
def test_in_a_folder_it_outlives_the_web_server(at_home: Site, own_platform: Platform, large_film: Path) -> None:
    limit_speed(at_home.page)
    start(at_home, large_film, "By tus, twice")
    expect_progress(at_home.page, 30)
    stop_web(own_platform)
    expect(note(at_home.page)).to_contain_text("The connection was lost.")
    own_platform.start_web()
    limit_speed(at_home.page, NO_LIMIT)
    expect_film(at_home)


def stop_web(platform: Platform) -> None:
    """Kills the web server with its processes."""
    for pid in descendants(platform.programs["web"].pid):
        os.kill(pid, signal.SIGKILL)
    platform.kill("web")


def test_in_a_folder_cancelling_and_discarding_leave_nothing(
    at_home: Site, own_platform: Platform, large_film: Path
) -> None:
    limit_speed(at_home.page)
    start(at_home, large_film, "Cancelled")
    expect_progress(at_home.page, 20)
    assert stored(own_platform)
    at_home.page.get_by_test_id("cancel-upload").click()
    expect(at_home.page.get_by_test_id("upload-problem")).to_have_text("Upload cancelled. Nothing was kept.")
    wait_for(lambda: not stored(own_platform), what="the end of what had come")
    start(at_home, large_film, "Discarded")
    expect_progress(at_home.page, 20)
    at_home.page.reload()
    at_home.page.get_by_test_id("discard-upload").click()
    expect(at_home.page.get_by_test_id("unfinished")).to_be_hidden()
    wait_for(lambda: not stored(own_platform), what="the end of what had come")


# --- The admin site --------------------------------------------------------------------------------------------------


@pytest.fixture
def office(page: Page, on_bucket: Platform) -> Office:
    office = Office(page, on_bucket.origin)
    office.sign_in(to=f"{VIDEOS}add/")
    return office


def poster_of(platform: Platform, title: str) -> str:
    """Returns the address of the poster, which changes with the version of the film."""
    (video,) = (video for video in platform.sign_in().get("/content/").json() if video["title"] == title)
    return str(video["image_file"]).partition("?")[0]


def test_staff_add_a_large_film_and_exchange_it(
    office: Office, on_bucket: Platform, large_film: Path, network: Network
) -> None:
    page = office.page
    before = web_received_bytes(on_bucket)
    network.slow_down()
    office.fill_in(large_film, title="By staff")
    office.save()
    expect(page.locator("#transfer-done")).to_contain_text(re.compile(r"[1-9]\d? % of 40 MB"))
    page.get_by_test_id("pause-upload").click()
    expect(note(page)).to_contain_text("Paused.")
    network.be_normal()
    page.get_by_test_id("pause-upload").click()
    page.wait_for_url(re.compile(r"/\d+/change/$"))
    office.wait_until_ready()
    first = poster_of(on_bucket, "By staff")
    office.fill_in(large_film)
    office.save()
    page.wait_for_url(re.compile(rf"{VIDEOS}$"))
    wait_for(lambda: poster_of(on_bucket, "By staff") != first, limit_s=60, what="another version")
    assert network.parts >= 2 * PARTS
    assert web_received_bytes(on_bucket) - before < FILM_BYTES, "less than one of the two films"


def test_staff_correct_a_form_without_sending_the_large_film_again(
    office: Office, large_film: Path, network: Network
) -> None:
    office.fill_in(large_film, title="Corrected")
    office.page.locator("#id_price").fill("-1")
    office.save()
    assert office.problem()
    assert network.parts == PARTS
    office.page.locator("#id_price").fill("0")
    office.save()
    office.page.wait_for_url(re.compile(r"/\d+/change/$"))
    office.wait_until_ready()
    assert network.parts == PARTS


def test_staff_cancel_a_large_film(
    office: Office, large_film: Path, network: Network, s3_server: Ceph, bucket: str
) -> None:
    network.slow_down()
    office.fill_in(large_film, title="Cancelled")
    office.save()
    expect_progress(office.page, 20)
    office.page.get_by_test_id("cancel-upload").click()
    assert office.problem() == "Upload cancelled. Nothing was kept."
    wait_for(lambda: not unfinished_parts(s3_server, bucket), what="the end of the parts")
