"""The second part of `make bench-lists`: the memory of the web server while one viewer lists thousands of films.

The web server of `make up` with FILMS films (10,000); one viewer sends 24 requests for `GET /content/` at once,
fourteen times. It prints the memory of all processes (shared pages counted once) before, at most and afterwards, and
the statuses of the answers. DATABASE_URL may name an empty database of another kind than SQLite.
"""

import os
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

from tests.many_films import ask_at_once, fill, memory_mb
from tests.services import Platform, web_alone

FILMS = int(os.environ.get("FILMS", "10000"))
REQUESTS = 24
ROUNDS = 14


class Peak:
    """The maximum of the web server's memory within this context."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.max_mb, self.ended = platform, 0, Event()
        self.watcher = Thread(target=self.watch)

    def watch(self) -> None:
        while not self.ended.wait(0.1):
            self.max_mb = max(self.max_mb, memory_mb(self.platform))

    def __enter__(self) -> "Peak":
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.watcher.join()


def main() -> None:
    url = os.environ.get("DATABASE_URL")
    with (
        tempfile.TemporaryDirectory() as folder,
        web_alone(Path(folder), None, **({"DATABASE_URL": url} if url else {})) as platform,
    ):
        client = fill(platform, FILMS)
        client.get("/content/categories/")
        print(f"before: {memory_mb(platform)} MB")
        began = time.perf_counter()
        size = len(client.get("/content/").body)
        print(f"one list: {size / 1e6:.1f} MB in {time.perf_counter() - began:.1f} s, then {memory_mb(platform)} MB")
        for number in range(1, ROUNDS + 1):
            began = time.perf_counter()
            with Peak(platform) as peak:
                statuses = dict(ask_at_once(client, REQUESTS))
            took_s = time.perf_counter() - began
            result = f"{statuses} in {took_s:.1f} s, at most {peak.max_mb} MB, then {memory_mb(platform)} MB"
            print(f"round {number}: {result}")


if __name__ == "__main__":
    main()
