"""A catalogue of thousands of films, and the memory of a web server that lists them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.linux import descendants
from tests.client import Client
from tests.services import Platform

VIEWER, PASSWORD = "their-viewer@example.com", "correct horse battery staple"
MAKE_FILMS = """
import uuid
from datetime import timedelta
from django.utils import timezone
from django.db.models import OuterRef, Subquery
from content_app.models import Rendition, Run, Version, Video
from users_app.models import User
owner = User.objects.get(email="admin@example.com")
User.objects.create_user({viewer!r}, {password!r}, name="viewer")
now = timezone.now()
videos = Video.objects.bulk_create([
    Video(
        owner=owner, title=f"Film {{n}}", description=f"{{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}} " * 20,
        poster="v1/poster.jpg", has_small_poster=True, created_at=now - timedelta(seconds=n),
    )
    for n in range({films})
], batch_size=500)
runs = Run.objects.bulk_create([
    Run(
        video=video, original=f"originals/{{video.public_id}}/film.mp4", name="film.mp4", state="done", progress=100,
        ended_at=now, folder="v1",
    )
    for video in videos
], batch_size=500)
versions = Version.objects.bulk_create([
    Version(video=run.video, run=run, folder="v1", duration_s=60, has_storyboard=True) for run in runs
], batch_size=500)
Rendition.objects.bulk_create([
    Rendition(
        version=version, name=f"{{side}}p", width=side * 16 // 9, height=side, frame_rate="25", codecs="avc1",
        peak_bps=2, average_bps=1, size_bytes=3, frames=1500,
    )
    for version in versions for side in (120, 360, 720, 1080)
], batch_size=500)
made = Version.objects.filter(video=OuterRef("pk"))
Video.objects.filter(title__startswith="Film ").update(
    state="ready", version=Subquery(made.values("pk")), run=Subquery(made.values("run")),
)
"""


def fill(platform: Platform, films: int, script: str = MAKE_FILMS) -> Client:
    """Adds this number of films with four qualities each. Returns a client that is signed in as a viewer."""
    made = platform.manage("shell", "-v0", "-c", script.format(films=films, viewer=VIEWER, password=PASSWORD))
    assert made.returncode == 0, made.stderr
    return platform.sign_in(VIEWER, PASSWORD)


def memory_mb(platform: Platform) -> int:
    """Returns the memory of the web server and its processes (their shares of it, `Pss`)."""
    web = platform.programs["web"].pid
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (web, *descendants(web))]
    return sum(int(text.partition("\nPss:")[2].split()[0]) for text in texts) // 1024


def ask_at_once(client: Client, requests: int, path: str = "/content/") -> Counter[int]:
    """Sends the requests at once. Returns the number of answers by status; asserts that every array is complete."""

    def ask(_: int) -> int:
        answer = client.get(path)
        if answer.status == 200:
            assert len(answer.body) == int(answer.headers["content-length"])
            assert answer.body.endswith(b"}]")
        return answer.status

    with ThreadPoolExecutor(requests) as pool:
        return Counter(pool.map(ask, range(requests)))
