"""Films that clients upload into a bucket without the web server, and their processing."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.ceph import Ceph
from tests.client import Answer, Client
from tests.conftest import bucket_settings
from tests.fault_proxy import Fault, FaultProxy
from tests.services import Platform, wait_for

ROUTE = "/api/v1/upload/videos"


def put(url: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("PUT", f"{parts.path}?{parts.query}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def post(client: Client, route: str, data: object) -> Answer:
    """Sends a request again after a 503, as clients do: SQLite has one writer, and may be busy."""
    for _ in range(4):
        answer = client.post_json(f"{ROUTE}/{route}/", data)
        if answer.status != 503:
            return answer
        time.sleep(int(answer.headers["retry-after"]))
    return client.post_json(f"{ROUTE}/{route}/", data)


def address(client: Client, name: str = "film.mp4", **more: Any) -> dict[str, Any]:
    answer = post(client, "upload-url", {"filename": name, "content_type": "video/mp4", **more})
    assert answer.status == 201, answer.body
    told: dict[str, Any] = answer.json()
    return told


def describe(client: Client, key: str, title: str) -> dict[str, Any]:
    answer = post(client, "metadata", {"title": title, "video_s3_key": key})
    assert answer.status in (200, 201), answer.body
    video: dict[str, Any] = answer.json()
    return video


def web_received_bytes(platform: Platform) -> int:
    """Returns the bytes that the web server's processes have read, from sockets and from files."""
    total = 0
    for task in Path(f"/proc/{platform.programs['web'].pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            lines = Path(f"/proc/{child}/io").read_text().splitlines()
            total += int(lines[0].partition(": ")[2])
    return total


def test_a_film_becomes_ready_and_not_a_byte_of_it_passes_through_web(on_bucket: Platform, clip: Path) -> None:
    admin = on_bucket.sign_in()
    film = clip.read_bytes() + bytes(30 * 1024**2)  # players and ffmpeg ignore the bytes behind the film
    before = web_received_bytes(on_bucket)
    told = address(admin, size=len(film))
    assert put(told["url"], film, told["headers"]) == 200
    video = describe(admin, told["key"], "Brought directly")
    done = on_bucket.wait_until_done(admin, video["id"])
    assert done["processing_state"] == "ready", done
    assert done["public_id"] == told["media_id"]
    assert web_received_bytes(on_bucket) - before < 5 * 1024**2
    shown = admin.get(f"{ROUTE}/{told['media_id']}/").json()
    assert (shown["processing_status"], shown["upload_problem"]) == ("COMPLETED", "")


def test_a_film_that_is_described_before_it_arrives_is_found(on_bucket: Platform, clip: Path) -> None:
    admin = on_bucket.sign_in()
    told = address(admin)
    video = describe(admin, told["key"], "Described first")
    assert put(told["url"], clip.read_bytes(), told["headers"]) == 200
    assert on_bucket.wait_until_done(admin, video["id"])["processing_state"] == "ready"


def test_a_storage_that_is_away_during_the_check_only_delays_it(
    on_bucket: Platform, storage_network: FaultProxy, bucket: str, clip: Path
) -> None:
    admin = on_bucket.sign_in()
    told = address(admin)
    assert put(told["url"], clip.read_bytes(), told["headers"]) == 200
    storage_network.be(Fault(status=503, times=2, method="GET", path=f"/{bucket}/originals/"))
    try:
        video = describe(admin, told["key"], "Delayed")
        assert on_bucket.wait_until_done(admin, video["id"])["processing_state"] == "ready"
    finally:
        storage_network.be_normal()


def test_two_hundred_uploads_at_once_all_arrive(own_platform: Platform, s3_server: Ceph, bucket: str) -> None:
    own_platform.env |= bucket_settings(s3_server, bucket, s3_server.url)
    own_platform.start_redis()
    own_platform.prepare()
    own_platform.start_web()
    admin = own_platform.sign_in()

    def bring(number: int) -> int:
        told = address(admin, f"{number}.mp4", size=1000)
        assert put(told["url"], bytes(1000), told["headers"]) == 200
        return int(describe(admin, told["key"], f"Number {number}")["id"])

    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(bring, range(200)))
    assert len(ids) == 200
    waiting = "from content_app.models import DirectUpload as D; print(D.objects.exclude(arrived_at=None).count())"
    assert own_platform.manage("shell", "-v", "0", "-c", waiting).stdout.split()[-1] == "200"


def test_a_check_whose_worker_was_killed_is_done_by_another(
    own_platform: Platform, s3_server: Ceph, bucket: str, clip: Path
) -> None:
    own_platform.env |= bucket_settings(s3_server, bucket, s3_server.url)
    own_platform.start_redis()
    own_platform.prepare()
    own_platform.start_web()
    admin = own_platform.sign_in()
    told = address(admin)
    put(told["url"], clip.read_bytes(), told["headers"])
    video = describe(admin, told["key"], "Flushed")
    flushed = own_platform.manage("shell", "-c", "import django_rq; django_rq.get_connection().flushall()")
    assert flushed.returncode == 0, flushed.stderr
    late = "from content_app.models import DirectUpload as D; D.objects.update(arrived_at='2026-01-01T00:00Z')"
    assert own_platform.manage("shell", "-c", late).returncode == 0
    own_platform.start_reaper()
    own_platform.start_worker()
    wait_for(lambda: admin.get(f"/content/{video['id']}/").json()["processing_state"] == "ready", limit_s=60)


@pytest.mark.parametrize("body", ["{", "[]", '{"filename": {}}', '{"filename": "\\u0000.mp4"}', '{"size": 1e400}'])
def test_bad_input_is_refused_and_never_causes_a_server_error(on_bucket: Platform, body: str) -> None:
    admin = on_bucket.sign_in()
    for route in ("upload-url", "sign", "metadata", "thumbnail/upload-url"):
        answer = admin.request("POST", f"{ROUTE}/{route}/", body.encode(), {"Content-Type": "application/json"})
        assert 400 <= answer.status < 500, (route, answer.body)
        assert answer.json()["code"]
