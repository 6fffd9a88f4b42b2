"""The watch site as users use it, for the browser tests: what they click and what they then see and hear."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.client import Client

# The tests may run in a container without a GPU, and as root.
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio")
SOON_MS = 30_000  # for every expectation without a timeout of its own


@dataclass(frozen=True)
class Site:
    """The watch site in one page. `origin` has no trailing slash: http://localhost:8000."""

    page: Page
    origin: str

    def open(self, path: str) -> None:
        self.page.goto(f"{self.origin}{path}")

    def sign_in(self, *, email: str, password: str) -> None:
        """Signs in by the form of the sign-in page; the page that follows may be any."""
        if not self.page.url.startswith(f"{self.origin}/login/"):
            self.open("/login/")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_test_id("sign-in").click()
        expect(self.page.get_by_test_id("sign-out")).to_be_visible()

    def be(self, email: str, password: str) -> None:
        """Signs in by the API and copies the cookies, for tests that are not about the sign-in page."""
        client = Client(self.origin)
        assert client.post_json("/users/login/", {"email": email, "password": password}).status == 200
        cookies = [{"name": name, "value": value, "url": self.origin} for name, value in client.cookies.items()]
        self.page.context.clear_cookies()
        self.page.context.add_cookies(cookies)  # type: ignore[arg-type]  # a part of what a cookie may have

    def sign_out(self) -> None:
        self.page.get_by_test_id("sign-out").click()
        expect(self.page.get_by_test_id("login-form")).to_be_visible()

    # --- Upload ---

    def choose_file(self, path: Path) -> None:
        """Opens the upload page and chooses a file. A refused file shows a sentence in `file-problem`."""
        self.open("/upload/")
        expect(self.page.get_by_test_id("upload-form")).to_be_visible()
        self.page.locator("#file").set_input_files(path)

    def start_upload(self, *, title: str | None = None, category: str | None = None) -> None:
        """Starts the upload. Without `title` the form keeps the title that it makes of the file's name."""
        if title is not None:
            self.page.get_by_label("Title").fill(title)
        if category is not None:
            self.page.get_by_label("Category").select_option(label=category)
        self.page.get_by_test_id("start-upload").click()

    def upload(
        self, path: Path, *, title: str | None = None, category: str | None = None, timeout_s: float = 60
    ) -> str:
        """Uploads the file and waits until it has arrived. Returns the public id of the film."""
        self.choose_file(path)
        self.start_upload(title=title, category=category)
        outcome = self.page.get_by_test_id("outcome")
        expect(outcome).to_be_visible(timeout=timeout_s * 1000)
        return outcome.get_attribute("data-public-id") or ""

    def wait_until_ready(self, *, timeout_s: float = 120) -> None:
        """Waits on the upload page after an upload; the page updates itself without a reload."""
        outcome = self.page.get_by_test_id("outcome")
        expect(outcome).to_have_attribute("data-state", re.compile("ready|error"), timeout=timeout_s * 1000)
        assert outcome.get_attribute("data-state") == "ready", outcome.inner_text()
        expect(self.page.get_by_test_id("watch-link")).to_be_visible()

    def wait_until_failed(self, *, timeout_s: float = 60) -> str:
        """Waits on the upload page after an upload. Returns the sentence that says what is wrong."""
        expect(self.page.get_by_test_id("outcome")).to_have_attribute("data-state", "error", timeout=timeout_s * 1000)
        return self.page.get_by_test_id("outcome").get_by_test_id("status-detail").inner_text()

    # --- Catalogue ---

    def open_catalogue(self) -> None:
        self.open("/")
        expect(self.page.get_by_test_id("catalogue")).to_have_attribute("data-state", re.compile("ready|empty"))

    def card(self, public_id: str) -> Locator:
        """Returns the first card of the film; its `data-state` is the state, and `status-title` names it in words."""
        return self.page.locator(f'[data-testid=card][data-public-id="{public_id}"]').first

    def picture(self, public_id: str) -> Locator:
        """Returns the picture of the first card, after scrolling to it: the page loads pictures in sight only."""
        card = self.card(public_id)
        card.scroll_into_view_if_needed()
        return card.locator("img")

    def row_titles(self) -> list[str]:
        return [" ".join(text.split()) for text in self.page.get_by_test_id("row").locator("h2").all_inner_texts()]

    def toggle_favorite(self, public_id: str) -> None:
        heart = self.card(public_id).get_by_test_id("favourite")
        was_pressed = heart.get_attribute("aria-pressed")
        with self.page.expect_response("**/content/add-favorite/"):
            heart.click()
        heart = self.card(public_id).get_by_test_id("favourite")  # the card may be in another row now
        expect(heart).not_to_have_attribute("aria-pressed", was_pressed or "")

    # --- Watching ---

    def open_film(self, public_id: str, *, timeout_s: float = 30) -> "Player":
        """Opens the watch page and waits for the player, which appears by itself when a film has been processed."""
        self.open(f"/watch/{public_id}/")
        expect(self.page.get_by_test_id("watch")).to_have_attribute("data-state", "playable", timeout=timeout_s * 1000)
        player = Player(self.page)
        player.wait_for_state("paused", timeout_s=timeout_s)
        return player


