"""The admin site as staff use it, for the browser tests: what they click and what they then see."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import SOON_MS, Player
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD

VIDEOS = "/admin/content_app/video/"
SLOWLY_BYTES_PER_S = 100_000


@dataclass(frozen=True)
class Office:
    """The admin site in one page. `origin` has no trailing slash: http://localhost:8000."""

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
        """Fills in the form of a video. Without `title` the form keeps the title that it makes of the file's name."""
        self.page.locator("#id_video_file").set_input_files(path)
        if title:
            self.page.locator("#id_title").fill(title)

    def save(self) -> None:
        self.page.locator("[name=_save]").click()

    @property
    def transfer(self) -> Locator:
        """The dialog that shows the progress of the upload."""
        return self.page.get_by_test_id("transfer")

    def problem(self) -> str:
        """Waits until the page says why the file was not kept. Returns that sentence."""
        note = self.page.locator("#upload-problem")
        expect(note).to_be_visible(timeout=SOON_MS)
        expect(self.transfer).to_be_hidden()
        return note.inner_text()

    def slow_down(self, bytes_per_s: int = SLOWLY_BYTES_PER_S) -> None:
        """Limits the upload speed of this page, so that its progress can be seen; -1 removes the limit."""
        session = self.page.context.new_cdp_session(self.page)
        speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
        session.send("Network.emulateNetworkConditions", speed)

    # --- The page of a video ---

    @property
    def state(self) -> Locator:
        return self.page.get_by_test_id("condition").get_by_test_id("state")

    def wait_until_ready(self, *, timeout_s: float = 60) -> None:
        """Waits on the page of the video, which updates itself without a reload."""
        expect(self.state).to_contain_text("Ready", timeout=timeout_s * 1000)
        expect(self.page.get_by_test_id("player")).to_be_visible(timeout=SOON_MS)

    @property
    def player(self) -> Player:
        return Player(self.page)

    def choose_candidate(self, number: int) -> None:
        """Chooses a candidate and waits until the page shows it as the poster."""
        button = self.page.locator(f"#candidate-{number}")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true", timeout=SOON_MS)
