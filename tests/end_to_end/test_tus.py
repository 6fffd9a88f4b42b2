"""Resumable uploads through the real server: lost connections, a killed server, two writers."""

import base64
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.linux import descendants
from tests.client import Answer, Client
from tests.services import Platform, wait_for

V1 = {"Tus-Resumable": "1.0.0"}
CHUNK_TYPE = "application/offset+octet-stream"
CHUNK_BYTES = 1_000_000
PADDING_BYTES = 3_000_000


@pytest.fixture(scope="module")
def film(clip: Path) -> bytes:
    """The clip with an empty `free` box behind it, so that it takes several chunks."""
    return clip.read_bytes() + (PADDING_BYTES + 8).to_bytes(4, "big") + b"free" + bytes(PADDING_BYTES)


def begin(client: Client, film: bytes, title: str) -> str:
    texts = {"filename": "film.mp4", "title": title, "visibility": "PRIVATE"}
    pairs = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in texts.items())
    headers = {**V1, "Upload-Length": str(len(film)), "Upload-Metadata": pairs, "Origin": client.origin}
    begun = client.request("POST", "/api/v1/upload/tus/", b"", headers)
    assert begun.status == 201, begun.body
    return begun.headers["location"]


def patch(client: Client, url: str, chunk: bytes, offset: int) -> Answer:
    headers = {**V1, "Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE, "Origin": client.origin}
    return client.request("PATCH", url, chunk, headers)


def offset_of(client: Client, url: str) -> int:
    return int(client.request("HEAD", url, headers=V1).headers["upload-offset"])


def go_on(client: Client, url: str, film: bytes) -> None:
    """Sends the rest of the film, from the offset that the server names."""
    offset = offset_of(client, url)
    while offset < len(film):
        answer = patch(client, url, film[offset : offset + CHUNK_BYTES], offset)
        assert answer.status == 204, answer.body
        offset = int(answer.headers["upload-offset"])


def public_id(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def wait_until_ready(platform: Platform, client: Client, url: str) -> None:
    (video,) = [one for one in client.get("/content/").json() if one["public_id"] == public_id(url)]
    done = platform.wait_until_done(client, video["id"])
    assert (done["processing_state"], done["duration"]) == ("ready", pytest.approx(5, abs=0.1)), done


def partial_files(platform: Platform) -> list[Path]:
    return list((platform.folder / "media" / "uploads").iterdir())


@contextmanager
def unfinished_chunk(client: Client, url: str, came: bytes, *, offset: int, of_bytes: int) -> Iterator[None]:
    """Sends the beginning `came` of a chunk of `of_bytes`; the connection is closed at the end of the block."""
    host = urlsplit(client.origin)
    head = (
        f"PATCH {urlsplit(url).path} HTTP/1.1\r\nHost: {host.netloc}\r\nOrigin: {client.origin}\r\n"
        f"Cookie: {client.cookie_header()['Cookie']}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
        f"Content-Type: {CHUNK_TYPE}\r\nContent-Length: {of_bytes}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", host.port or 80), timeout=60) as connection:
        connection.sendall(head.encode() + came)
        # The server writes whole blocks of 64 KiB, so the rest of `came` may still be missing.
        wait_for(lambda: offset_of(client, url) > offset + len(came) - 65_536, what="the chunk's beginning")
        yield


def kill_web(platform: Platform) -> None:
    """Sends SIGKILL to the server and to its processes, which answer requests."""
    answering = descendants(platform.programs["web"].pid)
    platform.kill("web")
    for pid in answering:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_film_comes_in_chunks_and_becomes_ready(platform: Platform, film: bytes) -> None:
    admin = platform.sign_in()
    url = begin(admin, film, "In chunks")
    go_on(admin, url, film)
    wait_until_ready(platform, admin, url)
    assert partial_files(platform) == []


def test_a_lost_connection_keeps_what_had_arrived(platform: Platform, film: bytes) -> None:
    admin = platform.sign_in()
    url = begin(admin, film, "Cut off")
    with unfinished_chunk(admin, url, film[:300_001], offset=0, of_bytes=len(film)):
        pass
    wait_for(lambda: offset_of(admin, url) == 300_001, what="the rest of what came")
    wait_for(lambda: patch(admin, url, film[300_001:300_002], 300_001).status == 204, what="the end of the lock")
    go_on(admin, url, film)
    wait_until_ready(platform, admin, url)


def test_a_killed_server_keeps_what_had_arrived(own_platform: Platform, film: bytes) -> None:
    own_platform.start_all()
    admin = own_platform.sign_in()
    url = begin(admin, film, "Killed")
    assert patch(admin, url, film[:CHUNK_BYTES], 0).status == 204
    with unfinished_chunk(admin, url, film[CHUNK_BYTES : 2 * CHUNK_BYTES], offset=CHUNK_BYTES, of_bytes=2_000_000):
        kill_web(own_platform)
        own_platform.start_web()
        kept = offset_of(admin, url)
        assert 2 * CHUNK_BYTES - 65_536 <= kept <= 2 * CHUNK_BYTES
        assert patch(admin, url, film[kept : kept + 1], kept).status == 204, "the lock ended with the process"
    go_on(admin, url, film)
    wait_until_ready(own_platform, admin, url)


def test_the_second_of_two_writers_has_to_wait(platform: Platform, film: bytes) -> None:
    admin = platform.sign_in()
    url = begin(admin, film, "Two at once")
    with unfinished_chunk(admin, url, film[:200_000], offset=0, of_bytes=len(film)):
        offset = offset_of(admin, url)
        for _ in range(8):  # so that the other process answers some of them
            second = patch(admin, url, film[offset : offset + 10], offset)
            assert (second.status, second.json()["code"]) == (423, "locked")
    wait_for(lambda: offset_of(admin, url) == 200_000, what="the rest of what came")
    go_on(admin, url, film)
    wait_until_ready(platform, admin, url)


def test_an_upload_is_given_up_in_the_middle_of_a_chunk(platform: Platform, film: bytes) -> None:
    admin = platform.sign_in()
    url = begin(admin, film, "Given up")
    with unfinished_chunk(admin, url, film[:200_000], offset=0, of_bytes=len(film)):
        pass

    def is_given_up() -> bool:
        given_up = admin.request("DELETE", url, headers={**V1, "Origin": admin.origin})
        assert given_up.status in {204, 423}, given_up.body  # 423: the server has not noticed the end yet
        return given_up.status == 204

    wait_for(is_given_up, what="the end of the upload")
    assert admin.request("HEAD", url, headers=V1).status == 404
    assert partial_files(platform) == []


@pytest.mark.slow
def test_a_silent_connection_loses_its_lock(own_platform: Platform, film: bytes) -> None:
    own_platform.start_redis()
    own_platform.prepare()
    own_platform.start_web()
    admin = own_platform.sign_in()
    url = begin(admin, film, "Silent")
    with unfinished_chunk(admin, url, film[:200_000], offset=0, of_bytes=len(film)):
        offset = offset_of(admin, url)
        wait_for(
            lambda: patch(admin, url, film[offset : offset + 10], offset).status == 204, what="the end of the lock"
        )
    assert offset_of(admin, url) == offset + 10
