"""The admin site in real Chromium: uploading, watching, choosing a poster, and what goes wrong on the way."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, StorageState, expect

from tests.browser.admin_pages import VIDEOS, Office
from tests.clips import Clip, make_clip
from tests.services import Platform

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of half a megabyte that is quickly processed."""
    clip = Clip(size="320x180", duration_s=3, codec=("libx264", "-preset", "ultrafast", "-qp", "4"))
    return make_clip(tmp_path_factory.mktemp("clips"), clip, "summer_house")


@pytest.fixture(scope="module")
def session(chromium: Browser, platform: Platform) -> StorageState:
    """The cookies of an admin, who signs in once for all tests: hashing a password is slow on purpose."""
    window = chromium.new_context()
    Office(window.new_page(), platform.origin).sign_in()
    state = window.storage_state()
    window.close()
    return state


@pytest.fixture
def office(page: Page, platform: Platform, session: StorageState) -> Office:
    """The admin site with an admin signed in, on the page for adding a video."""
    page.context.add_cookies(cast(Any, session["cookies"]))
    office = Office(page, platform.origin)
    office.open(f"{VIDEOS}add/")
    return office


@pytest.fixture
def complaints(page: Page, platform: Platform) -> Iterator[list[str]]:
    """Fails the test if the page asks another host or complains in the console."""
    heard: list[str] = []

    def on_request(request: Request) -> None:
        if not request.url.startswith((platform.origin, "blob:", "data:")):
            heard.append(f"asked {request.url}")

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            heard.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []


@pytest.mark.usefixtures("complaints")
def test_a_film_is_uploaded_followed_explained_played_and_given_another_poster(
    office: Office, short_clip: Path
) -> None:
    office.fill_in(short_clip)
    expect(office.page.locator("#id_title")).to_have_value("summer house")
    office.slow_down()
    office.save()
    expect(office.page.locator("#transfer-done")).to_contain_text(re.compile(r"[1-9]\d? % of"))
    expect(office.page.locator("#transfer-rate")).to_contain_text("/s, ")
    office.page.wait_for_url(re.compile(r"/\d+/change/$"))
    expect(office.page.locator("#messages")).to_contain_text("was added successfully")
    explanation = office.page.get_by_test_id("explanation")
    expect(explanation).to_have_attribute("data-verdict", re.compile("fine|warnings"), timeout=20_000)
    office.wait_until_ready()
    office.player.play()
    office.player.wait_until_sound_is_decoded()
    expect(explanation.get_by_test_id("command")).to_contain_text("ffmpeg")
    before = office.player.position()
    office.choose_candidate(2)
    expect(office.page.locator("#messages")).to_contain_text("The poster is changed.")
    assert office.player.position() >= before, "the film plays on"


def test_a_wrong_form_keeps_file_and_fields(office: Office, short_clip: Path) -> None:
    office.fill_in(short_clip, title="Kept")
    office.page.locator("#id_price").fill("-1")
    office.save()
    assert office.problem()
    expect(office.page.locator(".field-price .vf-field-problem")).to_have_text("A price cannot be negative.")
    expect(office.page.locator("#id_title")).to_have_value("Kept")
    assert office.page.locator("#id_video_file").evaluate("input => input.files.length") == 1


def test_a_cancelled_upload_a_broken_one_and_a_lost_session_are_distinct(office: Office, short_clip: Path) -> None:
    office.fill_in(short_clip, title="Kept")
    office.page.route("**/add/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    office.save()
    assert "connection broke" in office.problem()
    office.page.unroute("**/add/")
    office.slow_down(10_000)  # slow enough that a busy machine presses the button before the file has arrived
    office.save()
    office.page.get_by_test_id("cancel-upload").click()
    assert office.problem() == "Upload cancelled. Nothing was kept."
    office.slow_down(-1)
    office.page.context.clear_cookies(name="sessionid")
    office.save()
    expect(office.page.locator("#upload-problem")).to_contain_text("You are no longer signed in.")
    expect(office.page.locator("#id_title")).to_have_value("Kept")


def test_a_file_of_another_kind_is_refused_before_it_is_sent(office: Office, tmp_path: Path) -> None:
    document = tmp_path / "letter.pdf"
    document.write_bytes(b"%PDF-1.4")
    office.fill_in(document, title="Letter")
    expect(office.page.locator(".field-video_file .vf-field-problem")).to_contain_text("Choose a video file")
    office.save()
    expect(office.transfer).to_be_hidden()


def test_it_works_without_scripts(chromium: Browser, platform: Platform, short_clip: Path) -> None:
    """Without scripts an admin signs in and uploads a film."""
    window = chromium.new_context(java_script_enabled=False)
    office = Office(window.new_page(), platform.origin)
    office.sign_in(to=f"{VIDEOS}add/")
    office.fill_in(short_clip, title="By hand")
    office.save()
    expect(office.page.locator("#messages")).to_contain_text("was added successfully")
    expect(office.state).to_be_visible()
    window.close()


def test_axe_finds_nothing_serious(office: Office, film: str) -> None:
    """axe also finds lesser violations, landmarks in the templates of unfold."""
    office.open(f"{VIDEOS}?q={film}")
    address = office.page.locator("#result_list .field-name a").get_attribute("href") or ""
    for path in ("/admin/", VIDEOS, f"{VIDEOS}add/", address):
        office.open(path)
        violations = Axe().run(office.page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [one["id"] for one in violations if one["impact"] in ("serious", "critical")]
        assert serious == [], path


@pytest.mark.usefixtures("complaints")
def test_the_list_is_filtered_and_what_deleting_would_remove_is_listed(office: Office, film: str) -> None:
    page = office.page
    office.open(f"{VIDEOS}?q={film}")
    expect(page.locator("#result_list .data-row")).to_have_count(1)
    page.locator("#result_list .action-select").check()
    page.get_by_label("Select action to run").select_option("delete_selected")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_test_id("removal-sum")).to_contain_text("stored files with")
    page.get_by_text("Files", exact=True).click()
    for name in ("master.m3u8", "720p.mp4", "poster.jpg", "storyboard.vtt"):
        expect(page.get_by_test_id("removal-list")).to_contain_text(name)
    expect(page.get_by_test_id("removal-stays")).to_contain_text("What stays")
    page.get_by_role("link", name="No, take me back").click()
    office.open(f"{VIDEOS}?q={film}")
    expect(page.locator("#result_list .data-row")).to_have_count(1)


@pytest.mark.parametrize("path", [VIDEOS, "/admin/users_app/user/", "/admin/content_app/favorite/"])
def test_no_list_is_wider_than_its_box(office: Office, film: str, path: str) -> None:
    office.open(path)
    boxes = "[...document.querySelectorAll('.simplebar-content-wrapper')]"
    assert office.page.evaluate(f"{boxes}.filter(box => box.scrollWidth > box.clientWidth).length") == 0
