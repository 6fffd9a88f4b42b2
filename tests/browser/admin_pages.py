"""The admin site as staff use it, for the browser tests: what is clicked, and what can then be seen."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import SOON_MS, Player
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD

VIDEOS = "/admin/content_app/video/"
SLOWLY_BYTES_PER_S = 100_000


@dataclass(frozen=True)
class Office:
    """`origin` without a trailing slash: http://localhost:8000."""

    page: Page
    origin: str

    def open(self, path: str) -> None:
        self.page.goto(f"{self.origin}{path}")

    def sign_in(self, *, to: str = "/admin/") -> None:
        self.open(f"/admin/login/?next={to}")
        self.page.get_by_label("Email").fill(ADMIN_EMAIL)
        self.page.get_by_label("Password").fill(ADMIN_PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.origin}{to}")

    # --- Upload ---

    def fill_in(self, path: Path, *, title: str = "") -> None:
        """On the form of a video; without a title the one from the file's name stays."""
        self.page.locator("#id_video_file").set_input_files(path)
        if title:
            self.page.locator("#id_title").fill(title)

    def save(self) -> None:
        self.page.locator("[name=_save]").click()

    @property
    def transfer(self) -> Locator:
        """The window that shows how far the upload is."""
        return self.page.get_by_test_id("transfer")

    def problem(self) -> str:
        """Why the file was not kept, once the page says so."""
        note = self.page.locator("#upload-problem")
        expect(note).to_be_visible(timeout=SOON_MS)
        expect(self.transfer).to_be_hidden()
        return note.inner_text()

    def slow_down(self, bytes_per_s: int = SLOWLY_BYTES_PER_S) -> None:
        """From now on this page sends slowly enough that one can see how far it is; -1: as fast as it can."""
        session = self.page.context.new_cdp_session(self.page)
        speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
        session.send("Network.emulateNetworkConditions", speed)

    # --- The page of a video ---

    @property
    def state(self) -> Locator:
        return self.page.get_by_test_id("condition").get_by_test_id("state")

    def wait_until_ready(self, *, timeout_s: float = 60) -> None:
        """The page notices by itself, nothing is reloaded."""
        expect(self.state).to_contain_text("Ready", timeout=timeout_s * 1000)
        expect(self.page.get_by_test_id("player")).to_be_visible(timeout=SOON_MS)

    @property
    def player(self) -> Player:
        return Player(self.page)

    def choose_candidate(self, number: int) -> None:
        """Returns when the page shows it as the poster."""
        button = self.page.locator(f"#candidate-{number}")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true", timeout=SOON_MS)
