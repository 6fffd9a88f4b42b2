"""Large files on their way, for the browser tests: what the page shows of them and what reaches the bucket."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import Site
from tests.ceph import Ceph
from tests.fault_proxy import Fault, FaultProxy

MEGABYTE = 1024**2
FILM_BYTES = 40 * MEGABYTE
SLOWLY_BYTES_PER_S = 6 * MEGABYTE  # of a page
CONNECTION_BYTES_PER_S = 2 * MEGABYTE
NO_LIMIT = -1


@dataclass(frozen=True)
class Network:
    """Between browsers and the originals in the bucket."""

    proxy: FaultProxy
    originals: str

    def slow_down(self, bytes_per_s: int = CONNECTION_BYTES_PER_S) -> None:
        """Each connection."""
        self.proxy.be(Fault(bytes_per_s=bytes_per_s, method="PUT", path=self.originals))

    def be_normal(self) -> None:
        self.proxy.be_normal()

    @property
    def parts(self) -> int:
        """That were sent, whole or not."""
        return self.proxy.count("PUT", self.originals)


def limit_speed(page: Page, bytes_per_s: int = SLOWLY_BYTES_PER_S) -> None:
    """Of what this page sends from now on."""
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", speed)


def unfinished_parts(server: Ceph, bucket: str) -> list[Any]:
    return list(server.client().list_multipart_uploads(Bucket=bucket, Prefix="originals/").get("Uploads", ()))


def expect_progress(page: Page, least: int) -> None:
    """At least so many percent."""
    page.wait_for_function("least => document.getElementById('transfer-progress').value >= least", arg=least)


def note(page: Page) -> Locator:
    """What the page says about an upload that does not simply go on."""
    return page.get_by_test_id("transfer-note")


def expect_film(site: Site) -> None:
    """On the upload page."""
    expect(site.page.get_by_test_id("outcome")).to_be_visible(timeout=60_000)
    site.wait_until_ready()
