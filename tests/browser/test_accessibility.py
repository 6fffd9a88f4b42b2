"""axe finds nothing on any page, in any of its states, dark and light."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.pages import Site
from tests.browser.transfers import expect_progress, limit_speed, note
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser

STATES = ("pending", "processing", "error")
# The schemes differ in colours only, so the light one is checked for contrast alone, which is axe's slowest rule.
RULES_OF_SCHEME: Mapping[Literal["dark", "light"], dict[str, list[str]]] = {
    "dark": {},
    "light": {"runOnly": ["color-contrast"]},
}


def findings(page: Page) -> list[str]:
    """Returns what axe finds, without animations: axe cannot judge the colours of what still moves."""
    found = []
    for scheme, rules in RULES_OF_SCHEME.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        response = Axe().run(page, options={"resultTypes": ["violations"], **rules}).response
        for violation in response["violations"]:
            where = [node["html"] for node in violation["nodes"]]
            found += [f"{scheme}: {violation['id']} ({violation['impact']}): {where}"]
    return found


def test_axe_would_find_a_fault(site: Site) -> None:
    site.open("/login/")
    site.page.evaluate("document.querySelector('label').remove()")
    assert any("label (critical)" in finding for finding in findings(site.page))


# --- Pages for strangers ---------------------------------------------------------------------------------------------


def test_the_sign_in_page(site: Site) -> None:
    site.open("/login/")
    site.page.get_by_test_id("sign-in").click()
    expect(site.page.get_by_test_id("login-problem")).to_be_visible()
    assert findings(site.page) == []


def test_the_registration_with_its_complaints(site: Site) -> None:
    site.open("/register/")
    site.page.get_by_test_id("register").click()
    expect(site.page.locator("#email-problem")).to_be_visible()
    assert findings(site.page) == []


def test_the_registration_that_waits_for_its_mail(site: Site) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=400, json={"detail": "This code is wrong or has expired.", "code": "invalid_code"})

    site.page.route("**/users/register/", lambda route: route.fulfill(status=201, json={"email": "ada@example.com"}))
    site.page.route("**/verify-email/", refuse)
    site.open("/register/")
    site.page.get_by_label("E-mail address").fill("ada@example.com")
    site.page.get_by_label("Password", exact=True).fill("a-long-password")
    site.page.get_by_label("Password again").fill("a-long-password")
    site.page.get_by_test_id("register").click()
    site.page.get_by_test_id("send-again").click()
    expect(site.page.get_by_test_id("sent-again")).not_to_be_empty()
    site.page.get_by_label("6-digit code").fill("123456")
    site.page.get_by_test_id("confirm-code").click()
    expect(site.page.get_by_test_id("code-problem")).to_be_visible()
    assert findings(site.page) == []


def test_the_page_for_a_forgotten_password(site: Site) -> None:
    site.page.route("**/users/forgot-password/", lambda route: route.fulfill(json={"detail": "Sent."}))
    site.open("/forgot-password/")
    site.page.get_by_label("E-mail address").fill("ada@example.com")
    site.page.get_by_test_id("send-link").click()
    expect(site.page.get_by_test_id("link-sent")).not_to_be_empty()
    assert findings(site.page) == []


@pytest.mark.parametrize("query", ["?uid=MQ&token=made-up", ""])
def test_the_page_for_a_new_password(site: Site, query: str) -> None:
    site.open(f"/reset-password/{query}")
    if query:
        site.page.get_by_test_id("reset").click()
        expect(site.page.locator("#new_password-problem")).to_be_visible()
    else:
        expect(site.page.get_by_test_id("invalid-link")).to_be_visible()
    assert findings(site.page) == []


def test_the_sign_in_page_with_a_note(site: Site) -> None:
    site.open("/login/?confirmed=1")
    expect(site.page.get_by_test_id("login-note")).not_to_be_empty()
    assert findings(site.page) == []


def test_the_page_for_an_unknown_address(site: Site) -> None:
    site.open("/nowhere")
    assert findings(site.page) == []


# --- The account -----------------------------------------------------------------------------------------------------


def test_the_account_page_with_its_complaints_and_its_question(as_admin: Site) -> None:
    as_admin.open("/account/?email_changed=1")
    page = as_admin.page
    expect(page.get_by_test_id("account-note")).not_to_be_empty()
    page.get_by_test_id("save-profile").click()
    expect(page.get_by_test_id("profile-done")).not_to_be_empty()
    for button in ("change-email", "change-password"):
        page.get_by_test_id(button).click()
    expect(page.locator("#current_password-problem")).to_be_visible()
    assert findings(page) == []
    page.get_by_test_id("delete").click()
    page.get_by_test_id("delete-now").click()
    expect(page.locator("#leave-password-problem")).to_be_visible()
    assert findings(page) == []


# --- The catalogue ---------------------------------------------------------------------------------------------------


def show_rows(site: Site) -> None:
    site.open_catalogue()


def show_results(site: Site) -> None:
    site.open("/?q=bunny")
    expect(site.page.get_by_test_id("results")).to_be_visible()


def show_nothing_found(site: Site) -> None:
    site.open("/?q=zebra")
    expect(site.page.get_by_test_id("nothing-found")).to_be_visible()


def show_no_films(site: Site) -> None:
    site.page.route("**/content/", lambda route: route.fulfill(json=[]))
    site.open_catalogue()


def show_error(site: Site) -> None:
    site.page.route("**/content/", lambda route: route.abort())
    site.open("/")
    expect(site.page.get_by_test_id("problem")).to_be_visible()
    site.page.context.set_offline(True)
    expect(site.page.get_by_test_id("connection")).not_to_be_empty()


@pytest.mark.parametrize("show", [show_rows, show_results, show_nothing_found, show_no_films, show_error])
def test_the_catalogue(as_admin: Site, film: str, show: Callable[[Site], None]) -> None:
    show(as_admin)
    assert findings(as_admin.page) == []


def test_cards_of_films_that_are_not_ready(as_admin: Site, film: str) -> None:
    def tell(route: Route) -> None:
        video = next(video for video in route.fetch().json() if video["public_id"] == film)
        route.fulfill(json=[in_state(video, state, number) for number, state in enumerate(STATES, 1)])

    as_admin.page.route("**/content/", tell)
    as_admin.open_catalogue()
    expect(as_admin.page.get_by_test_id("status")).to_have_count(len(STATES))
    assert findings(as_admin.page) == []


def in_state(video: dict[str, Any], state: str, number: int) -> dict[str, Any]:
    """Returns the video as the API would describe it in this state, in which no real film stays while axe runs."""
    progress = {"processing_state": state, "processing_progress": 40, "processing_time_left": 90}
    progress |= {"processing_place": 2 if state == "pending" else None}
    failure = {"processing_error": "The file ends before its index.", "can_retry": number == 1}
    return {**video, **progress, **failure, "id": number, "is_playable": False, "image_file": None}


# --- The watch page --------------------------------------------------------------------------------------------------


def test_the_player(as_admin: Site, bilingual: str) -> None:
    player = as_admin.open_film(bilingual)
    player.choose("captions", "English")
    player.seek(0.3)
    expect(player.captions).not_to_be_empty()
    as_admin.page.get_by_test_id("language").click()
    assert findings(as_admin.page) == []


@pytest.mark.parametrize("state", ["processing", "error"])
def test_the_watch_page_of_a_film_that_is_not_ready(as_admin: Site, film: str, state: str) -> None:
    def tell(route: Route) -> None:
        route.fulfill(json=in_state(route.fetch().json(), state, 1))

    as_admin.page.route(f"**/content/{film}/", tell)
    as_admin.open(f"/watch/{film}/")
    expect(as_admin.page.get_by_test_id("status")).to_be_visible()
    assert findings(as_admin.page) == []


def test_the_watch_page_of_an_unknown_film(as_admin: Site) -> None:
    as_admin.open("/watch/00000000-0000-4000-8000-000000000000/")
    expect(as_admin.page.get_by_test_id("unavailable")).to_be_visible()
    assert findings(as_admin.page) == []


def test_the_owners_panel(as_admin: Site, bilingual: str) -> None:
    as_admin.open_film(bilingual)
    as_admin.page.get_by_test_id("open-manage").click()
    panel = as_admin.page.get_by_test_id("manage")
    expect(panel.get_by_test_id("caption-list")).to_contain_text("Deutsch")
    panel.get_by_test_id("preflight-details").locator("summary").click()
    panel.get_by_label("Free or paid").select_option("true")
    panel.get_by_test_id("save-details").click()
    expect(panel.locator("[data-problem=price]")).to_be_visible()
    panel.get_by_test_id("delete").click()
    as_admin.page.keyboard.press("Escape")
    expect(panel.get_by_test_id("unsaved")).to_be_visible()
    assert findings(as_admin.page) == []


# --- The upload page -------------------------------------------------------------------------------------------------


def test_the_upload_form_with_its_complaints(as_admin: Site, tmp_path: Path) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF-1.4")
    as_admin.choose_file(letter)
    as_admin.page.get_by_test_id("start-upload").click()
    expect(as_admin.page.locator("#title-problem")).to_be_visible()
    assert findings(as_admin.page) == []


def test_the_upload_page_after_an_upload(as_admin: Site, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("Not a film at all. " * 50)
    as_admin.upload(text, title="Notes for axe")
    as_admin.wait_until_failed()
    assert findings(as_admin.page) == []


def test_the_upload_page_with_a_large_file_that_is_paused_and_left(as_admin: Site, large_film: Path) -> None:
    as_admin.choose_file(large_film)
    limit_speed(as_admin.page)
    as_admin.start_upload(title="A long way")
    expect_progress(as_admin.page, 20)
    as_admin.page.get_by_test_id("pause-upload").click()
    expect(note(as_admin.page)).to_contain_text("Paused.")
    assert findings(as_admin.page) == []
    as_admin.page.reload()
    expect(as_admin.page.get_by_test_id("unfinished")).to_be_visible()
    assert findings(as_admin.page) == []
    as_admin.page.get_by_test_id("discard-upload").click()
    expect(as_admin.page.get_by_test_id("unfinished")).to_be_hidden()


def test_axe_finds_nothing_on_a_phone_either(phone: BrowserContext, platform: Platform, film: str) -> None:
    site = Site(phone.new_page(), platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    site.open_film(film)
    assert findings(site.page) == []
