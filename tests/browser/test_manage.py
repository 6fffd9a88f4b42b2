"""The owner's panel on the watch page: picture, captions, what was found, deleting."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import CREATOR, VIEWER, ready_film
from tests.browser.pages import Site, on_screen
from tests.clips import Clip, make_clip, run_ffmpeg
from tests.services import Platform

pytestmark = pytest.mark.browser

FRENCH = "1\n00:00:00,000 --> 00:00:02,000\nUn matin calme.\n"


@pytest.fixture(scope="module")
def own_film(people: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A film of a creator, whose picture changes often enough for several candidates."""
    path = make_clip(
        tmp_path_factory.mktemp("own"), Clip(size="320x180", duration_s=3, picture="mandelbrot=end_pts=90")
    )
    return ready_film(people, people.sign_in(*CREATOR), path, title="My own film")


@pytest.fixture
def as_creator(site: Site, people: Platform) -> Site:
    site.be(*CREATOR)
    return site


@pytest.fixture
def panel(as_creator: Site, own_film: str) -> Locator:
    as_creator.open_film(own_film)
    return open_panel(as_creator.page)


def open_panel(page: Page) -> Locator:
    page.get_by_test_id("open-manage").click()
    panel = page.get_by_test_id("manage")
    expect(panel).to_be_visible()
    return panel


def catalogue_picture(site: Site, public_id: str) -> str:
    site.open_catalogue()
    picture = site.picture(public_id)
    expect(picture).to_have_attribute("src", re.compile("."))
    return picture.get_attribute("src") or ""


def test_another_candidate_becomes_the_picture(as_creator: Site, own_film: str) -> None:
    before = catalogue_picture(as_creator, own_film)
    as_creator.open_film(own_film)
    panel = open_panel(as_creator.page)
    choices = panel.get_by_test_id("poster-choices").get_by_role("button")
    expect(choices.first).to_have_attribute("aria-pressed", "true")
    choices.nth(1).press("Enter")
    expect(choices.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(choices.nth(1)).to_be_focused()
    expect(as_creator.page.get_by_test_id("video")).to_have_attribute("poster", re.compile(r"/poster_2\.jpg$"))
    assert catalogue_picture(as_creator, own_film) != before


def test_a_picture_of_ones_own_is_shown_and_taken_back(panel: Locator, tmp_path: Path) -> None:
    picture = tmp_path / "own.png"
    run_ffmpeg("-f", "lavfi", "-i", "color=size=640x360:color=teal", "-frames:v", "1", str(picture))
    panel.get_by_test_id("poster-file").set_input_files(picture)
    own = panel.get_by_role("button", name="Your own picture")
    expect(own).to_have_attribute("aria-pressed", "true", timeout=20_000)
    panel.get_by_test_id("poster-reset").click()
    expect(own).to_have_count(0)
    expect(panel.get_by_role("button", name="Picture 1, suggested")).to_have_attribute("aria-pressed", "true")


def test_captions_are_added_and_removed(panel: Locator, tmp_path: Path) -> None:
    page, file = panel.page, tmp_path / "fr.srt"
    file.write_text(FRENCH)
    panel.get_by_test_id("caption-language").select_option("fr")
    panel.get_by_test_id("caption-file").set_input_files(file)
    panel.get_by_test_id("caption-upload").click()
    expect(panel.get_by_test_id("caption-list")).to_contain_text("Français")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("captions")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_test_id("captions-shown")).to_have_text("Un matin calme.")
    open_panel(page).get_by_role("button", name="Remove the captions Français").click()
    expect(panel.get_by_test_id("caption-list")).to_have_text("This film has no captions yet.")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("captions")).to_be_hidden()


def test_what_is_neither_picture_nor_captions_is_refused_with_a_sentence(panel: Locator, tmp_path: Path) -> None:
    letter = tmp_path / "letter.srt"
    letter.write_text("Dear all,")
    panel.get_by_test_id("poster-file").set_input_files(letter)
    expect(panel.get_by_test_id("poster-problem")).to_have_text(re.compile(r"\w.*\."))
    panel.get_by_test_id("caption-file").set_input_files(letter)
    panel.get_by_test_id("caption-upload").click()
    expect(panel.get_by_test_id("caption-problem")).to_have_text(re.compile(r"\w.*\."))


def test_what_was_found_in_the_file_is_still_known(panel: Locator) -> None:
    expect(panel.get_by_test_id("preflight")).to_contain_text("320×180, 25 frames a second, 3 s")


def test_the_keyboard_opens_and_closes_the_panel_and_the_player_is_left_alone(as_creator: Site, own_film: str) -> None:
    page, player = as_creator.page, as_creator.open_film(own_film)
    button = page.get_by_test_id("open-manage")
    button.press("Enter")
    expect(page.get_by_test_id("manage")).to_be_visible()
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("manage")).to_be_hidden()
    expect(button).to_be_focused()
    player.wait_for_state("paused")


def test_the_panel_fits_a_phone(phone: BrowserContext, people: Platform, own_film: str) -> None:
    site = Site(phone.new_page(), people.origin)
    site.be(*CREATOR)
    site.open_film(own_film)
    panel = open_panel(site.page)
    box = on_screen(panel)
    assert (box["x"], box["width"]) == (0, 390)
    assert panel.evaluate("panel => panel.scrollWidth === panel.clientWidth")


def test_who_only_watches_manages_nothing(site: Site, people: Platform, own_film: str) -> None:
    site.be(*VIEWER)
    site.open_film(own_film)
    expect(site.page.get_by_test_id("open-manage")).to_be_hidden()


def test_an_admin_can_undo_a_deletion(as_admin: Site, own_film: str) -> None:
    page = as_admin.page
    as_admin.open_film(own_film)
    panel = open_panel(page)
    expect(panel.get_by_test_id("delete-sentence")).to_contain_text("“My own film” disappears for everybody at once")
    panel.get_by_test_id("delete").click()
    panel.get_by_role("button", name="Keep it").click()
    expect(panel.get_by_test_id("delete")).to_be_focused()
    panel.get_by_test_id("delete").click()
    panel.get_by_test_id("delete-now").click()
    expect(page.get_by_test_id("farewell")).to_contain_text("“My own film” was deleted.")
    expect(as_admin.card(own_film)).to_have_count(0)
    page.get_by_test_id("undo").click()
    expect(as_admin.card(own_film)).to_be_visible()


def test_an_owner_is_told_who_can_undo_it(panel: Locator, own_film: str) -> None:
    """Last, because the film is gone then."""
    panel.get_by_test_id("delete").click()
    panel.get_by_test_id("delete-now").click()
    farewell = panel.page.get_by_test_id("farewell")
    expect(farewell).to_have_text("“My own film” was deleted. An admin can bring it back.")
    expect(farewell.get_by_role("button")).to_have_count(0)
