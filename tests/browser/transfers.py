"""Uploads of large files, for the browser tests: what the page shows and which parts reach the bucket."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import Site
from tests.ceph import Ceph
from tests.fault_proxy import Fault, FaultProxy

MEGABYTE = 1024**2
FILM_BYTES = 40 * MEGABYTE
SLOWLY_BYTES_PER_S = 6 * MEGABYTE  # all connections of a page together
CONNECTION_BYTES_PER_S = 2 * MEGABYTE
NO_LIMIT = -1


@dataclass(frozen=True)
class Network:
    """The network between browsers and the originals in the bucket."""

    proxy: FaultProxy
    originals: str

    def slow_down(self, bytes_per_s: int = CONNECTION_BYTES_PER_S) -> None:
        """Limits the speed of each connection."""
        self.proxy.be(Fault(bytes_per_s=bytes_per_s, method="PUT", path=self.originals))

    def be_normal(self) -> None:
        self.proxy.be_normal()

    @property
    def parts(self) -> int:
        """The number of parts that were sent, complete or not."""
        return self.proxy.count("PUT", self.originals)


def limit_speed(page: Page, bytes_per_s: int = SLOWLY_BYTES_PER_S) -> None:
    """Limits the upload speed of this page from now on."""
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", speed)


def unfinished_parts(server: Ceph, bucket: str) -> list[Any]:
    return list(server.client().list_multipart_uploads(Bucket=bucket, Prefix="originals/").get("Uploads", ()))


def expect_progress(page: Page, least: int) -> None:
    """Waits until the page shows at least this percentage."""
    page.wait_for_function("least => document.getElementById('transfer-progress').value >= least", arg=least)


def note(page: Page) -> Locator:
    """Returns the note about an upload that is paused, continued or interrupted."""
    return page.get_by_test_id("transfer-note")


def expect_film(site: Site) -> None:
    """Waits on the upload page until the film has arrived and is ready."""
    expect(site.page.get_by_test_id("outcome")).to_be_visible(timeout=60_000)
    site.wait_until_ready()
