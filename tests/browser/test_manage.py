"""The owner's panel on the watch page: picture, captions, verdict, details, another file, deleting."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import CREATOR, VIEWER, ready_film
from tests.browser.pages import Site, on_screen
from tests.client import Client
from tests.clips import Clip, make_clip, run_ffmpeg
from tests.services import Platform, wait_for

pytestmark = pytest.mark.browser

FRENCH = "1\n00:00:00,000 --> 00:00:02,000\nUn matin calme.\n"


@pytest.fixture(scope="module")
def own_film(people: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The public id of a creator's film, whose picture changes often enough for several poster candidates."""
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


def test_a_file_that_is_neither_picture_nor_captions_is_refused_with_a_sentence(panel: Locator, tmp_path: Path) -> None:
    letter = tmp_path / "letter.srt"
    letter.write_text("Dear all,")
    panel.get_by_test_id("poster-file").set_input_files(letter)
    expect(panel.get_by_test_id("poster-problem")).to_have_text(re.compile(r"\w.*\."))
    panel.get_by_test_id("caption-file").set_input_files(letter)
    panel.get_by_test_id("caption-upload").click()
    expect(panel.get_by_test_id("caption-problem")).to_have_text(re.compile(r"\w.*\."))


def test_the_panel_still_shows_the_verdict_on_the_file(panel: Locator) -> None:
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


@pytest.mark.parametrize("width", [390, 360])
def test_the_panel_fits_a_phone(width: int, phone: BrowserContext, people: Platform, own_film: str) -> None:
    site = Site(phone.new_page(), people.origin)
    site.page.set_viewport_size({"width": width, "height": 740})
    site.be(*CREATOR)
    site.open_film(own_film)
    panel = open_panel(site.page)
    panel.get_by_label("Free or paid").select_option("true")
    box = on_screen(panel)
    assert (box["x"], box["width"]) == (0, width)
    assert panel.evaluate("panel => panel.scrollWidth === panel.clientWidth")


def fill(panel: Locator, **values: str) -> None:
    for label, value in values.items():
        panel.get_by_label(label, exact=False).first.fill(value)


def patch(client: Client, path: str, **fields: str) -> None:
    body, headers = json.dumps(fields).encode(), {"Content-Type": "application/json"}
    assert client.request("PATCH", path, body, headers).status == 200


def test_the_details_of_a_film_are_edited_and_saved(panel: Locator) -> None:
    page = panel.page
    fill(panel, Title="My own film, renamed", Description="By the sea.")
    expect(panel.get_by_test_id("details-status")).to_have_text("Not saved yet.")
    panel.get_by_label("Who may see it").select_option(label="Anyone with the link")
    panel.get_by_test_id("save-details").press("Enter")
    expect(panel.get_by_test_id("details-status")).to_have_text("Saved.")
    expect(page.get_by_test_id("film-title")).to_have_text("My own film, renamed")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.reload()
    open_panel(page)
    expect(panel.get_by_label("Who may see it")).to_have_value("UNLISTED")
    fill(panel, Title="My own film", Description="")
    panel.get_by_label("Who may see it").select_option("PUBLIC")
    panel.get_by_test_id("save-details").click()
    expect(panel.get_by_test_id("details-status")).to_have_text("Saved.")


def test_a_detail_that_cannot_be_saved_has_its_problem_beside_it(panel: Locator) -> None:
    panel.get_by_label("Free or paid").select_option("true")
    panel.get_by_test_id("save-details").click()
    price = panel.get_by_label("Price")
    expect(price).to_be_focused()
    expect(price).to_have_attribute("aria-invalid", "true")
    expect(panel.locator("[data-problem=price]")).to_have_text("A paid video needs a price above 0.")
    panel.get_by_label("Title").fill(" ")
    panel.get_by_test_id("save-details").click()
    expect(panel.locator("[data-problem=title]")).to_have_text("Give the film a title.")


def test_closing_does_not_lose_unsaved_details(panel: Locator) -> None:
    page = panel.page
    panel.get_by_label("Title").fill("Half a title")
    for is_by_key in (True, False):
        if is_by_key:
            page.keyboard.press("Escape")
        else:
            panel.get_by_test_id("manage-close").click()
        expect(panel.get_by_test_id("unsaved")).to_be_visible()
        expect(panel.get_by_test_id("unsaved-stay")).to_be_focused()
        panel.get_by_test_id("unsaved-stay").click()
        expect(panel.get_by_label("Title")).to_be_focused()
    expect(panel.get_by_label("Title")).to_have_value("Half a title")
    panel.get_by_test_id("manage-close").click()
    panel.get_by_test_id("unsaved-discard").click()
    expect(panel).to_be_hidden()
    open_panel(page)
    expect(panel.get_by_label("Title")).to_have_value("My own film")


