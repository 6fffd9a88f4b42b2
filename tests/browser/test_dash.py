"""A DASH film of another service, whose manifest lists the last segments only: it plays whole by HLS and by dash.js."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import Site
from tests.browser.test_cross_site import elsewhere, front_end
from tests.ceph import Ceph
from tests.clips import Clip, make_clip
from tests.conftest import bucket_settings
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform
from tests.transcoder import SETTINGS, WINDOW, bring, by_botocore, make_dash, put_folder

pytestmark = pytest.mark.browser

__all__ = ["elsewhere", "front_end"]  # fixtures
BUNDLE = Path(__file__).parent / "dash" / "dash.bundle.js"
LENGTH_S = 9
# As in docs/frontend.md: cookies go with the manifest only, since the addresses in the bucket are signed.
PLAY = """manifest => {
  document.body.innerHTML = '<video muted></video>';
  const player = dashjs.MediaPlayer().create();
  player.on("error", ({error}) => { window.problem = `${error.code}: ${error.message}`; });
  player.setXHRWithCredentialsForType("MPD", true);
  player.initialize(document.querySelector("video"), manifest, true);
  window.player = player;
}"""
PASSES = "at => window.problem || document.querySelector('video').currentTime > at"


@pytest.fixture(scope="module")
def external(
    tmp_path_factory: pytest.TempPathFactory, prepared_database: Path, s3_server: Ceph, front_end: str
) -> Iterator[Platform]:
    """A platform with an external transcoder and a front end of another origin."""
    running = Platform(tmp_path_factory.mktemp("external"), template=prepared_database)
    running.env |= bucket_settings(s3_server, s3_server.make_bucket("dash"), s3_server.url) | SETTINGS
    running.env["CORS_ALLOWED_ORIGINS"] = front_end
    with running.running():
        made = running.manage("setup_bucket")
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture(scope="module")
def film(external: Platform, s3_server: Ceph, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("dash")
    clip = make_clip(folder, Clip(size="640x360", rate="25", duration_s=LENGTH_S))
    admin, video, key = bring(external, clip, "Made as DASH")
    made = make_dash(folder / "made", clip, *WINDOW)
    put_folder(s3_server, external.env["AWS_STORAGE_BUCKET_NAME"], made, key)
    told = by_botocore("PATCH", f"{external.origin}/api/v1/upload/videos/{video['id']}/status/?status=COMPLETED")
    assert told.status_code == 200, told.text
    shown: dict[str, Any] = admin.get(f"/content/{video['id']}/").json()
    return shown


def test_the_watch_site_plays_all_of_it(page: Page, external: Platform, film: dict[str, Any]) -> None:
    site = Site(page, external.origin)
    site.be(ADMIN_EMAIL, ADMIN_PASSWORD)
    player = site.open_film(film["public_id"])
    player.play()
    player.wait_until_sound_is_decoded()
    assert abs(player.duration() - LENGTH_S) < 0.2
    assert player.qualities() == ["360p", "180p"]
    player.choose_quality("180p")
    player.wait_until_picture_height(180)
    player.hover_seekbar(0.5)
    expect(player.preview_picture).to_be_hidden()
    player.seek(0.9)


def test_dash_js_plays_all_of_it_on_a_page_of_another_origin(
    page: Page, external: Platform, film: dict[str, Any], front_end: str
) -> None:
    Site(page, external.origin).be(ADMIN_EMAIL, ADMIN_PASSWORD)
    page.route("**/dash.bundle.js", lambda route: route.fulfill(path=BUNDLE, content_type="text/javascript"))
    page.goto(front_end)
    page.add_script_tag(url="/dash.bundle.js")
    page.evaluate(PLAY, film["dash_url"])
    page.wait_for_function(PASSES, arg=1, polling=100)
    assert page.evaluate("() => window.problem ?? null") is None
    assert abs(page.evaluate("() => player.duration()") - LENGTH_S) < 0.2
    heights = page.evaluate("() => player.getRepresentationsByType('video').map(one => one.height)")
    assert sorted(heights) == [180, 360]
    page.evaluate("() => player.seek(7.5)")
    page.wait_for_function(PASSES, arg=8, polling=100)
    assert page.evaluate("() => window.problem ?? null") is None
    assert page.evaluate("() => document.querySelector('video').webkitAudioDecodedByteCount > 0")
    assert page.evaluate("() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 0")
