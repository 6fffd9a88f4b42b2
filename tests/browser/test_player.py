"""The player's languages, captions, storyboard, keyboard and memory, in real Chromium."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import CREATOR
from tests.browser.pages import Player, Site, on_screen
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser


def test_the_menus_offer_what_the_film_has(as_admin: Site, bilingual: str, film: str) -> None:
    player = as_admin.open_film(bilingual)
    expect(player.choices("language")).to_have_text(["English", "Deutsch"])
    expect(player.choices("captions")).to_have_text(["Off", "Deutsch", "English"])
    player = as_admin.open_film(film)
    expect(player.menu("language")).to_be_hidden()
    expect(player.menu("captions")).to_be_hidden()


def test_another_language_is_heard_and_remembered_for_this_person(
    as_admin: Site, bilingual: str, people: Platform
) -> None:
    player = as_admin.open_film(bilingual)
    with as_admin.page.expect_response(re.compile(r"/audio_de\.mp4$")):
        player.choose("language", "Deutsch")
    player.play()
    player.wait_until_sound_is_decoded()
    expect(as_admin.open_film(bilingual).menu("language")).to_have_accessible_name("Language: Deutsch")
    as_admin.be(*CREATOR)
    expect(as_admin.open_film(bilingual).menu("language")).to_have_accessible_name("Language: English")


def test_captions_are_drawn_above_the_controls_and_remembered(as_admin: Site, bilingual: str) -> None:
    player = as_admin.open_film(bilingual)
    player.choose("captions", "Deutsch")
    player.seek(0.3)
    expect(player.captions).to_have_text("Ein stiller Morgen, irgendwo an einem Bach.")
    player.show_controls()
    shown, bar = on_screen(player.captions.locator("p")), on_screen(player.page.locator(".seek"))
    assert shown["y"] + shown["height"] <= bar["y"]
    player = as_admin.open_film(bilingual)
    expect(player.menu("captions")).to_have_accessible_name("Captions: Deutsch")


def test_the_c_key_turns_captions_on_and_off(as_admin: Site, bilingual: str) -> None:
    player = as_admin.open_film(bilingual)
    player.seek(0.3)
    player.page.keyboard.press("c")
    # The hint is shown for a moment only.
    expect(player.page.get_by_test_id("player-hint")).to_have_text("Captions: English")
    expect(player.captions).to_have_text("A quiet morning, somewhere by a stream.")
    player.page.keyboard.press("c")
    expect(player.captions).to_have_text("")


def test_captions_that_cannot_be_loaded_leave_the_film_playing(as_admin: Site, bilingual: str) -> None:
    as_admin.page.route("**/captions_en.m3u8", lambda route: route.fulfill(status=404))
    player = as_admin.open_film(bilingual)
    player.menu("captions").click()
    player.page.get_by_role("menuitemradio", name="English").click()
    expect(player.page.get_by_test_id("player-hint")).to_have_text("These captions could not be loaded.")
    expect(player.menu("captions")).to_have_accessible_name("Captions: Off")
    player.play()


def test_a_menu_is_used_by_keyboard_alone(as_admin: Site, bilingual: str) -> None:
    player = as_admin.open_film(bilingual)
    button, keyboard = player.menu("captions"), player.page.keyboard
    button.focus()
    keyboard.press("Enter")
    expect(player.page.get_by_role("menuitemradio", name="Off")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(button).to_have_accessible_name("Captions: Deutsch")
    keyboard.press("Enter")
    keyboard.press("Escape")
    expect(player.page.get_by_test_id("captions-menu")).to_be_hidden()


# --- The storyboard ---


def test_nothing_of_the_storyboard_is_loaded_before_it_is_needed(as_admin: Site, film: str) -> None:
    asked: list[str] = []
    as_admin.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    player = as_admin.open_film(film)
    assert not {"storyboard.vtt", "storyboard.jpg"} & {*asked}
    player.hover_seekbar(0.5)
    expect(player.preview_picture).to_be_visible()
    assert {"storyboard.vtt", "storyboard.jpg"} <= {*asked}


def test_the_mouse_sees_a_picture_of_that_moment_inside_the_player(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    for fraction, time in ((0.01, "0:00"), (0.5, "0:0[45]"), (0.99, "0:09")):
        player.hover_seekbar(fraction)
        expect(player.preview_picture).to_be_visible()
        expect(player.preview).to_have_text(re.compile(time))
        picture, whole = on_screen(player.preview_picture), on_screen(player.root)
        assert picture["width"] / picture["height"] == pytest.approx(16 / 9, rel=0.05)
        assert picture["x"] >= whole["x"]
        assert picture["x"] + picture["width"] <= whole["x"] + whole["width"]
        assert picture["y"] >= whole["y"]


def test_the_keyboard_sees_where_it_seeks_to(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    # The preview of a key is shown for a moment only, so the storyboard is loaded beforehand.
    player.hover_seekbar(0.2)
    expect(player.preview_picture).to_be_visible()
    as_admin.page.mouse.move(0, 0)
    expect(player.preview).to_be_hidden()
    as_admin.page.keyboard.press("5")
    expect(player.preview_picture).to_be_visible()
    expect(player.preview).to_have_text("0:05")
    expect(player.preview).to_be_hidden()


def test_a_finger_sees_where_it_drags_to(phone: BrowserContext, platform: Platform, film: str) -> None:
    site = Site(phone.new_page(), platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    player = site.open_film(film)
    with player.finger_on_seekbar(0.2) as drag_to:
        drag_to(0.7)
        expect(player.preview_picture).to_be_visible()
        expect(player.preview).to_have_text(re.compile("0:0[67]"))
    player.wait_until_position_passes(6)


@pytest.mark.parametrize("refuse", [lambda route: route.fulfill(status=404), lambda route: route.abort()])
def test_without_a_storyboard_there_is_still_the_time(
    as_admin: Site, film: str, refuse: Callable[[Route], None]
) -> None:
    as_admin.page.route("**/storyboard.vtt", refuse)
    player = as_admin.open_film(film)
    player.hover_seekbar(0.5)
    expect(player.preview).to_have_text(re.compile("0:0[45]"))
    expect(player.preview_picture).to_be_hidden()


# --- What it remembers ---


def test_a_film_goes_on_where_it_was_left(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    player.seek(0.6)
    player.play()
    player.pause()
    left_at = int(player.position())
    as_admin.open_catalogue()
    assert "Continue watching" in as_admin.row_titles()
    player = as_admin.open_film(film)
    expect(player.page.get_by_test_id("resumed")).to_contain_text(f"You left off at 0:0{left_at}.")
    player.page.get_by_test_id("start-over").click()
    player.wait_for_state("playing")
    assert player.position() < left_at


def test_the_chosen_quality_is_remembered_for_this_person(as_admin: Site, film: str, people: Platform) -> None:
    as_admin.open_film(film).choose("quality", "360p")
    player = as_admin.open_film(film)
    expect(player.menu("quality")).to_have_accessible_name("Quality: 360p")
    player.play()
    player.wait_until_picture_height(360)
    player.choose_quality("Auto")
    expect(as_admin.open_film(film).root).to_have_attribute("data-quality-mode", "auto")
    as_admin.open_film(film).choose("quality", "120p")
    as_admin.be(*CREATOR)
    expect(as_admin.open_film(film).root).to_have_attribute("data-quality-mode", "auto")


# --- A click on Watch plays ---


def test_a_click_on_watch_plays_and_a_reload_does_not(as_admin: Site, film: str) -> None:
    as_admin.open_catalogue()
    as_admin.card(film).locator("a").click()
    player = Player(as_admin.page)
    player.wait_for_state("playing")
    expect(as_admin.page).to_have_url(f"{as_admin.origin}/watch/{film}/")
    as_admin.page.reload()
    player.wait_for_state("paused")


def test_a_browser_without_autoplay_shows_the_play_button(as_admin: Site, film: str) -> None:
    refuse = "HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    as_admin.page.add_init_script(refuse)
    as_admin.open(f"/watch/{film}/#play")
    Player(as_admin.page).wait_for_state("paused")
    expect(as_admin.page.get_by_test_id("big-play")).to_be_visible()


# --- Its keys ---


def test_the_question_mark_lists_the_keys_and_escape_leads_back(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    keys = player.page.get_by_test_id("keys-dialog")
    player.page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("Captions on or off")
    player.page.keyboard.press("k")  # the dialog gets the key, not the player
    expect(player.root).to_have_attribute("data-state", "paused")
    player.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    player.show_controls()
    player.page.get_by_test_id("keys").click()
    expect(keys).to_be_visible()


def test_every_control_says_what_it_does_and_names_its_key(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    tip = "(control) => getComputedStyle(control, '::after')"
    for name, text in (("mute", '"Mute  [m]"'), ("pip", '"Picture in picture"')):
        player.show_controls()
        control = player.page.get_by_test_id(name)
        control.hover()
        handle = control.element_handle()
        player.page.wait_for_function(f"control => ({tip})(control).visibility === 'visible'", arg=handle)
        assert control.evaluate(f"control => ({tip})(control).content") == text


def test_a_session_does_not_end_during_a_long_film(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    player.play()
    with as_admin.page.expect_response("**/users/refresh/") as renewed:
        as_admin.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=16))
    assert renewed.value.status == 200


# --- The browser's own HLS, as on an iPhone ---


@pytest.fixture
def native(like_safari: Page, platform: Platform) -> Site:
    site = Site(like_safari, platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site


def test_the_browsers_own_hls_plays_the_language_that_is_chosen(native: Site, bilingual: str) -> None:
    """Chromium's own HLS plays all that it has fetched in the old language, so the test chooses before playing."""
    player = native.open_film(bilingual)
    expect(player.choices("language")).to_have_text(["English", "Deutsch"])
    expect(player.menu("language")).to_have_accessible_name("Language: English")
    with native.page.expect_response(re.compile(r"/audio_de\.m3u8$")):
        player.choose("language", "Deutsch")
    assert player.spoken_languages() == ["de"]
    player.play()
    player.wait_until_sound_is_decoded()
    player = native.open_film(bilingual)
    expect(player.menu("language")).to_have_accessible_name("Language: Deutsch")
    assert player.spoken_languages() == ["de"]  # the choice is remembered


