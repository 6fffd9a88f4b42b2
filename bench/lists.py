"""`make bench-lists`: what a person takes of the web server's memory who asks for the whole catalogue again and again.

The web server of `make up` with FILMS films (10,000); one viewer sends 24 requests for `GET /content/` at once, three
times. Told are the memory of all its processes (PSS, so that shared pages count once) before, at most and afterwards,
and how the requests were answered. `DATABASE_URL` of a PostgreSQL server is taken if there is one.
"""

import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

from local.linux import descendants
from tests.client import Client
from tests.services import Platform, web_alone

FILMS = int(os.environ.get("FILMS", "10000"))
REQUESTS = 24
ROUNDS = 3
MAKE_FILMS = """
import uuid
from datetime import timedelta
from django.utils import timezone
from content_app.models import Rendition, Video
from users_app.models import User
owner = User.objects.get(email="admin@example.com")
User.objects.create_user("viewer@example.com", "correct horse battery staple", name="viewer")
now = timezone.now()
videos = Video.objects.bulk_create([
    Video(
        owner=owner, title=f"Film {{n}}", description=f"{{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}} " * 20, state="ready",
        version="v1", duration_s=60, poster="v1/poster.jpg", has_small_poster=True, has_storyboard=True,
        created_at=now - timedelta(seconds=n),
    )
    for n in range({films})
], batch_size=500)
Rendition.objects.bulk_create([
    Rendition(
        video=video, version="v1", name=f"{{side}}p", width=side * 16 // 9, height=side, frame_rate="25", codecs="avc1",
        peak_bps=2, average_bps=1, size_bytes=3, frames=1500,
    )
    for video in videos for side in (120, 360, 720, 1080)
], batch_size=500)
"""


def fill(platform: Platform, films: int) -> None:
    made = platform.manage("shell", "-v0", "-c", MAKE_FILMS.format(films=films))
    assert made.returncode == 0, made.stderr


def memory_mb(platform: Platform) -> int:
    """Of the web server and its processes."""
    web = platform.programs["web"].pid
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (web, *descendants(web))]
    return sum(int(text.partition("\nPss:")[2].split()[0]) for text in texts) // 1024


def ask_at_once(client: Client, requests: int) -> Counter[int]:
    """How often which status; every array that comes is whole."""

    def ask(_: int) -> int:
        answer = client.get("/content/")
        if answer.status == 200:
            assert len(answer.body) == int(answer.headers["content-length"])
            assert answer.body.endswith(b"}]")
        return answer.status

    with ThreadPoolExecutor(requests) as pool:
        return Counter(pool.map(ask, range(requests)))


def main() -> None:
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory() as folder:
        with web_alone(Path(folder), None, **({"DATABASE_URL": url} if url else {})) as platform:
            fill(platform, FILMS)
            client = platform.sign_in("viewer@example.com", "correct horse battery staple")
            client.get("/content/categories/")
            print(f"before: {memory_mb(platform)} MB")
            began = time.perf_counter()
            size = len(client.get("/content/").body)
            print(
                f"one list: {size / 1e6:.1f} MB in {time.perf_counter() - began:.1f} s, then {memory_mb(platform)} MB"
            )
            for number in range(1, ROUNDS + 1):
                most, ended = [0], Event()

                def watch(most: list[int] = most, ended: Event = ended) -> None:
                    while not ended.wait(0.1):
                        most[0] = max(most[0], memory_mb(platform))

                watcher = Thread(target=watch)
                watcher.start()
                began = time.perf_counter()
                statuses = ask_at_once(client, REQUESTS)
                took_s = time.perf_counter() - began
                ended.set()
                watcher.join()
                told = f"{dict(statuses)} in {took_s:.1f} s, at most {most[0]} MB, then {memory_mb(platform)} MB"
                print(f"round {number}: {told}")


if __name__ == "__main__":
    main()
