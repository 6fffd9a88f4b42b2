"""The pages in real Chromium: signing in, uploading, playing with sound, seeking and changing the quality."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import Site
from tests.clips import Clip, make_clip
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.browser


def test_an_uploaded_film_becomes_ready_and_plays_with_sound(as_admin: Site, clip: Path) -> None:
    public_id = as_admin.upload(clip, title="Through the page")
    as_admin.wait_until_ready()
    as_admin.page.get_by_test_id("watch-link").click()
    player = as_admin.open_film(public_id)
    player.play()
    player.wait_until_sound_is_decoded()
    assert player.decoded_frames() > 0
    assert player.duration() == pytest.approx(5, abs=0.1)


def test_a_film_seeks_and_changes_quality(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    assert player.qualities() == ["1080p", "720p", "360p", "120p"]
    player.play()
    player.choose_quality("120p")
    player.wait_until_picture_height(120)
    player.seek(0.7)
    player.wait_until_sound_is_decoded()
    player.seek(0.1)  # a change takes effect with the next segment, so the position is not near the end
    player.choose_quality("360p")
    player.wait_until_picture_height(360)


def test_a_phone_video_plays_upright_on_a_phone(chromium: Browser, platform: Platform, tmp_path: Path) -> None:
    """Phones store the picture as the sensor has it, with a note that players must rotate it."""
    lying = make_clip(tmp_path, Clip(size="640x360", rate="30000/1001", duration_s=4, rotation=90))
    phone = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    site = Site(phone.new_page(), platform.origin)
    site.sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    public_id = site.upload(lying, title="From a phone")
    site.wait_until_ready()
    player = site.open_film(public_id)
    player.play()
    width, height = player.picture_size()
    assert height > width
    expect(player.root).to_have_attribute("data-shape", "portrait")
    phone.close()


def test_the_keyboard_plays_and_pauses(as_admin: Site, film: str) -> None:
    player = as_admin.open_film(film)
    as_admin.page.keyboard.press("k")
    player.wait_for_state("playing")
    as_admin.page.keyboard.press("k")
    player.wait_for_state("paused")
    as_admin.page.keyboard.press("ArrowRight")
    player.wait_until_position_passes(4)


def test_the_plain_file_plays_and_seeks_with_sound(as_admin: Site, film: str, platform: Platform) -> None:
    """A front end without HLS plays one MP4 by `<video src>`."""
    page = as_admin.page
    as_admin.open("/")
    page.evaluate(
        """async id => {
            const {url} = await (await fetch(`/content/video-url/${id}/?quality=360p`)).json();
            document.body.innerHTML = '<video id="plain" muted data-testid="plain"></video>';
            const video = document.getElementById('plain');
            video.src = url;
            await new Promise((resolve, reject) => { video.onloadedmetadata = resolve; video.onerror = reject; });
            video.currentTime = 7.5;
            await new Promise(resolve => { video.onseeked = resolve; });
            await video.play();
        }""",
        film,
    )
    page.wait_for_function("() => document.getElementById('plain').currentTime > 8", polling=100)
    facts = page.evaluate(
        "(v => [v.videoHeight, v.webkitAudioDecodedByteCount, v.duration])(document.getElementById('plain'))"
    )
    assert facts[0] == 360
    assert facts[1] > 0
    assert facts[2] == pytest.approx(10, abs=0.05)


def test_the_catalogue_shows_the_film_and_keeps_a_favourite(as_admin: Site, film: str) -> None:
    as_admin.open_catalogue()
    expect(as_admin.card(film)).to_be_visible()
    as_admin.toggle_favorite(film)
    as_admin.open_catalogue()
    assert any("avourite" in title for title in as_admin.row_titles())
    as_admin.toggle_favorite(film)


def test_a_file_that_is_no_film_ends_with_a_sentence(as_admin: Site, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("Not a film at all. " * 50)
    as_admin.upload(text, title="Notes")
    assert as_admin.wait_until_failed().endswith(".")


def test_a_wrong_kind_of_file_is_refused_before_it_is_sent(as_admin: Site, tmp_path: Path) -> None:
    document = tmp_path / "letter.pdf"
    document.write_bytes(b"%PDF-1.4")
    as_admin.choose_file(document)
    expect(as_admin.page.get_by_test_id("file-problem")).to_be_visible()


def test_wrong_passwords_get_a_sentence(site: Site) -> None:
    site.open("/login/")
    site.page.get_by_label("E-mail address").fill(ADMIN_EMAIL)
    site.page.get_by_label("Password", exact=True).fill("wrong")
    site.page.get_by_test_id("sign-in").click()
    expect(site.page.get_by_role("alert")).to_contain_text(re.compile("[a-z]+"))


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(site: Site, film: str) -> None:
    site.open(f"/watch/{film}/")
    expect(site.page.get_by_test_id("login-form")).to_be_visible()
    site.sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    expect(site.page).to_have_url(f"{site.origin}/watch/{film}/")


def test_an_expired_access_cookie_is_renewed_without_a_login(as_admin: Site, film: str) -> None:
    as_admin.page.context.clear_cookies(name="vf_access")
    as_admin.open_catalogue()
    expect(as_admin.card(film)).to_be_visible()


def test_signing_out_ends_it(as_admin: Site) -> None:
    as_admin.open_catalogue()
    as_admin.sign_out()
    as_admin.open("/")
    expect(as_admin.page.get_by_test_id("login-form")).to_be_visible()
