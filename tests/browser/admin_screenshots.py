"""Takes the pictures of the admin site in docs/pictures: `.venv/bin/python -m tests.browser.admin_screenshots`.

Starts a platform of its own with a few films in every state; takes two or three minutes.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from tests.browser.admin_pages import VIDEOS, Office
from tests.browser.films import DEMO, FILMS, make_bilingual, make_film
from tests.browser.pages import CHROMIUM_ARGS
from tests.browser.palette import save_small
from tests.services import PROJECT, Platform

PICTURES = PROJECT / "docs" / "pictures"
# Videos in other states, added after the workers have stopped, so that none of them changes.
OTHER_STATES = """
import uuid
from datetime import timedelta
from django.utils import timezone
from content_app.models import Video
from content_app.tests.factories import make_video
from users_app.models import User

maya = User.objects.create_user("maya@example.com", uuid.uuid4().hex, name="Maya", role="CREATOR")
ago = lambda **time: timezone.now() - timedelta(**time)
add = lambda title, file, **fields: make_video(maya, title=title, name=file, original_name=file, **fields)
add("Night shift", "night-shift.mov", state="processing", progress=42, time_left_s=190, estimate_s=330,
    original_bytes=3_400_000_000, created_at=ago(minutes=9))
add("Birds of the upper valley", "birds.mkv", state="pending", original_bytes=912_000_000, estimate_s=140)
add("Interview, raw", "interview.mov", state="error", error_code="truncated", error_is_final=True,
    created_at=ago(hours=5),
    original_bytes=120_000_000, error_message="The file is cut off: its index is missing, so nothing of it can be"
    " played. Upload it again.")
make_video(maya, title="An old trailer", deleted_at=timezone.now(), created_at=ago(days=9))
films = Video.objects.exclude(version=None)
films.filter(title__startswith="From my").update(owner=maya, visibility="PRIVATE", created_at=ago(hours=20))
films.filter(title__startswith="Blue").update(owner=maya, is_paid=True, price="2.50", created_at=ago(days=2))
films.filter(title__startswith="Into").update(created_at=ago(days=3))
"""


@dataclass(frozen=True)
class Screen:
    name: str
    width: int
    height: int


DESKTOP, PHONE = Screen("desktop", 1280, 860), Screen("phone", 390, 844)


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("Install the chromium package.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        platform = Platform(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGS))
        try:
            platform.start_all()
            film_id, failed_id = fill(platform, Path(folder))
            take_all(Studio(browser, platform), film_id, failed_id)
        finally:
            browser.close()
            platform.stop()


def fill(platform: Platform, folder: Path) -> tuple[int, int]:
    """Returns the ids of a film with captions and two languages, and of one that failed."""
    admin = platform.sign_in()
    clips = [
        (film.title, make_film(folder, film)) for film in FILMS if film.title.split()[0] in ("Blue", "Into", "From")
    ]
    ids = [admin.upload(path, title=title).json()["id"] for title, path in clips]
    film = make_bilingual(folder, DEMO)
    ids.append(admin.upload(film, title="Big Buck Bunny", category="Animation").json()["id"])
    for video_id in ids:
        platform.wait_until_done(admin, video_id, limit_s=240)
    for program in ("worker", "reaper"):
        platform.kill(program)
    done = platform.manage("shell", "-c", OTHER_STATES)
    assert done.returncode == 0, done.stderr
    videos = admin.get("/content/").json()
    return ids[-1], next(video["id"] for video in videos if video["processing_state"] == "error")


def take_all(studio: "Studio", film_id: int, failed_id: int) -> None:
    film, failed = f"{VIDEOS}{film_id}/", f"{VIDEOS}{failed_id}/change/"
    studio.take("overview", "/admin/", DESKTOP, "light")
    studio.take("overview", "/admin/", PHONE, "dark")
    studio.take("list", VIDEOS, DESKTOP, "dark")
    studio.take("list", VIDEOS, PHONE, "light")
    studio.take("video", f"{film}change/", DESKTOP, "light", whole=True)
    studio.take("video", f"{film}change/", PHONE, "dark")
    studio.take("failed", failed, DESKTOP, "dark")
    studio.take("delete", f"{film}delete/", DESKTOP, "light")
    studio.take("queue", "/django-rq/", DESKTOP, "dark")
    studio.take_upload()


class Studio:
    def __init__(self, browser: Browser, platform: Platform) -> None:
        self.browser, self.platform = browser, platform
        self.session: StorageState | None = None

    @contextmanager
    def window(self, screen: Screen, scheme: str) -> Iterator[Office]:
        window = self.browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme="dark" if scheme == "dark" else "light",
            storage_state=self.session,
            is_mobile=screen is PHONE,
        )
        office = Office(window.new_page(), self.platform.origin)
        if self.session is None:
            office.sign_in()
            self.session = window.storage_state()
        yield office
        window.close()

    def take(self, name: str, path: str, screen: Screen, scheme: str, *, whole: bool = False) -> None:
        with self.window(screen, scheme) as office:
            office.open(path)
            office.page.wait_for_load_state("networkidle")
            self.keep(office, name, screen, whole=whole)

    def take_upload(self) -> None:
        with self.window(DESKTOP, "light") as office:
            office.open(f"{VIDEOS}add/")
            office.fill_in(DEMO, title="The bird has something to say")
            office.slow_down()
            office.save()
            expect(office.page.locator("#transfer-done")).to_contain_text("4", timeout=30_000)
            office.page.wait_for_timeout(2500)
            self.keep(office, "upload", DESKTOP)

    def keep(self, office: Office, name: str, screen: Screen, *, whole: bool = False) -> None:
        if whole:  # a sticky element would lie across the middle of the picture
            office.page.add_style_tag(content="#submit-row, #page nav { position: static !important }")
        path = PICTURES / f"admin-{name}-{screen.name}.png"
        draft = self.platform.folder / path.name
        office.page.screenshot(path=draft, full_page=whole)
        save_small(draft, path)


if __name__ == "__main__":
    main()