def test_an_edit_in_another_tab_is_not_overwritten_silently(panel: Locator, people: Platform, own_film: str) -> None:
    """The test changes the film by the API, as another tab would."""
    other, path = people.sign_in(*CREATOR), f"/api/v1/videos/{own_film}/"
    panel.get_by_label("Title").fill("Mine")
    patch(other, path, description="Theirs.")
    panel.get_by_test_id("save-details").click()
    expect(panel.get_by_test_id("details-status")).to_have_text("Saved.")
    expect(panel.get_by_label("Description")).to_have_value("Theirs.")
    panel.get_by_label("Title").fill("Mine again")
    patch(other, path, title="Theirs too")
    panel.get_by_test_id("save-details").click()
    told = panel.locator("[data-problem=title]")
    expect(told).to_have_text("Someone changed this to “Theirs too” in the meantime. Save again to keep yours.")
    assert other.get(path).json()["title"] == "Theirs too"
    fill(panel, Title="My own film", Description="")
    panel.get_by_test_id("save-details").click()
    expect(panel.get_by_test_id("details-status")).to_have_text("Saved.")
    assert other.get(path).json()["title"] == "My own film"


def test_a_replacement_that_is_no_film_changes_nothing_and_says_why(panel: Locator, tmp_path: Path) -> None:
    page, letter, notes = panel.page, tmp_path / "letter.txt", tmp_path / "notes.mov"
    letter.write_text("Dear all,")
    notes.write_text("Not a film at all. " * 50)
    panel.get_by_test_id("replacement-file").set_input_files(letter)
    expect(panel.get_by_test_id("replacement-problem")).to_contain_text("does not look like a video")
    panel.get_by_test_id("replacement-file").set_input_files(notes)
    expect(panel.get_by_test_id("replacement-chosen")).to_have_text("notes.mov, 950 bytes")
    panel.get_by_test_id("replace").press("Enter")
    expect(panel.get_by_test_id("replacement-done")).to_contain_text("The file has arrived.")
    refusal = panel.get_by_test_id("refusal")
    expect(refusal).to_contain_text("The file “notes.mov” was not used", timeout=60_000)
    expect(refusal).to_contain_text("The film was not changed.")
    expect(panel.get_by_test_id("manage-state")).to_be_hidden()
    panel.get_by_test_id("dismiss-refusal").click()
    expect(refusal).to_be_hidden()
    page.reload()
    expect(page.get_by_test_id("watch")).to_have_attribute("data-state", "playable")
    open_panel(page)
    expect(refusal).to_be_hidden()


def test_a_large_replacement_is_sent_apart_from_the_form(
    panel: Locator, people: Platform, own_film: str, large_film: Path
) -> None:
    owner = people.sign_in(*CREATOR)

    def picture() -> str:
        return str(owner.get(f"/content/{own_film}/").json()["image_file"])

    before = picture()
    panel.get_by_test_id("replacement-file").set_input_files(large_film)
    panel.get_by_test_id("replace").click()
    expect(panel.get_by_test_id("replacement-done")).to_contain_text("The file has arrived.", timeout=60_000)
    # A short film may be processed between two polls, and the page then never shows its state.
    wait_for(lambda: picture() != before, what="the new version")
    expect(panel.get_by_test_id("manage-state")).to_be_hidden(timeout=60_000)


def test_a_viewer_has_no_panel(site: Site, people: Platform, own_film: str) -> None:
    site.be(*VIEWER)
    site.open_film(own_film)
    expect(site.page.get_by_test_id("open-manage")).to_be_hidden()


def test_an_admin_can_undo_a_deletion(as_admin: Site, own_film: str) -> None:
    page = as_admin.page
    as_admin.open_film(own_film)
    panel = open_panel(page)
    expect(panel.get_by_test_id("delete-sentence")).to_contain_text("“My own film” disappears for everyone at once")
    panel.get_by_test_id("delete").click()
    panel.get_by_role("button", name="Keep it").click()
    expect(panel.get_by_test_id("delete")).to_be_focused()
    panel.get_by_test_id("delete").click()
    panel.get_by_test_id("delete-now").click()
    expect(page.get_by_test_id("farewell")).to_contain_text("“My own film” was deleted.")
    expect(as_admin.card(own_film)).to_have_count(0)
    page.get_by_test_id("undo").click()
    expect(as_admin.card(own_film)).to_be_visible()


def test_an_owner_can_undo_a_deletion_and_learns_who_can_later(as_creator: Site, panel: Locator, own_film: str) -> None:
    expect(panel.get_by_test_id("delete-sentence")).to_contain_text(
        "You can undo this right away; later an admin can bring it back, until it is deleted for good."
    )
    panel.get_by_test_id("delete").click()
    panel.get_by_test_id("delete-now").click()
    farewell = panel.page.get_by_test_id("farewell")
    expect(farewell).to_contain_text("“My own film” was deleted. Later only an admin can bring it back.")
    panel.page.get_by_test_id("undo").click()
    expect(as_creator.card(own_film)).to_be_visible()
