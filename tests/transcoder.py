"""An external transcoder: its signed requests, and results that ffmpeg makes."""

from pathlib import Path
from typing import Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.ceph import Ceph
from tests.client import Client
from tests.clips import run_ffmpeg
from tests.services import Platform, wait_for

KEY_ID, SECRET = "AKIDEXAMPLE", "a-secret-of-the-transcoder"
REGION, SERVICE = "us-east-1", "execute-api"
SETTINGS = {"TRANSCODER": "external", "SERVICE_KEYS": f"transcoder:{KEY_ID}:{SECRET}"}
DASH = ("-f", "dash", "-use_timeline", "1", "-use_template", "1", "-seg_duration", "2")
# The manifest lists the last two segments of each representation; the files of all segments stay.
WINDOW = ("-window_size", "2", "-extra_window_size", "1000")


def by_botocore(method: str, url: str) -> requests.Response:
    return send(method, url, signed_headers(method, url))


def signed_headers(method: str, url: str, secret: str = SECRET) -> dict[str, str]:
    request = AWSRequest(method=method, url=url)
    SigV4Auth(Credentials(KEY_ID, secret), SERVICE, REGION).add_auth(request)
    return dict(request.headers)


def send(method: str, url: str, headers: dict[str, str]) -> requests.Response:
    """Sends the request with the URL as given; `requests` would encode it anew."""
    with requests.Session() as session:
        prepared = requests.Request(method, url, headers=headers).prepare()
        prepared.url = url
        return session.send(prepared, timeout=30)


def bring(external: Platform, clip: Path, title: str) -> tuple[Client, dict[str, Any], str]:
    """Uploads a film and waits for its check. Returns the admin's client, the video and the key of the original."""
    admin = external.sign_in()
    wanted = {"filename": "my film.mp4", "content_type": "video/mp4"}
    told = admin.post_json("/api/v1/upload/videos/upload-url/", wanted).json()
    requests.put(told["url"], data=clip.read_bytes(), headers=told["headers"], timeout=30).raise_for_status()
    described = {"title": title, "video_s3_key": told["key"]}
    video = admin.post_json("/api/v1/upload/videos/metadata/", described).json()
    path = f"/api/v1/videos/{video['id']}/preflight/"
    wait_for(lambda: admin.get(path).json()["verdict"] != "waiting", what="the check")
    return admin, video, told["key"]


def make_dash(folder: Path, clip: Path, *options: str, sizes: tuple[str, ...] = ("640x360", "320x180")) -> Path:
    """Makes picture and sound apart, cut every two seconds. Returns the folder, which has a manifest.mpd."""
    folder.mkdir(parents=True)
    maps = [word for _ in sizes for word in ("-map", "0:v")]
    scaled = [word for number, size in enumerate(sizes) for word in (f"-s:v:{number}", size)]
    encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-force_key_frames", "expr:gte(t,n_forced*2)", "-c:a", "aac"]
    sets = ["-adaptation_sets", "id=0,streams=v id=1,streams=a"]
    picture_and_sound = [*maps, "-map", "0:a", *scaled, *encoding]
    run_ffmpeg("-i", str(clip), *picture_and_sound, *DASH, *sets, *options, str(folder / "manifest.mpd"))
    return folder


def put_folder(server: Ceph, bucket: str, folder: Path, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            server.client().upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder).as_posix()}")
