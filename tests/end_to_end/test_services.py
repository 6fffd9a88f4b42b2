"""An external transcoder makes a film: its signed requests, directly and behind Nginx, its result, and playback."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from requests_aws4auth import AWS4Auth

from media_pipeline.packaging import playlists
from tests.ceph import Ceph
from tests.clips import run_ffmpeg
from tests.conftest import bucket_settings
from tests.nginx import Nginx
from tests.services import Platform, started
from tests.transcoder import (
    KEY_ID,
    REGION,
    SECRET,
    SERVICE,
    SETTINGS,
    WINDOW,
    bring,
    by_botocore,
    make_dash,
    put_folder,
    send,
    signed_headers,
)

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def external(
    tmp_path_factory: pytest.TempPathFactory, prepared_database: Path, s3_server: Ceph, bucket: str
) -> Iterator[Platform]:
    """A platform with an external transcoder."""
    running = Platform(tmp_path_factory.mktemp("external"), template=prepared_database)
    running.env |= bucket_settings(s3_server, bucket, s3_server.url)
    running.env |= SETTINGS
    with running.running():
        yield running


@pytest.fixture(scope="module")
def nginx(external: Platform) -> Iterator[Nginx]:
    with started(Nginx(external)) as server:
        yield server


def by_aws4auth(method: str, url: str) -> requests.Response:
    prepared = requests.Request(method, url, auth=AWS4Auth(KEY_ID, SECRET, REGION, SERVICE)).prepare()
    return send(method, url, {name: str(value) for name, value in prepared.headers.items()})


# Each signer takes one way; which one matters little.
WAYS = {"botocore, directly": by_botocore, "requests-aws4auth, behind Nginx": by_aws4auth}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(way: str) -> Ask:
    return WAYS[way]


@pytest.fixture
def origin(way: str, external: Platform, nginx: Nginx) -> str:
    return nginx.origin if "Nginx" in way else external.origin


def make_result(folder: Path, clip: Path) -> Path:
    """Makes HLS with MPEG-TS segments, as external transcoders do. Returns the folder."""
    (folder / "360p").mkdir(parents=True)
    hls = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename"]
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-g", "48"]
    run_ffmpeg("-i", str(clip), *encoding, *hls, str(folder / "360p/seg_%d.ts"), str(folder / "360p/index.m3u8"))
    variant = '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2"'
    (folder / "master.m3u8").write_text(f"#EXTM3U\n{variant}\n360p/index.m3u8\n")
    return folder


def test_a_film_is_found_by_its_key_in_any_spelling(external: Platform, origin: str, ask: Ask, clip: Path) -> None:
    _, video, key = bring(external, clip, "By key")
    base = f"{origin}/api/v1/upload/videos/by-key"
    for written in (key, quote(key, safe=""), f"{key}/"):
        answer = ask("GET", f"{base}/{written}")
        assert (answer.status_code, answer.json()) == (200, {"video_id": video["id"]}), written
    for unknown in ("a%20film%20with%20spaces.mp4", "100%25%2B%C3%BC~.mp4", "x%2Fy%2Fz"):
        assert ask("GET", f"{base}/{unknown}").status_code == 404, unknown


def test_a_result_is_accepted_once_it_is_there_and_then_plays(
    external: Platform, origin: str, ask: Ask, clip: Path, s3_server: Ceph, bucket: str, tmp_path: Path
) -> None:
    admin, video, key = bring(external, clip, "Made elsewhere")
    status = f"{origin}/api/v1/upload/videos/{video['id']}/status/?status=COMPLETED"
    early = ask("PATCH", status)
    assert (early.status_code, early.json()["code"]) == (409, "bad_result")
    put_folder(s3_server, bucket, make_result(tmp_path / "result", clip), key)
    done = ask("PATCH", status)
    assert (done.status_code, done.json()["status"]) == (200, "READY"), done.text
    assert ask("PATCH", status).status_code == 200  # reported again
    shown = admin.get(f"/content/{video['id']}/").json()
    assert (shown["processing_state"], shown["is_playable"]) == ("ready", True)
    (uri,) = playlists.uris(admin.get(shown["hls_url"]).body.decode())
    segments = playlists.uris(admin.get(uri).body.decode())
    assert len(segments) >= 2
    assert requests.get(segments[0], timeout=10).content[:1] == b"\x47"


def test_a_result_in_dash_is_accepted_and_its_manifest_leads_into_the_bucket(
    external: Platform, nginx: Nginx, clip: Path, s3_server: Ceph, bucket: str, tmp_path: Path
) -> None:
    admin, video, key = bring(external, clip, "Made as DASH")
    status = f"{external.origin}/api/v1/upload/videos/{video['id']}/status/?status=COMPLETED"
    made = make_dash(tmp_path / "made", clip, *WINDOW)
    put_folder(s3_server, bucket, made, key)
    for name in ("chunk-stream0-00001.m4s", "chunk-stream1-00001.m4s", "chunk-stream2-00001.m4s"):
        s3_server.client().delete_object(Bucket=bucket, Key=f"{key}/{name}")
    refused = by_botocore("PATCH", status)
    waiting = admin.get(f"/content/{video['id']}/").json()["processing_state"]
    assert (refused.status_code, refused.json()["code"], waiting) == (409, "bad_result", "pending"), refused.text
    assert re.search(r"2\.0 s are missing", refused.json()["detail"]), refused.text
    put_folder(s3_server, bucket, made, key)
    assert by_botocore("PATCH", status).status_code == 200
    shown = admin.get(f"/content/{video['id']}/").json()
    (uri, *_) = playlists.uris(admin.get(shown["hls_url"]).body.decode())
    folder = uri.rpartition("/")[0]
    for address in (shown["dash_url"], f"{folder}/manifest.mpd", f"{nginx.origin}{folder}/manifest.mpd"):
        answer = admin.get(address)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/dash+xml"), address
        addresses = re.findall(r'media="([^"]*)"', answer.body.decode())
        assert len(addresses) == 9
        assert requests.get(unescape(addresses[-1]), timeout=10).content[4:8] == b"styp"
    assert requests.get(shown["dash_url"], timeout=10).status_code == 401


def test_a_missing_or_wrong_signature_is_refused(external: Platform, origin: str, ask: Ask) -> None:
    url = f"{origin}/api/v1/upload/videos/by-key/x"
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, headers={"X-Amzn-RequestId": "f" * 36}, timeout=10).status_code == 401
    wrong = send("GET", url, signed_headers("GET", url, "another-secret-than-ours"))
    assert (wrong.status_code, wrong.json()["code"]) == (403, "signature_wrong")
    elsewhere = f"{origin}/api/v1/upload/videos/by-key/y"
    moved = send("GET", elsewhere, signed_headers("GET", url))
    assert moved.status_code == 403
    # The cookies of users do not count here.
    people = external.sign_in()
    assert people.get("/api/v1/upload/videos/by-key/x/").status == 401


def test_a_service_that_failed_says_so(external: Platform, origin: str, ask: Ask, clip: Path) -> None:
    admin, video, _ = bring(external, clip, "Failed elsewhere")
    assert ask("PATCH", f"{origin}/api/v1/upload/videos/{video['id']}/status?status=FAILED").status_code == 200
    assert admin.get(f"/content/{video['id']}/").json()["processing_error_code"] == "transcoder_failed"
    for wrong in ("", "?status=DONE"):
        assert ask("PATCH", f"{origin}/api/v1/upload/videos/{video['id']}/status{wrong}").status_code == 400
    assert ask("PATCH", f"{origin}/api/v1/upload/videos/999999/status?status=FAILED").status_code == 404
