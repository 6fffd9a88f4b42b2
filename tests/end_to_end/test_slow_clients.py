"""Slow clients: an upload at 1 Mbit/s and ten paused players must not keep other clients waiting."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest

from tests.client import Client
from tests.services import Platform

ONE_MBIT_BYTES = 125_000
PLAYERS = 10
ASKS = 20
LIMIT_S = 1.0  # a request that waits for a slow client waits for seconds


class SlowUpload(threading.Thread):
    """Sends a film at 1 Mbit/s for `seconds`; then `status` has the beginning of the answer."""

    def __init__(self, client: Client, film: bytes, *, seconds: float) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.film = film.ljust(int(ONE_MBIT_BYTES * seconds), b"\0")
        self.status = b""

    def run(self) -> None:
        host = urlsplit(self.client.origin)
        fields = '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nSlow\r\n'
        part = '--b\r\nContent-Disposition: form-data; name="file"; filename="slow.mp4"\r\n\r\n'
        body = (fields + part).encode() + self.film + b"\r\n--b--\r\n"
        head = (
            f"POST /api/v1/videos/ HTTP/1.1\r\nHost: {host.netloc}\r\nOrigin: {self.client.origin}\r\n"
            f"Cookie: {self.client.cookie_header()['Cookie']}\r\nConnection: close\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", host.port or 80), timeout=60) as connection:
            connection.sendall(head.encode())
            for start in range(0, len(body), ONE_MBIT_BYTES // 10):
                connection.sendall(body[start : start + ONE_MBIT_BYTES // 10])
                time.sleep(0.1)
            self.status = connection.recv(64)


@contextmanager
def paused_player(address: str) -> Iterator[None]:
    """Asks for a whole film, reads a little of it and then nothing, so that all buffers are full."""
    parts = urlsplit(address)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with connection:
        connection.connect(("127.0.0.1", parts.port or 80))
        connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 200")
        yield


def answer_times(client: Client, asks: int) -> list[float]:
    times = []
    for _ in range(asks):
        began = time.monotonic()
        assert client.get("/content/").status == 200
        times.append(time.monotonic() - began)
    return times


@pytest.fixture(scope="module")
def film_url(platform: Platform, clip: Path) -> str:
    """A film larger than every buffer between server and player."""
    admin = platform.sign_in()
    video = platform.wait_until_done(admin, admin.upload(clip, title="Paused").json()["id"])
    (rendition,) = (platform.folder / "media" / "videos" / str(video["public_id"])).glob("*/360p.mp4")
    with rendition.open("ab") as file:
        file.truncate(64 * 1024**2)
    return str(admin.get(f"/content/video-url/{video['id']}/?quality=360p").json()["url"])


@pytest.mark.parametrize("seconds", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_the_catalogue_answers_while_slow_clients_hang_on(
    platform: Platform, clip: Path, film_url: str, seconds: float
) -> None:
    """100 s are longer than every timeout of the web server, so a 20-minute upload meets none either."""
    admin = platform.sign_in()
    upload = SlowUpload(admin, clip.read_bytes(), seconds=seconds)
    with ExitStack() as players:
        for _ in range(PLAYERS):
            players.enter_context(paused_player(film_url))
        upload.start()
        times = answer_times(admin, ASKS)
        assert upload.is_alive(), "the upload ended before the answers were measured"
        upload.join(timeout=seconds + 60)
        times += answer_times(admin, ASKS)
    assert upload.status.startswith(b"HTTP/1.1 201"), upload.status
    assert median(times) < LIMIT_S
    assert sorted(times)[int(len(times) * 0.9)] < LIMIT_S
