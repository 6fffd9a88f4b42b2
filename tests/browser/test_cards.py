"""Cards of films that are not ready: live progress, and the reason of a failure for users who can act on it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import CREATOR, VIEWER
from tests.browser.pages import Site, on_screen
from tests.services import Platform

pytestmark = pytest.mark.browser

# Records every text of the status on each card from now on, by the film's public id.
RECORD = """() => {
    window.said = {};
    const look = () => document.querySelectorAll('[data-testid=card]').forEach(card => {
        const status = card.querySelector('[data-testid=status]');
        if (status) (window.said[card.dataset.publicId] ??= new Set()).add(status.innerText);
    });
    const changes = {subtree: true, childList: true, characterData: true, attributes: true};
    new MutationObserver(look).observe(document.getElementById('rows'), changes);
    look();
}"""


def said(page: Page, public_id: str) -> str:
    return str(page.evaluate("id => [...window.said[id]].join('\\n---\\n')", public_id))


def failed_film(people: Platform, folder: Path, title: str) -> str:
    """Uploads a text as a film, as a creator, and waits for the failure. Returns the public id."""
    path = folder / "notes.mp4"
    path.write_text("Not a film at all. " * 50)
    creator = people.sign_in(*CREATOR)
    video = creator.upload(path, title=title).json()
    people.wait_until_done(creator, video["id"])
    return str(video["public_id"])


def test_a_card_goes_from_waiting_to_ready_without_a_reload(
    as_admin: Site, errands: Platform, long_clip: Path, clip: Path
) -> None:
    client = errands.sign_in()
    first = client.upload(long_clip, title="In front").json()["public_id"]
    second = client.upload(clip, title="Behind it").json()["public_id"]
    as_admin.open_catalogue()
    as_admin.page.evaluate(RECORD)
    expect(as_admin.card(second)).to_have_attribute("data-state", "pending")
    for public_id in (first, second):
        expect(as_admin.card(public_id).get_by_test_id("favourite")).to_be_visible(timeout=180_000)
    # The record lives in the page: there has been no reload.
    assert re.search(r"Processing, [1-9]\d? %", said(as_admin.page, first))
    assert re.search(r"about \d+ s left|a few seconds left", said(as_admin.page, first))
    assert re.search(r"Waiting: next in the queue, about \d+ (s|min)", said(as_admin.page, second))
    assert re.search(r"640×360, 5 s\s+Becomes 2 qualities, about \d+ s and ", said(as_admin.page, second))


def test_a_failed_film_says_why_to_its_owner_alone(site: Site, people: Platform, tmp_path: Path) -> None:
    public_id = failed_film(people, tmp_path, "Notes of a creator")
    site.be(*CREATOR)
    site.open_catalogue()
    card = site.card(public_id)
    expect(card.get_by_test_id("status-title")).to_have_text("Could not be processed")
    expect(card.get_by_test_id("status-detail")).to_have_text(re.compile(r"\w+.*\.$"))
    expect(card.get_by_test_id("retry")).to_be_hidden()
    assert site.page.locator("[data-row=failed] [data-testid=card]").count() == 1
    assert site.page.get_by_text(re.compile(r"not a video")).count() == 1, "each sentence once"
    card.get_by_test_id("another-file").click()
    panel = site.page.get_by_test_id("manage")
    expect(panel.get_by_role("heading", name="Another file")).to_be_focused()
    assert panel.get_by_text(re.compile(r"not a video")).count() == 1
    site.be(*VIEWER)
    site.open_catalogue()
    expect(site.page.get_by_text("Notes of a creator")).to_have_count(0)
    site.open(f"/watch/{public_id}/")
    unavailable = site.page.get_by_test_id("unavailable")
    expect(unavailable).to_contain_text("This film does not exist, or you do not have access to it.")


def test_the_buttons_of_a_failed_film_fit_a_phone(phone: BrowserContext, people: Platform, tmp_path: Path) -> None:
    public_id = failed_film(people, tmp_path, "Failed, seen on a phone")
    site = Site(phone.new_page(), people.origin)
    site.page.set_viewport_size({"width": 360, "height": 740})
    site.be(*CREATOR)
    site.open(f"/watch/{public_id}/")
    remove, stage = site.page.get_by_test_id("remove"), site.page.locator(".stage")
    expect(remove).to_be_visible()
    button, room = on_screen(remove), on_screen(stage)
    assert button["y"] + button["height"] <= room["y"] + room["height"]
    remove.click()
    expect(site.page.get_by_test_id("farewell")).to_contain_text("was deleted")


def test_a_failed_film_goes_with_one_click_and_comes_back_with_another(
    site: Site, people: Platform, tmp_path: Path
) -> None:
    public_id = failed_film(people, tmp_path, "Failed and unwanted")
    site.be(*CREATOR)
    site.open_catalogue()
    site.card(public_id).get_by_test_id("remove").click()
    expect(site.card(public_id)).to_have_count(0)
    farewell = site.page.get_by_test_id("farewell")
    expect(farewell).to_contain_text("“Failed and unwanted” was deleted. Later only an admin can bring it back.")
    site.page.get_by_test_id("undo").click()
    expect(site.card(public_id)).to_be_visible()
    expect(farewell).to_have_count(0)


def test_the_upload_page_shows_the_verdict_and_the_plan(as_admin: Site, errands: Platform, clip: Path) -> None:
    as_admin.upload(clip, title="Looked at first")
    preflight = as_admin.page.get_by_test_id("preflight")
    expect(preflight).to_have_attribute("data-verdict", re.compile("fine|warnings"), timeout=20_000)
    expect(preflight).to_contain_text("640×360, 23.98 frames a second, 5 s")
    expect(preflight).to_contain_text("360p, 120p")
    expect(preflight).to_contain_text(re.compile(r"about \d+ s and [\d.]+ MB, [\d.]+ MB at most"))
    command = preflight.get_by_role("region", name="Command")
    expect(command).to_be_hidden()
    as_admin.page.get_by_text("Why, and the exact command").click()
    expect(command).to_contain_text("ffmpeg")
    as_admin.wait_until_ready()
