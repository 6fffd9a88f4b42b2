"""Files that are no films are refused with a code and a sentence, leave nothing, and do not affect the next film."""

import http.server
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from media_pipeline.ffmpeg.locate import find_ffmpeg
from media_pipeline.tests import forge
from tests.services import Platform, wait_for

SOUND_ARGS = ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"]
IMAGE_ARGS = ["-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", "-c:v", "png", "-f", "image2"]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server that must never get a request, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)


def write_bad(kind: str, path: Path, url: str, neighbour: Path) -> None:
    if kind == "text":
        path.write_text("This is no film.\n" * 100)
    elif kind == "image":
        ffmpeg(*IMAGE_ARGS, str(path.with_suffix(".png")))
        path.write_bytes(path.with_suffix(".png").read_bytes())
    elif kind == "sound":
        ffmpeg(*SOUND_ARGS, str(path))
    elif kind == "playlist":
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{url}/a.ts\n#EXTINF:4,\n{neighbour}\n")
    elif kind == "ffconcat":
        path.write_text(f"ffconcat version 1.0\nfile '{neighbour}'\nfile '{url}/b.mp4'\n")
    elif kind == "cut off":
        path.write_bytes(neighbour.read_bytes()[:20_000])
    else:
        path.write_bytes(FORGED[kind](neighbour))


FORGED: dict[str, Callable[[Path], bytes]] = {
    "huge picture": lambda _: forge.mov([forge.png(16_000, 16_000)], size=(16_000, 16_000)),
    "thousands of tracks": lambda _: forge.mov([forge.png()] * 25, tracks=3000),
    "hours in a header": lambda _: forge.mov([forge.png()] * 3, timescale=1, ticks=5 * 3600),
    "film elsewhere": lambda neighbour: forge.mov([forge.png()] * 25, reference=forge.alias(str(neighbour))),
    "password file": lambda _: forge.mov([forge.png()] * 25, reference=forge.alias("/etc/passwd")),
}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("text", "not_a_video"),
        ("image", "not_a_video"),
        ("sound", "no_video_stream"),
        ("playlist", "not_a_video"),
        ("ffconcat", "not_a_video"),
        ("cut off", "truncated"),
        ("huge picture", "too_large"),
        ("thousands of tracks", "too_large"),
        ("hours in a header", "too_long"),
        ("film elsewhere", "not_a_video"),
        ("password file", "not_a_video"),
    ],
)
def test_a_file_that_is_no_film_fails_with_its_code(
    platform: Platform, clip: Path, tmp_path: Path, listener: tuple[str, list[str]], kind: str, code: str
) -> None:
    path = tmp_path / "bad.mp4"
    write_bad(kind, path, listener[0], clip)
    admin = platform.sign_in()
    uploaded = admin.upload(path, title=f"Bad: {kind}")
    assert uploaded.status == 201
    video = platform.wait_until_done(admin, uploaded.json()["id"])
    assert (video["processing_state"], video["processing_error_code"]) == ("error", code)
    assert str(video["processing_error"]).endswith(".")
    assert video["is_playable"] is False
    assert listener[1] == [], "the file caused a request"
    assert not list((platform.folder / "media" / "videos").glob(f"{video['public_id']}/*"))
    wait_for(lambda: not list((platform.folder / "work").iterdir()), what="an empty work folder")


def test_the_next_film_is_unaffected(platform: Platform, clip: Path) -> None:
    admin = platform.sign_in()
    video = platform.wait_until_done(admin, admin.upload(clip, title="Next").json()["id"])
    assert video["processing_state"] == "ready"


@pytest.mark.parametrize(
    ("name", "content", "fields"),
    [
        ("film.txt", b"film", {"title": "Wrong extension"}),
        ("film.mp4", b"", {"title": "Empty"}),
        ("film.mp4", b"film", {"title": "x" * 10_000}),
        ("film.mp4", b"film", {}),
        ("film.mp4", b"film", {"title": "NUL\0"}),
        ("film.mp4", b"film", {"title": "Free", "is_paid": "true", "price": "-1"}),
        ("film.mp4", b"film", {"title": "Nowhere", "visibility": "SECRET"}),
    ],
)
def test_bad_fields_are_refused_and_nothing_is_stored(
    platform: Platform, tmp_path: Path, name: str, content: bytes, fields: dict[str, str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    admin = platform.sign_in()
    before = len(admin.get("/content/").json())
    answer = admin.upload(path, **fields)
    assert answer.status == 400
    assert answer.json()["code"]
    assert len(admin.get("/content/").json()) == before
    assert not list((platform.folder / "media" / "incoming").iterdir())


def test_an_upload_cut_off_in_the_middle_leaves_nothing(platform: Platform, clip: Path) -> None:
    admin = platform.sign_in()
    before = len(admin.get("/content/").json())
    host = urlsplit(platform.origin)
    cookie = admin.cookie_header()["Cookie"]
    boundary = "cut"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode()
    with socket.create_connection(("127.0.0.1", host.port or 80)) as connection:
        connection.sendall(
            (
                f"POST /api/v1/videos/ HTTP/1.1\r\nHost: {host.netloc}\r\n"
                f"Origin: {admin.origin}\r\nCookie: {cookie}\r\n"
                f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: 100000000\r\n\r\n"
            ).encode()
            + head
            + clip.read_bytes()
        )
    wait_for(lambda: not list((platform.folder / "media" / "incoming").iterdir()), what="an empty incoming folder")
    assert len(admin.get("/content/").json()) == before
    assert admin.get("/health/").status == 200
