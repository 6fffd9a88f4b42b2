"""Takes the pictures of docs/pictures/ anew: every page, on a desktop and on a phone.

    .venv/bin/python -m tests.browser.screenshots

It starts a platform of its own and fills it with films that it makes; all takes some minutes on two cores. With
arguments (`catalogue upload`) it takes only the pictures whose names begin with one of them.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import QUIET_ARGS, ready_film
from tests.browser.films import DEMO, FILMS, make_bilingual, make_film
from tests.browser.pages import CHROMIUM_ARGS, SOON_MS, Player, Site
from tests.browser.palette import save_small
from tests.client import Client
from tests.clips import run_ffmpeg
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, PROJECT, Platform

PICTURES = PROJECT / "docs" / "pictures"
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 1.5,
        "is_mobile": True,
        "has_touch": True,
    },
}
DEMO_DESCRIPTION = (
    "The first ten seconds of a bird's quiet morning. An excerpt of the film by the Blender Foundation, © 2008, "
    "www.bigbuckbunny.org, licensed under Creative Commons Attribution 3.0."
)
A_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
LONGEST_WAIT_MS = 120_000
PAINTED_MS = 500  # from the loading of a picture until it is drawn


@dataclass(frozen=True)
class Stage:
    """The platform that the pictures show, and public ids of films on it."""

    platform: Platform
    demo: str  # in two languages
    long: str


Show = Callable[[Site, Stage], None]


@dataclass(frozen=True)
class Shot:
    """A picture to take; `show` brings the page into the state to be shown."""

    name: str
    show: Show
    screens: tuple[str, ...] = ("desktop", "phone")
    schemes: tuple[Literal["dark", "light"], ...] = ("dark",)


# --- What the pictures show ------------------------------------------------------------------------------------------


def sign_in(site: Site, stage: Stage) -> None:
    site.page.context.clear_cookies()
    site.open("/login/")
    site.page.get_by_label("E-mail address").fill("you@example.com")


def register(site: Site, stage: Stage) -> None:
    site.page.context.clear_cookies()
    site.open("/register/")
    for label, text in (("Name", "Ada"), ("E-mail address", "ada@example.com")):
        site.page.get_by_label(label).first.fill(text)


def account(site: Site, stage: Stage) -> None:
    site.open("/account/")
    expect(site.page.get_by_test_id("email-now")).to_have_text(ADMIN_EMAIL)


def sessions(site: Site, stage: Stage) -> None:
    """Shows two sessions: a phone is signed in as well, and the sessions of other pictures are ended."""
    site.page.context.clear_cookies()
    site.sign_in(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
    site.page.evaluate("fetch('/users/sessions/?keep_current=1', {method: 'DELETE'})")
    phone = Client(stage.platform.origin)
    who, kind = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "remember": True}, "application/json"
    phone.request("POST", "/users/login/", json.dumps(who).encode(), {"Content-Type": kind, "User-Agent": A_PHONE})
    site.open("/account/")
    expect(site.page.get_by_text("Mobile Safari on iOS").first).to_be_visible()
    site.page.get_by_role("heading", name="Where you are signed in").evaluate("part => part.scrollIntoView()")


def catalogue(site: Site, stage: Stage) -> None:
    site.open_catalogue()


def rows(site: Site, stage: Stage) -> None:
    """Scrolls down to the rows of unfinished films, favourites and categories."""
    site.open("/login/")
    for left, (public_id, position) in enumerate(((stage.demo, "5.5/10"), (stage.long, "140/312")), 1):
        remember = "([id, left]) => localStorage.setItem(`videoflix.position.${id}`, left)"
        site.page.evaluate(remember, [public_id, f"{position}/{left}"])
    site.open_catalogue()
    scroll_to(site.page, "[data-row=continue]")


def search(site: Site, stage: Stage) -> None:
    site.open("/?q=a%20the")


def offline(site: Site, stage: Stage) -> None:
    site.open_catalogue()
    wait_for_pictures(site.page)
    site.page.context.set_offline(True)
    expect(site.page.get_by_test_id("connection")).not_to_be_empty()


def making(site: Site, stage: Stage) -> None:
    site.open_catalogue()
    expect(site.page.get_by_text(re.compile(r"Processing, [1-9]\d %"))).to_be_visible(timeout=LONGEST_WAIT_MS)
    expect(site.page.get_by_text("Becomes").nth(1)).to_be_visible(timeout=LONGEST_WAIT_MS)
    scroll_to(site.page, "[data-row=underway]")


def watch(site: Site, stage: Stage) -> None:
    player = pause_at(site, stage.demo, 0.47)
    player.show_controls()


def captions(site: Site, stage: Stage) -> None:
    player = pause_at(site, stage.demo, 0.47)
    player.choose("captions", "English")
    player.show_controls()


def languages(site: Site, stage: Stage) -> None:
    player = pause_at(site, stage.demo, 0.47)
    player.menu("language").click()


def storyboard(site: Site, stage: Stage) -> None:
    player = pause_at(site, stage.demo, 0.47)
    player.hover_seekbar(0.2)
    expect(player.preview_picture).to_be_visible()


def manage(site: Site, stage: Stage) -> None:
    site.open_film(stage.demo)
    site.page.get_by_test_id("open-manage").click()
    panel = site.page.get_by_test_id("manage")
    expect(panel.get_by_test_id("caption-list")).to_contain_text("Deutsch")
    expect(panel.get_by_test_id("preflight")).to_be_visible()
    panel.get_by_test_id("manage-close").evaluate("button => button.blur()")


def preparing(site: Site, stage: Stage) -> None:
    site.open_catalogue()
    site.page.locator("[data-row=underway] [data-state=processing] a").first.click()
    expect(site.page.get_by_text(re.compile(r"Processing, [1-9]\d %"))).to_be_visible(timeout=LONGEST_WAIT_MS)
    expect(site.page.get_by_test_id("preflight")).to_be_visible()


def upload(site: Site, stage: Stage) -> None:
    site.choose_file(DEMO)


def upload_verdict(site: Site, stage: Stage) -> None:
    """Shows the verdict on a file that waits behind others: files are examined before they are encoded."""
    site.upload(DEMO, title="Big Buck Bunny, once more", category="Animation")
    details = site.page.get_by_test_id("preflight-details")
    expect(details).to_be_visible(timeout=LONGEST_WAIT_MS)


def unknown_address(site: Site, stage: Stage) -> None:
    site.open("/nowhere/")


SHOTS = (
    Shot("sign-in", sign_in),
    Shot("register", register),
    Shot("account", account),
    Shot("sessions", sessions),
    Shot("catalogue", catalogue, schemes=("dark", "light")),
    Shot("rows", rows),
    Shot("search", search),
    Shot("offline", offline),
    Shot("watch", watch, schemes=("dark", "light")),
    Shot("captions", captions),
    Shot("languages", languages),
    Shot("storyboard", storyboard),
    Shot("manage", manage),
    Shot("upload", upload),
    Shot("unknown-address", unknown_address),
)
# Taken while a film is being processed and others wait.
SHOTS_OF_WORK = (
    Shot("making", making),
    Shot("preparing", preparing),
    Shot("upload-verdict", upload_verdict),
)


def pause_at(site: Site, public_id: str, fraction: float) -> Player:
    player = site.open_film(public_id)
    player.play()
    player.pause()
    player.seek(fraction)
    expect(player.root).not_to_have_attribute("data-quality", "120p")
    return player


def scroll_to(page: Page, selector: str) -> None:
    page.locator(selector).evaluate("row => scrollBy(0, row.getBoundingClientRect().top - 24)")


# --- The stage -------------------------------------------------------------------------------------------------------


@contextmanager
def set_stage(folder: Path) -> Iterator[Stage]:
    platform = Platform(folder)
    try:
        platform.start_all()
        platform.start("errands", sys.executable, "manage.py", "rqworker", "default")
        yield fill(platform, folder)
    finally:
        platform.stop()


def fill(platform: Platform, folder: Path) -> Stage:
    client, ids = platform.sign_in(), {}
    for film in FILMS:
        about = {"title": film.title, "category": film.category, "description": film.description}
        ids[film.title] = ready_film(platform, client, make_film(folder, film), **about)
    about = {"title": "Big Buck Bunny", "category": "Animation", "description": DEMO_DESCRIPTION}
    demo = ready_film(platform, client, make_bilingual(folder, DEMO), **about)
    for public_id in (ids["Water lilies"], ids["Into the fractal"], ids["Old reel, found in the attic"]):
        client.post_json("/content/add-favorite/", {"video_id": public_id})
    return Stage(platform, demo, long=ids["Sunset, very slowly"])


def keep_busy(stage: Stage, folder: Path) -> None:
    """Uploads a film that fails, one that takes minutes, and two that wait behind it."""
    client = stage.platform.sign_in()
    broken, long = folder / "holiday.mp4", folder / "long.mp4"
    broken.write_bytes(DEMO.read_bytes()[:4000])
    run_ffmpeg("-stream_loop", "40", "-i", str(DEMO), "-c", "copy", str(long))
    for path, title in (
        (broken, "A week in the hills"),
        (long, "A bird's whole morning"),
        (DEMO, "The short version"),
        (folder / f"{FILMS[0].title}.mp4", "The reel, scanned again"),
    ):
        client.upload(path, title=title)


# --- Taking them -----------------------------------------------------------------------------------------------------


def take(browser: Browser, stage: Stage, shot: Shot) -> None:
    for screen in shot.screens:
        for scheme in shot.schemes:
            context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", **SCREENS[screen])
            site = Site(context.new_page(), stage.platform.origin)
            site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
            shot.show(site, stage)
            wait_for_pictures(site.page)
            save(site.page, f"{shot.name}-{screen}{'' if scheme == 'dark' else '-light'}.png")
            context.close()


def wait_for_pictures(page: Page) -> None:
    """Waits for the pictures in sight; browsers load the others when the page is scrolled to them."""
    page.wait_for_function(
        """() => [...document.images].every(image => {
            const { top, bottom, width } = image.getBoundingClientRect();
            return (image.complete && image.currentSrc) || !width || bottom < 0 || top > innerHeight;
        })"""
    )
    page.wait_for_timeout(PAINTED_MS)


def save(page: Page, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "taken.png"
        page.screenshot(path=taken)
        save_small(taken, PICTURES / name)


def wanted(shots: tuple[Shot, ...], names: list[str]) -> list[Shot]:
    return [shot for shot in shots if not names or shot.name.startswith(tuple(names))]


def main(names: list[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="videoflix-pictures-"))
    try:
        expect.set_options(timeout=SOON_MS)
        with set_stage(folder) as stage, sync_playwright() as playwright:
            args = [*CHROMIUM_ARGS, *QUIET_ARGS]
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
            for shot in wanted(SHOTS, names):
                take(browser, stage, shot)
            if busy := wanted(SHOTS_OF_WORK, names):
                keep_busy(stage, folder)
                for shot in busy:
                    take(browser, stage, shot)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