@dataclass(frozen=True)
class Player:
    """The player of the watch page that is open."""

    page: Page

    @property
    def root(self) -> Locator:
        return self.page.get_by_test_id("player")

    def wait_for_state(self, *states: str, timeout_s: float = 30) -> None:
        """Waits for one of these states: loading, paused, playing, buffering, ended or error."""
        expect(self.root).to_have_attribute("data-state", re.compile("|".join(states)), timeout=timeout_s * 1000)

    def play(self, *, timeout_s: float = 30) -> None:
        """Plays and waits until the position has moved on."""
        start = self.position()
        self.show_controls()
        self.page.get_by_test_id("play").click()
        self.wait_for_state("playing", timeout_s=timeout_s)
        self.wait_until_position_passes(start + 0.2, timeout_s=timeout_s)

    def pause(self) -> None:
        self.show_controls()
        self.page.get_by_test_id("play").click()
        self.wait_for_state("paused", "ended")

    def seek(self, fraction: float, *, timeout_s: float = 30) -> None:
        """Clicks on the seek bar and waits until there is a picture again."""
        self.show_controls()
        self.page.mouse.click(*self._point_on_seekbar(fraction))
        target_s, tolerance_s = fraction * self.duration(), max(1.0, self.duration() * 0.01)
        self._wait_for(
            "([from, to]) => !v.seeking && v.readyState >= 2 && v.currentTime >= from && v.currentTime <= to",
            [target_s - tolerance_s, target_s + tolerance_s + timeout_s],
            timeout_s=timeout_s,
        )

    def choose_quality(self, name: str, *, timeout_s: float = 30) -> None:
        """Chooses `Auto` or a quality (`720p`) and waits until it is shown (while playing, in the next segment)."""
        self.show_controls()
        self.page.get_by_test_id("quality").click()
        label = re.compile("^Auto") if name == "Auto" else name
        self.page.get_by_role("menuitemradio", name=label, exact=True).click()
        expect(self.root).to_have_attribute("data-quality-mode", "auto" if name == "Auto" else "chosen")
        if name != "Auto":
            expect(self.root).to_have_attribute("data-quality", name, timeout=timeout_s * 1000)

    # --- Languages and captions ---

    def menu(self, name: str) -> Locator:
        """Returns the button of a menu (captions, language, speed or quality), whose accessible name has the choice."""
        return self.page.get_by_test_id(name)

    def choices(self, name: str) -> Locator:
        return self.page.get_by_test_id(f"{name}-menu").get_by_role("menuitemradio", include_hidden=True)

    def choose(self, name: str, label: str) -> None:
        self.show_controls()
        self.menu(name).click()
        self.page.get_by_role("menuitemradio", name=label, exact=True).click()
        expect(self.menu(name)).to_have_accessible_name(f"{name.title()}: {label}")

    @property
    def captions(self) -> Locator:
        return self.page.get_by_test_id("captions-shown")

    # --- The seek bar and its pictures ---

    @property
    def preview(self) -> Locator:
        return self.page.get_by_test_id("preview")

    @property
    def preview_picture(self) -> Locator:
        return self.page.get_by_test_id("preview-picture")

    def hover_seekbar(self, fraction: float) -> None:
        self.show_controls()
        x, y = self._point_on_seekbar(fraction)
        self.page.mouse.move(x - 1, y)
        self.page.mouse.move(x, y)

    @contextmanager
    def finger_on_seekbar(self, fraction: float) -> Iterator[Callable[[float], None]]:
        """Puts a finger on the seek bar. Yields a function that drags it elsewhere; the finger is lifted at the end."""
        session = self.page.context.new_cdp_session(self.page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
            )

        touch("touchStart", self._point_on_seekbar(fraction))
        yield lambda other: touch("touchMove", self._point_on_seekbar(other))
        touch("touchEnd")

    def _point_on_seekbar(self, fraction: float) -> tuple[float, float]:
        box = on_screen(self.page.locator(".seek"))
        return box["x"] + fraction * box["width"], box["y"] + box["height"] / 2

    def qualities(self) -> list[str]:
        """Returns the names of the qualities, highest first, without Auto."""
        names = self.page.get_by_test_id("quality-menu").locator("[data-value]").all()
        return [value for name in names if (value := name.get_attribute("data-value"))]

    def current_quality(self) -> str:
        return self.root.get_attribute("data-quality") or ""

    def show_controls(self) -> None:
        box = on_screen(self.root)
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
        self.page.mouse.move(box["x"] + box["width"] / 2 + 5, box["y"] + box["height"] / 3)
        expect(self.root).to_have_attribute("data-controls", "shown")

    # --- What is on the screen and in the loudspeaker ---

    def position(self) -> float:
        return float(self._read("v.currentTime"))

    def duration(self) -> float:
        return float(self._read("v.duration"))

    def picture_size(self) -> tuple[int, int]:
        """Returns the size of the decoded picture, not of its box on the page."""
        width, height = self._read("[v.videoWidth, v.videoHeight]")
        return width, height

    def spoken_languages(self) -> list[str]:
        """Returns the languages of the enabled soundtracks of the browser's own HLS."""
        languages: list[str] = self._read("[...v.audioTracks].filter(t => t.enabled).map(t => t.language)")
        return languages

    def is_out_of_the_page(self) -> bool:
        """True when the film is shown as picture in picture."""
        return bool(self._read("document.pictureInPictureElement === v"))

    def decoded_frames(self) -> int:
        return int(self._read("v.getVideoPlaybackQuality().totalVideoFrames"))

    def decoded_audio_bytes(self) -> int:
        """Returns Chromium's own count, which grows only while sound is really decoded."""
        return int(self._read("v.webkitAudioDecodedByteCount"))

    def wait_until_position_passes(self, seconds: float, *, timeout_s: float = 30) -> None:
        self._wait_for("at => v.currentTime >= at", seconds, timeout_s=timeout_s)

    def wait_until_sound_is_decoded(self, *, timeout_s: float = 30) -> None:
        before = self.decoded_audio_bytes()
        self._wait_for("before => v.webkitAudioDecodedByteCount > before", before, timeout_s=timeout_s)

    def wait_until_picture_height(self, height: int, *, timeout_s: float = 30) -> None:
        self._wait_for("height => v.videoHeight === height", height, timeout_s=timeout_s)

    def _read(self, expression: str) -> Any:
        return self.page.get_by_test_id("video").evaluate(f"v => {expression}")

    def _wait_for(self, predicate: str, argument: Any, *, timeout_s: float) -> None:
        find_video = "const v = document.querySelector('[data-testid=video]')"
        script = f"argument => {{ {find_video}; return ({predicate})(argument); }}"
        # Polled by interval, because a window without a screen need not draw frames.
        self.page.wait_for_function(script, arg=argument, timeout=timeout_s * 1000, polling=100)


def on_screen(element: Locator) -> FloatRect:
    """Returns the box of the element in pixels of the window."""
    box = element.bounding_box()
    if box is None:
        raise AssertionError(f"{element} is not on the screen")
    return box
