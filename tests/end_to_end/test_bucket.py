"""The platform on a bucket of a real S3 server: nothing is kept on disk, and browsers read from the bucket."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from media_pipeline.packaging import playlists
from tests.ceph import Ceph
from tests.client import Answer, Client
from tests.fault_proxy import Fault, FaultProxy
from tests.services import Platform, wait_for

Ready = tuple[Client, dict[str, Any]]


@pytest.fixture(scope="module")
def ready(on_bucket: Platform, clip: Path) -> Ready:
    admin = on_bucket.sign_in()
    uploaded = admin.upload(clip, title="In the bucket", visibility="UNLISTED")
    assert uploaded.status == 201, uploaded.body
    video = on_bucket.wait_until_done(admin, uploaded.json()["id"])
    assert video["processing_state"] == "ready", video
    return admin, video


@pytest.fixture
def proxy(storage_network: FaultProxy) -> Iterator[FaultProxy]:
    yield storage_network
    storage_network.be_normal()


def from_bucket(url: str, byte_range: str = "") -> Answer:
    """Gets an address as a player does, without cookies."""
    parts = urlsplit(url)
    return Client(f"{parts.scheme}://{parts.netloc}").get(url, {"Range": byte_range} if byte_range else {})


def keys_in(server: Ceph, bucket: str) -> list[str]:
    return [one["Key"] for one in server.client().list_objects_v2(Bucket=bucket).get("Contents", [])]


# --- where objects lie -----------------------------------------------------------------------------------------------


def test_everything_is_in_the_bucket_and_nothing_on_disk(
    on_bucket: Platform, ready: Ready, s3_server: Ceph, bucket: str
) -> None:
    _, video = ready
    keys = keys_in(s3_server, bucket)
    assert sum(key.startswith(f"originals/{video['public_id']}/") for key in keys) == 1
    names = {key.rpartition("/")[2] for key in keys if key.startswith(f"videos/{video['public_id']}/")}
    assert {"master.m3u8", "120p.mp4", "360p.mp4", "poster.jpg", "storyboard.jpg", "storyboard.vtt"} <= names

    def is_empty() -> bool:
        with suppress(FileNotFoundError):  # a folder that is being removed
            return not [
                path for name in ("media", "work") for path in (on_bucket.folder / name).rglob("*") if path.is_file()
            ]
        return False

    wait_for(is_empty, what="a disk with nothing of it")


def test_the_source_is_read_once(storage_network: FaultProxy, ready: Ready, bucket: str) -> None:
    """A worker that examines a file encodes it from the same copy."""
    _, video = ready
    assert storage_network.count("GET", f"/{bucket}/originals/{video['public_id']}") == 1


# --- playing ---------------------------------------------------------------------------------------------------------


def test_every_byte_range_that_hls_names_is_read_from_the_bucket(ready: Ready) -> None:
    admin, video = ready
    master_url = str(video["hls_url"])
    stranger = Client(admin.origin)  # a player sends no cookie: the grant is in the address
    for uri in playlists.uris(admin.get(master_url).body.decode()):
        playlist = stranger.get(urljoin(master_url, uri))
        assert (playlist.status, playlist.headers["cache-control"]) == (200, "private, no-store")
        for address, segment in playlists.parse_segments(playlist.body.decode()):
            part = from_bucket(address, f"bytes={segment.offset}-{segment.offset + segment.size - 1}")
            assert (part.status, len(part.body), part.body[4:8]) == (206, segment.size, b"moof")


def test_playlists_are_sent_compressed(ready: Ready) -> None:
    admin, video = ready
    master = admin.get(video["hls_url"]).body.decode()
    (uri, *_) = playlists.uris(master)
    packed = admin.get(uri, {"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(admin.get(uri, {"Accept-Encoding": "gzip;q=0"}).body)


def test_a_film_is_one_signed_address_with_ranges(ready: Ready) -> None:
    admin, video = ready
    url = admin.get(f"/content/video-url/{video['id']}/?quality=360p").json()["url"]
    assert from_bucket(url, "bytes=4-7").body == b"ftyp"
    led = admin.get(video["converted_files"]["360p"])
    assert led.status == 302
    assert from_bucket(led.headers["location"], "bytes=4-7").body == b"ftyp"
    assert from_bucket(url.partition("?")[0]).status == 403
    lifetime = int(re.findall(r"X-Amz-Expires=(\d+)", url)[0])
    assert 5 * 3600 <= lifetime <= 6 * 3600  # as MEDIA_GRANT_MINUTES says


def test_pictures_of_an_unlisted_film_lead_into_the_bucket(ready: Ready) -> None:
    admin, video = ready
    led = Client(admin.origin).get(video["image_file"])
    assert led.status == 302
    assert from_bucket(led.headers["location"]).body[:2] == b"\xff\xd8"
    cues = admin.get(video["storyboard_url"]).body.decode()
    sheet = next(line for line in cues.splitlines() if "#xywh" in line).partition("#")[0]
    assert from_bucket(Client(admin.origin).get(sheet).headers["location"]).body[:2] == b"\xff\xd8"


def test_without_a_valid_grant_no_address_leads_into_the_bucket(ready: Ready) -> None:
    admin, video = ready
    broken = re.sub(r"/media/file/([^/]+)/", r"/media/file/\1x/", video["image_file"])
    bare = re.sub(r"/media/file/[^/]+/", "/media/file/", video["image_file"])
    assert (admin.get(broken).status, admin.get(bare).status) == (403, 403)
    (uri, *_) = playlists.uris(admin.get(video["hls_url"]).body.decode())
    assert admin.get(uri.replace("/120p.m3u8", "/nothing.m3u8").replace("/audio.m3u8", "/nothing.m3u8")).status == 404


# --- faults ----------------------------------------------------------------------------------------------------------


def test_an_upload_while_the_storage_is_away_says_so_and_leaves_no_video(
    on_bucket: Platform, proxy: FaultProxy, clip: Path
) -> None:
    admin = on_bucket.sign_in()
    before = len(admin.get("/content/").json())
    proxy.be(Fault(refuses=True))
    refused = admin.upload(clip, title="Too early")
    assert (refused.status, refused.json()["code"]) == (503, "storage_unavailable")
    assert len(admin.get("/content/").json()) == before


def test_a_film_is_finished_when_the_storage_was_away_for_a_while(
    on_bucket: Platform, proxy: FaultProxy, bucket: str, clip: Path
) -> None:
    admin = on_bucket.sign_in()
    proxy.be(Fault(status=500, times=4, method="GET", path=f"/{bucket}/originals/"))
    video = on_bucket.wait_until_done(admin, admin.upload(clip, title="Patience").json()["id"], limit_s=120)
    assert video["processing_state"] == "ready", video


def test_a_film_that_cannot_be_published_is_tried_again(
    on_bucket: Platform, proxy: FaultProxy, bucket: str, clip: Path
) -> None:
    admin = on_bucket.sign_in()
    proxy.be(Fault(cut_after=5000, times=9, method="PUT", path=f"/{bucket}/videos/"))
    video = on_bucket.wait_until_done(admin, admin.upload(clip, title="Cut").json()["id"], limit_s=120)
    assert video["processing_state"] == "ready", video


def test_the_objects_of_a_deleted_film_are_removed_from_the_bucket(
    on_bucket: Platform, ready: Ready, s3_server: Ceph, bucket: str, clip: Path
) -> None:
    admin, _ = ready
    public_id = on_bucket.wait_until_done(admin, admin.upload(clip, title="Gone").json()["id"])["public_id"]
    gone = on_bucket.manage(
        "shell", "-c", f"from content_app.models import Video; Video.objects.get(public_id='{public_id}').delete()"
    )
    assert gone.returncode == 0, gone.stderr
    wait_for(lambda: not [key for key in keys_in(s3_server, bucket) if public_id in key], what="an empty bucket")
