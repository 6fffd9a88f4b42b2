"""Media, work folder and database on one disk of 400 MB: it never gets so full that the database cannot write."""

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client import Answer, Client
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, PROJECT, Platform

MB = 1024**2
DISK_MB, RESERVE_MB = 400, 64
TUS = "/api/v1/upload/tus/"
V1 = {"Tus-Resumable": "1.0.0"}
CHUNK_TYPE = "application/offset+octet-stream"
CHUNK_BYTES = 16 * MB
NO_ROOM = (507, "insufficient_storage")
IN_NAMESPACE = "VIDEOFLIX_TEST_IN_NAMESPACE"


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """Mounts a disk of DISK_MB at the folder for the block. Yields whether that succeeded."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    is_there = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield is_there
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run_where_one_may_mount(test: str) -> None:
    """Runs the same test as root of a new namespace, which most machines allow every user."""
    assert IN_NAMESPACE not in os.environ, "no disk can be mounted here, neither by this user nor in a namespace"
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, test], cwd=PROJECT, env={**os.environ, IN_NAMESPACE: "1"}, capture_output=True, text=True,
        timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def announce(client: Client, size_bytes: int) -> Answer:
    name = base64.b64encode(b"film.mp4").decode()
    headers = {**V1, "Upload-Length": str(size_bytes), "Upload-Metadata": f"filename {name}"}
    return client.request("POST", TUS, b"", {**headers, "Origin": client.origin})


def send(client: Client, url: str, until: int, offset: int = 0) -> Answer:
    """Sends chunks as the pages do, up to `until` or the first refusal. Returns the last answer."""
    while True:
        headers = {**V1, "Upload-Offset": str(offset), "Content-Type": CHUNK_TYPE, "Origin": client.origin}
        answer = client.request("PATCH", url, bytes(min(until - offset, CHUNK_BYTES)), headers)
        if answer.status != 204 or (offset := int(answer.headers["upload-offset"])) == until:
            return answer


def give_up(client: Client, url: str) -> int:
    return client.request("DELETE", url, b"", {**V1, "Origin": client.origin}).status


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


class Visitor:
    """A user who signs in and asks for the health all the time; `refused` lists the answers other than 200."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.refused: list[tuple[str, int, bytes]] = []
        self.rounds = 0
        self.is_over = threading.Event()

    def __enter__(self) -> "Visitor":
        self.thread = threading.Thread(target=self.visit)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    def visit(self) -> None:
        while not self.is_over.wait(0.1):
            client = Client(self.origin)
            health = client.get("/health/")
            login = client.post_json("/users/login/", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
            self.refused += [("health", health.status, health.body)] if health.status != 200 else []
            self.refused += [("login", login.status, login.body)] if login.status != 200 else []
            self.rounds += 1


@contextmanager
def filled(disk: Path, *, but_mb: float) -> Iterator[None]:
    """Fills the disk up to `but_mb` above the reserve during the block."""
    filler = disk / "filler"
    system = os.statvfs(disk)
    room_bytes = system.f_bavail * system.f_frsize - RESERVE_MB * MB - int(but_mb * MB)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room_bytes)
    try:
        yield
    finally:
        filler.unlink()


def free_mb(disk: Path) -> float:
    system = os.statvfs(disk)
    return system.f_bavail * system.f_frsize / MB


def test_uploads_and_films_leave_the_database_its_room(
    request: pytest.FixtureRequest, tmp_path: Path, prepared_database: Path, clip: Path
) -> None:
    with mounted(tmp_path / "disk") as is_mounted:
        if not is_mounted:
            return run_where_one_may_mount(request.node.nodeid)
        platform = Platform(tmp_path / "disk", template=prepared_database)
        platform.log = tmp_path / "platform.log"
        platform.env |= {"DISK_RESERVE_MB": str(RESERVE_MB), "MAX_ATTEMPTS": "1"}
        with platform.running(), Visitor(platform.origin) as visitor:
            disk, client = platform.folder, platform.sign_in()
            refuse_what_does_not_fit(client)
            stop_before_the_reserve(client, disk)
            process_what_fits(platform, client, disk, clip)
        assert visitor.refused == []
        assert visitor.rounds > 10
        return None


def refuse_what_does_not_fit(client: Client) -> None:
    assert said(announce(client, 900 * MB)) == NO_ROOM
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: announce(client, 120 * MB), range(4)))
    begun = [answer.headers["location"] for answer in answers if answer.status == 201]
    assert len(begun) == 2, "two of 120 MB fit, a third does not"
    assert {said(answer) for answer in answers if answer.status != 201} == {NO_ROOM}
    for url in begun:
        assert send(client, url, 120 * MB - 1).status == 204  # one byte is missing, so that neither is stored yet
    assert [give_up(client, url) for url in begun] == [204, 204]


def stop_before_the_reserve(client: Client, disk: Path) -> None:
    url = announce(client, 100 * MB).headers["location"]
    with filled(disk, but_mb=20):
        assert said(send(client, url, 100 * MB)) == NO_ROOM
        assert free_mb(disk) >= RESERVE_MB - 1, "the database may have written a little meanwhile"
        came = int(client.request("HEAD", url, headers=V1).headers["upload-offset"])
        assert 10 * MB < came <= 20 * MB, "the chunk that met the limit is kept in part"
        assert said(announce(client, 10 * MB)) == NO_ROOM
    assert send(client, url, came + 1, came).status == 204, "the upload goes on from what was kept"
    assert give_up(client, url) == 204


def process_what_fits(platform: Platform, client: Client, disk: Path, clip: Path) -> None:
    with filled(disk, but_mb=5):  # room for the file, but not for its versions
        stuck = client.upload(clip, title="Stuck").json()["id"]
        failed = platform.wait_until_done(client, stuck)
        assert failed["processing_error_code"] == "storage_unavailable"
        assert "room" in failed["processing_error"]
        assert free_mb(disk) >= RESERVE_MB - 1
    assert (
        client.request("POST", f"/api/v1/videos/{stuck}/retry/", b"{}", {"Content-Type": "application/json"}).status
        == 200
    )
    assert platform.wait_until_done(client, stuck)["processing_state"] == "ready"
