"""Sign in, upload, wait, play: through the real server, queue, workers and ffmpeg."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from media_pipeline.packaging import playlists
from tests.client import Client
from tests.clips import run_ffmpeg
from tests.services import Platform


@pytest.fixture(scope="module")
def ready(platform: Platform, clip: Path) -> tuple[Client, dict[str, object]]:
    admin = platform.sign_in()
    uploaded = admin.upload(clip, title="Spine")
    assert uploaded.status == 201, uploaded.body
    video = platform.wait_until_done(admin, uploaded.json()["id"])
    assert video["processing_state"] == "ready", video
    return admin, video


def test_an_upload_becomes_a_playable_film(platform: Platform, ready: tuple[Client, dict[str, object]]) -> None:
    _, video = ready
    assert video["is_playable"] is True
    assert video["processing_progress"] == 100
    assert video["duration"] == pytest.approx(5, abs=0.1)
    assert list(video["converted_files"]) == ["120p", "360p"]  # type: ignore[call-overload]


def test_every_byte_range_that_hls_names_can_be_fetched(ready: tuple[Client, dict[str, object]]) -> None:
    admin, video = ready
    master_url = str(video["hls_url"])
    master = admin.get(master_url)
    assert master.status == 200
    stranger = Client(admin.origin)  # a player sends no cookie; the grant is in the address
    for uri in playlists.uris(master.body.decode()):
        address = urljoin(master_url, uri)
        playlist = stranger.get(address)
        assert playlist.status == 200, address
        for file, segment in playlists.parse_segments(playlist.body.decode()):
            byte_range = f"bytes={segment.offset}-{segment.offset + segment.size - 1}"
            part = stranger.get(urljoin(address, file), {"Range": byte_range})
            assert (part.status, len(part.body)) == (206, segment.size)
            assert part.body[4:8] == b"moof"


def test_media_without_a_grant_is_refused(ready: tuple[Client, dict[str, object]]) -> None:
    admin, video = ready
    url = admin.get(f"/content/video-url/{video['id']}/?quality=360p").json()["url"]
    assert admin.get(url, {"Range": "bytes=0-9"}).status == 206
    bare = re.sub(r"/media/file/[^/]+/", "/media/file/", url)
    broken = re.sub(r"/media/file/([^/]+)/", r"/media/file/\1x/", url)
    assert (admin.get(bare).status, admin.get(broken).status) == (403, 403)


def test_a_stranger_sees_nothing(platform: Platform, ready: tuple[Client, dict[str, object]]) -> None:
    _, video = ready
    stranger = Client(platform.origin)
    assert stranger.get("/content/").status == 401
    assert stranger.get(str(video["hls_url"])).status == 401


@pytest.mark.parametrize("field", ["image_file", "image_small"])
def test_the_posters_of_a_listed_film_are_public_and_long_cached(
    platform: Platform, ready: tuple[Client, dict[str, object]], field: str
) -> None:
    _, video = ready
    poster = Client(platform.origin).get(str(video[field]))
    assert poster.status == 200
    assert poster.body.startswith(b"\xff\xd8")
    assert "immutable" in poster.headers["cache-control"]


def test_its_owner_brings_a_poster_and_captions_of_their_own(
    ready: tuple[Client, dict[str, object]], tmp_path: Path
) -> None:
    admin, video = ready
    folder, picture, words = f"/api/v1/videos/{video['id']}", tmp_path / "mine.png", tmp_path / "mine.srt"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=size=2000x1000", "-frames:v", "1", str(picture))
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nGuten Morgen\n")
    poster = admin.upload(picture, to=f"{folder}/poster/", method="PUT").json()
    captions = admin.upload(words, to=f"{folder}/captions/de/").json()
    stranger = Client(admin.origin)
    assert poster["is_uploaded"]
    large, small = (stranger.get(poster[name]).body for name in ("current", "current_small"))
    assert large.startswith(b"\xff\xd8")
    assert small.startswith(b"\xff\xd8")
    assert len(small) < len(large) / 2
    assert b"Guten Morgen" in admin.get(captions["url"]).body
    master = admin.get(str(video["hls_url"])).body.decode()
    (playlist,) = [uri for uri in playlists.uris(master) if "captions_de" in uri]
    (file,) = playlists.uris(stranger.get(playlist).body.decode())
    assert b"Guten Morgen" in stranger.get(urljoin(admin.origin + playlist, file)).body


def test_the_command_line_adds_a_film_too(platform: Platform, clip: Path) -> None:
    done = platform.manage("process_video", str(clip), "--title", "By hand")
    assert done.returncode == 0, done.stderr
    assert "is ready: 5.0 s in 120p, 360p" in done.stdout
