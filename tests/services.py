"""Starts the platform's programs for a test, each on a free port or a socket of its own, and ends them all."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from local import redis
from local.linux import descendants
from tests.client import Client

PROJECT = Path(__file__).resolve().parent.parent
ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "a-long-password-for-tests"
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(question: Callable[[], T], *, limit_s: float = 60, what: str = "it") -> T:
    """Returns the first truthy answer. Raises an AssertionError that names `what` when none comes in time."""
    deadline = time.monotonic() + limit_s
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not happen within {limit_s} s"
        time.sleep(0.1)
    return answer


class Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


S = TypeVar("S", bound=Server)


@contextmanager
def started(server: S) -> Iterator[S]:
    """Runs the server during the block and stops it afterwards, also when only a part of it has started."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Platform:
    """Redis, web, workers and a reaper over one data folder, with short leases; every part can be killed alone.

    `project` may be a checkout of another version.
    """

    def __init__(self, folder: Path, *, template: Path | None = None, project: Path = PROJECT) -> None:
        self.folder = folder
        self.template = template
        self.project = project
        self.database = folder / "platform.sqlite3"
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.redis_socket = redis.choose_socket(folder)
        self.log = folder / "platform.log"
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DEBUG"))},
            "ENV_FILE": "",
            "DATA_DIR": str(folder),
            "MEDIA_ROOT": str(folder / "media"),
            "SECRET_KEY": "another-secret-for-tests-0123456789abcdefghij",
            "BACKEND_ORIGIN": self.origin,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "REDIS_URL": redis.url_of(self.redis_socket),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "PREPARED_FILE": str(folder / "prepared"),
            "DEFAULT_ADMIN_EMAIL": ADMIN_EMAIL,
            "DEFAULT_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "TRUSTED_PROXIES": "127.0.0.1",
            # All tests share one address, so limits are off here; tests of limits set their own.
            "RATE_LIMIT_DEFAULT": "0",
            "RATE_LIMIT_AUTH": "0",
            "RATE_LIMIT_STREAM": "0",
            "RATE_LIMIT_UPLOAD": "0",
            "LEASE_SECONDS": "4",
            "REAPER_INTERVAL_SECONDS": "0.3",
            "STALL_SECONDS": "20",
        }

    # --- starting programs ---

    def start(self, name: str, *argv: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                argv, cwd=self.project, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.programs[name] = process
        return process

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.project, env=self.env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def start_redis(self) -> None:
        (self.folder / "redis").mkdir(exist_ok=True)
        args = redis.server_args(redis.find_server(), socket_path=self.redis_socket, folder=self.folder / "redis")
        self.start("redis", *args)
        wait_for(lambda: redis.is_up(self.redis_socket), what="Redis")

    def prepare(self) -> None:
        """Makes a migrated database with its first admin: by the real command, or as a copy of the template."""
        if self.template:
            shutil.copyfile(self.template, self.database)
        else:
            self.bootstrap()
        (self.folder / "prepared").touch()  # the web server waits for this file

    def bootstrap(self) -> None:
        done = self.manage("bootstrap", "--migrate")
        assert done.returncode == 0, done.stderr

    def start_web(self) -> None:
        bind = ["--bind", f"127.0.0.1:{self.port}"]
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "local/gunicorn_conf.py", *bind, "config.wsgi:application"]
        self.start("web", *gunicorn)
        wait_for(self.is_web_up, what="the web server")

    def is_web_up(self) -> bool:
        with suppress(OSError):
            return Client(self.origin).get("/health/").status == 200
        return False

    def start_worker(self, name: str = "worker") -> None:
        self.start(name, sys.executable, "manage.py", "rqworker")

    def start_reaper(self) -> None:
        self.start("reaper", sys.executable, "manage.py", "reaper")

    def start_all(self) -> None:
        self.start_redis()
        self.prepare()
        self.start_web()
        self.start_worker()
        self.start_reaper()

    @contextmanager
    def running(self) -> Iterator[Self]:
        try:
            self.start_all()
            yield self
        finally:
            self.stop()

    # --- ending programs ---

    def kill(self, name: str) -> None:
        """`kill -9` of this one process; its children are left to themselves."""
        process = self.programs.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str) -> None:
        """Ends the program as an operator would: sends SIGTERM and waits."""
        process = self.programs.pop(name)
        process.terminate()
        process.wait(30)

    def stop(self) -> None:
        for process in reversed(self.programs.values()):
            for pid in [*descendants(process.pid), process.pid]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        self.programs.clear()

    # --- what a user sees ---

    def sign_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> Client:
        client = Client(self.origin)
        answer = client.post_json("/users/login/", {"email": email, "password": password})
        assert answer.status == 200, answer.body
        return client

    def wait_until_done(self, client: Client, video_id: int, *, limit_s: float = 180) -> dict[str, Any]:
        """Returns the video once it is ready or has failed."""

        def done() -> dict[str, Any] | None:
            video: dict[str, Any] = client.get(f"/content/{video_id}/").json()
            return video if video["processing_state"] in ("ready", "error") else None

        video = wait_for(done, limit_s=limit_s, what=f"the end of processing video {video_id}")
        assert video is not None
        return video


def running_with(text: str) -> list[int]:
    """Returns the ids of the processes whose command line has this text (a scratch folder, say)."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
    return found


@contextmanager
def web_alone(folder: Path, template: Path | None, **env: str) -> Iterator[Platform]:
    """A platform with these settings and without workers and reaper: no film is examined, no mail is sent."""
    platform = Platform(folder, template=template)
    platform.env |= env
    try:
        platform.start_redis()
        platform.prepare()
        platform.start_web()
        yield platform
    finally:
        platform.stop()
