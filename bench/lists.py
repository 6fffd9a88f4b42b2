"""`make bench-lists`: the whole catalogue on the web server of `make up`, compared with what it could cost at least.

wrk sends the requests of one viewer to two processes with SQLite and Redis, as `make up` runs them, with rate limits;
8 at once (4 for (c)), each on a connection of its own. Measured in turns, ROUNDS of SECONDS each; medians are printed:

(a) GET /content/ with LISTED films;
(b) the same bytes, held constant behind the same middleware, authentication and limits;
(c) GET /content/ of the commit BEFORE, served from a copy of its tree with films of its own (by default the commit
    that this branch began at);
(d) GET /content/ with If-None-Match, which is answered by 304;
(e) a view that answers `{}` behind the same middleware, authentication and limits.

Keep the machine idle. The second part, bench.list_memory, measures memory.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median

from bench.web import NEVER_REACHED, ROUNDS, SECONDS, Load, wrk
from tests.client import Client
from tests.many_films import MAKE_FILMS, fill
from tests.services import PROJECT, Platform

LISTED = int(os.environ.get("LISTED", "200"))
CONNECTIONS = 8
CONNECTIONS_BEFORE = 4  # releases before refused the fifth list of one user in a process, and made one at a time
BEFORE_NAME = "(c) before"
SCRIPT_OF_TREE = "from tests.many_films import MAKE_FILMS; print(MAKE_FILMS)"
LIMITS = {f"RATE_LIMIT_{name}": NEVER_REACHED for name in ("DEFAULT", "AUTH", "STREAM")}


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, check=True).stdout


def commit_before() -> str | None:
    """Returns the commit to compare with; None, and says so, where there is none."""
    try:
        head = git("rev-parse", "HEAD").decode().strip()
        before = git("rev-parse", os.environ.get("BEFORE") or git("merge-base", "HEAD", "main").decode().strip())
    except (OSError, subprocess.CalledProcessError):
        print("(c) is left out: git does not know the commit. Name one: make bench-lists BEFORE=<commit>")
        return None
    commit = before.decode().strip()
    if commit == head and "BEFORE" not in os.environ:
        print("(c) is left out: this is the commit that branches begin at. Name one: make bench-lists BEFORE=<commit>")
        return None
    return commit


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(git("archive", commit))) as tree:
            tree.extractall(folder, filter="data")
        yield Path(folder)


def films_of(project: Path) -> str:
    """Returns the script that fills the database of this tree, which may have other columns."""
    if project == PROJECT:
        return MAKE_FILMS
    return subprocess.run(
        [sys.executable, "-c", SCRIPT_OF_TREE], cwd=project, capture_output=True, text=True, check=True
    ).stdout


@contextmanager
def filled(project: Path, settings: str) -> Iterator[tuple[Platform, Client]]:
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(Path(folder), project=project)
        platform.env |= {"DJANGO_SETTINGS_MODULE": settings, "ACCESS_TOKEN_EXPIRE_MINUTES": "600", **LIMITS}
        try:
            platform.start_redis()
            platform.prepare()
            platform.start_web()
            yield platform, fill(platform, LISTED, films_of(project))
        finally:
            platform.stop()


def load_of(
    platform: Platform, client: Client, path: str, *headers: str, connections: int = CONNECTIONS
) -> Callable[[], Load]:
    sent = (f"Cookie: vf_access={client.cookies['vf_access']}", *headers)

    def measure() -> Load:
        load = wrk(f"{platform.origin}/{path}", connections=connections, headers=sent)
        assert not load.failures, path
        return load

    return measure


def measure(platform: Platform, client: Client, before: tuple[Platform, Client] | None) -> None:
    answer = client.get("/content/")
    assert len(answer.json()) == LISTED
    assert client.get("/api/v1/constant/").body == answer.body
    tag = answer.headers["etag"]
    assert client.get("/content/", {"If-None-Match": tag}).status == 304
    loads = {
        "(a) GET /content/": load_of(platform, client, "content/"),
        "(b) constant bytes": load_of(platform, client, "api/v1/constant/"),
        "(d) 304": load_of(platform, client, "content/", f"If-None-Match: {tag}"),
        "(e) {}": load_of(platform, client, "api/v1/nothing/"),
    }
    if before:
        assert len(before[1].get("/content/").json()) == LISTED
        loads[BEFORE_NAME] = load_of(*before, "content/", connections=CONNECTIONS_BEFORE)
    seen: dict[str, list[Load]] = {name: [] for name in loads}
    for _ in range(ROUNDS):
        for name, one in loads.items():
            seen[name].append(one())
    print(f"GET /content/ with {LISTED} films, {len(answer.body) / 1000:.0f} kB, {ROUNDS} rounds of {SECONDS} s:")
    for name, rounds in sorted(seen.items()):
        rate, middle = median(load.per_second for load in rounds), median(load.median_ms for load in rounds)
        print(f"  {name:<20} {rate:7.0f} requests/s, median {middle:.1f} ms")
    print_ratio(seen, "(a) GET /content/", "(b) constant bytes", "at least 0.6")
    if before:
        print_ratio(seen, "(a) GET /content/", BEFORE_NAME, "at least 15")
    print_ratio(seen, "(d) 304", "(e) {}", "at least 0.7")


def print_ratio(seen: Mapping[str, list[Load]], first: str, second: str, aim: str) -> None:
    ratios = [one.per_second / other.per_second for one, other in zip(seen[first], seen[second], strict=True)]
    print(f"  {first[:3]} / {second[:3]} {median(ratios):.2f} (aim: {aim})")


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("make bench-lists needs wrk (sudo apt-get install wrk).")
    commit = commit_before()
    with filled(PROJECT, "bench.settings") as (platform, client):
        if commit is None:
            measure(platform, client, None)
            return
        with tree_of(commit) as tree, filled(tree, "config.settings") as before:
            print(f"(c) is the commit {commit[:12]}")
            measure(platform, client, before)


if __name__ == "__main__":
    main()
