"""The player on a phone in real Chromium: what taps do, and what it shows."""

import re
import time

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.pages import Player, Site, on_screen
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser

LEFT, MIDDLE, RIGHT = 0.1, 0.5, 0.9


class Finger:
    """Taps on the picture of a player, at a fraction of its width."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.session = player.page.context.new_cdp_session(player.page)

    def tap(self, fraction: float, *, at_s: float | None = None) -> None:
        """Taps. `at_s` is the Unix time that the browser gets as the time of the tap."""
        box = on_screen(self.player.root)
        point = {"x": box["x"] + fraction * box["width"], "y": box["y"] + box["height"] * 0.4}
        when = {} if at_s is None else {"timestamp": at_s}
        self.session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point], **when})
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": [], **when})

    def tap_quickly(self, fraction: float, times: int) -> None:
        """Taps with times a tenth of a second apart, however long a busy machine takes to send them."""
        now = time.time()
        for number in range(times):
            self.tap(fraction, at_s=now + number / 10)


@pytest.fixture
def player(phone: BrowserContext, platform: Platform, film: str) -> Player:
    site = Site(phone.new_page(), platform.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    return site.open_film(film)


@pytest.fixture
def finger(player: Player) -> Finger:
    """A finger on a player that plays slowly and has hidden its controls."""
    player.page.get_by_test_id("speed").tap()
    player.page.get_by_role("menuitemradio", name="0.5×").tap()
    player.page.get_by_test_id("big-play").tap()
    player.wait_for_state("playing")
    expect(player.root).to_have_attribute("data-controls", "hidden", timeout=15_000)
    return Finger(player)


def test_a_tap_shows_the_controls_and_the_next_one_pauses(player: Player, finger: Finger) -> None:
    now = time.time()
    finger.tap(MIDDLE, at_s=now)
    expect(player.root).to_have_attribute("data-controls", "shown")
    expect(player.root).to_have_attribute("data-state", "playing")
    finger.tap(MIDDLE, at_s=now + 1)
    player.wait_for_state("paused")


def test_two_taps_at_the_left_go_back_ten_seconds_and_the_film_plays_on(player: Player, finger: Finger) -> None:
    player.wait_until_position_passes(2)
    finger.tap_quickly(LEFT, 2)
    expect(player.page.get_by_test_id("skipped")).to_have_text("− 10 s")
    assert player.position() < 2
    expect(player.root).to_have_attribute("data-state", re.compile("playing|buffering"))


def test_each_further_tap_at_the_right_goes_ten_seconds_on(player: Player, finger: Finger) -> None:
    finger.tap_quickly(RIGHT, 3)
    expect(player.page.get_by_test_id("skipped")).to_have_text("+ 20 s")
    player.wait_until_position_passes(9)


def test_two_taps_in_the_middle_fill_the_screen(player: Player, finger: Finger) -> None:
    finger.tap_quickly(MIDDLE, 2)
    expect(player.root).to_have_attribute("data-fullscreen", "true")
    expect(player.root).to_have_attribute("data-state", re.compile("playing|buffering"))


@pytest.mark.parametrize("width", [320, 360, 390])
def test_the_total_time_and_every_control_are_on_the_screen(player: Player, width: int) -> None:
    player.page.set_viewport_size({"width": width, "height": 700})
    expect(player.page.get_by_test_id("time-total")).to_be_visible()
    expect(player.page.get_by_test_id("time-total")).to_have_text("0:10")
    box = on_screen(player.root)
    for control in player.page.locator(".controls :is(.control, .time):visible").all():
        place = on_screen(control)
        assert place["x"] >= box["x"]
        assert place["x"] + place["width"] <= box["x"] + box["width"]
