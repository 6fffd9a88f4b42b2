"""Logs: one request id from Nginx to ffmpeg, every line JSON, and no secret in any."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from media_pipeline.packaging import playlists
from tests.ceph import Ceph
from tests.client import Client
from tests.conftest import bucket_settings
from tests.nginx import Nginx
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, started, wait_for

OF_REDIS = re.compile(r"^\d+:[A-Z] ")
MINE = "a-request-of-mine"


def lines_of(text: str) -> list[dict[str, Any]]:
    """Returns the parsed lines, without those of Redis. Each line has to be JSON."""
    return [json.loads(line) for line in text.splitlines() if line and not OF_REDIS.match(line)]


def test_one_id_leads_from_nginx_to_ffmpeg_and_no_line_has_a_secret(
    own_platform: Platform, s3_server: Ceph, bucket: str, clip: Path
) -> None:
    own_platform.env |= {**bucket_settings(s3_server, bucket, s3_server.url), "LOG_FORMAT": "json"}
    own_platform.start_all()
    with started(Nginx(own_platform)) as server:
        secrets = use(own_platform, server, clip)
        text = own_platform.log.read_text() + server.said()
    loggers = {line.get("logger", line["event"]) for line in lines_of(text) if line.get("request_id") == MINE}
    assert {
        "request",
        "config.http.access_log",
        "content_app.services.processing.encoding",
        "media_pipeline.ffmpeg.run",
    } <= loggers
    assert [secret for secret in secrets if secret in text] == []


def use(platform: Platform, server: Nginx, clip: Path) -> list[str]:
    """Uses the platform, with right and wrong credentials. Returns the secrets that no log may have."""
    client = Client(server.origin)
    for password in ("a wrong password", ADMIN_PASSWORD):
        client.post_json("/users/login/", {"email": ADMIN_EMAIL, "password": password})
    boundary = "----a-boundary"
    body = b"".join(
        [
            f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nLogged\r\n'.encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode(),
            clip.read_bytes(),
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "X-Request-ID": MINE}
    uploaded = client.request("POST", "/api/v1/videos/", body, {**headers, "Origin": server.origin})
    assert uploaded.status == 201, uploaded.body
    video = platform.wait_until_done(client, uploaded.json()["id"])
    (uri, *_) = playlists.uris(client.get(video["hls_url"]).body.decode())
    address = playlists.uris(client.get(uri).body.decode())[0]
    grant = uri.split("/")[2]
    client.get(f"/media/{grant[:-1]}x/videos/x/y/z.mp4")
    client.get("/users/confirm/?uid=1&token=a-token-from-a-mail")
    client.request("GET", "/content/", None, {"Authorization": "Bearer a-bearer-token-of-mine"})
    wait_for(lambda: MINE in platform.log.read_text(), what="the log of the job")
    return [
        *client.cookies.values(), ADMIN_PASSWORD, "a wrong password", grant, address.rpartition("=")[2],
        "a-token-from-a-mail", "a-bearer-token-of-mine", platform.env["SECRET_KEY"],
        platform.env["AWS_SECRET_ACCESS_KEY"],
    ]  # fmt: skip


def test_under_make_up_log_lines_are_plain_text(own_platform: Platform) -> None:
    own_platform.start_all()
    own_platform.sign_in()

    def said() -> list[str]:
        return [line for line in own_platform.log.read_text().splitlines() if line and not OF_REDIS.match(line)]

    lines = wait_for(said, what="a line of the worker")
    assert not [line for line in lines if line.startswith("{") or "config.http.access_log" in line]


@pytest.mark.parametrize(("name", "value"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud")])
def test_a_wrong_setting_is_one_sentence(own_platform: Platform, name: str, value: str) -> None:
    own_platform.env[name] = value
    done = own_platform.manage("check")
    assert done.returncode != 0
    assert f"{name} is '{value}'" in done.stderr