def test_the_browsers_own_hls_plays_and_its_captions_are_offered(native: Site, bilingual: str) -> None:
    """Chromium's own HLS has no captions, so the test adds the track that Safari would add."""
    player = native.open_film(bilingual)
    native.page.evaluate(
        """() => {
            const track = document.querySelector('video').addTextTrack('subtitles', 'Deutsch', 'de');
            track.mode = 'hidden';
            track.addCue(new VTTCue(0, 6, '<c.player-big>Guten</c> <i>Morgen</i>'));
            track.mode = 'disabled';
        }"""
    )
    expect(player.choices("captions")).to_have_text(["Off", "Deutsch"])
    player.choose("captions", "Deutsch")
    expect(player.captions).to_have_text("Guten Morgen")
    assert player.captions.locator("p").inner_html() == "<span>Guten</span> <i>Morgen</i>"
    player.play()


# --- Picture in picture ---


def test_the_picture_goes_into_a_window_of_its_own_and_back(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    button = player.page.get_by_test_id("pip")
    for is_out in (True, False):
        player.show_controls()
        button.click()
        expect(button).to_have_attribute("aria-pressed", str(is_out).lower())
        assert player.is_out_of_the_page() is is_out


def test_without_picture_in_picture_nothing_offers_it(as_admin: Site, film: str) -> None:
    refuse = "Object.defineProperty(Document.prototype, 'pictureInPictureEnabled', {value: false})"
    as_admin.page.add_init_script(refuse)
    player = as_admin.open_film(film)
    player.show_controls()
    expect(player.page.get_by_test_id("fullscreen")).to_be_visible()
    expect(player.page.get_by_test_id("pip")).to_be_hidden()


# --- Faults ---


def test_a_lost_connection_is_reported_and_the_film_goes_on_by_itself(as_admin: Site, film: str) -> None:
    page = as_admin.page
    as_admin.open_catalogue()
    slowly = {"offline": False, "latency": 0, "downloadThroughput": 200_000, "uploadThroughput": -1}
    # The page is slow until the connection is back.
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slowly)
    player = as_admin.open_film(film)
    page.context.set_offline(True)
    expect(page.get_by_test_id("connection")).to_contain_text("You are offline")
    page.keyboard.press("k")
    page.keyboard.press("9")  # a paused player has fetched some seconds only, so it must buffer here
    player.wait_for_state("buffering")
    page.context.set_offline(False)
    expect(page.get_by_test_id("connection")).to_have_text("The connection is back.")
    player.wait_for_state("playing", "ended")


def test_controls_are_distinct_in_forced_colours(as_admin: Site, film: str) -> None:
    as_admin.page.emulate_media(forced_colors="active")
    player = as_admin.open_film(film)
    track = as_admin.page.locator(".seek-track")
    assert track.evaluate("track => getComputedStyle(track).backgroundImage").startswith("linear-gradient")
    assert track.evaluate("track => getComputedStyle(track).borderTopWidth") == "1px"
    player.play()
