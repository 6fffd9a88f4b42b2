import errno
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from local.checks import check_port, check_space, check_writable, claim
from local.problem import Problem


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_passes(taken_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    check_port("127.0.0.1", free)


def test_a_busy_port_is_named_with_a_free_one_beside_it(taken_port: int) -> None:
    with pytest.raises(Problem, match=rf"^Port {taken_port} is in use: stop .* `make up PORT=\d+`\.$") as refused:
        check_port("127.0.0.1", taken_port)
    suggested = int(str(refused.value).partition("PORT=")[2].rstrip("`."))
    assert suggested != taken_port
    check_port("127.0.0.1", suggested)


def test_a_port_that_is_taken_on_every_address_is_busy_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server, pytest.raises(Problem, match="is in use"):  # noqa: S104 - the case
        check_port("127.0.0.1", server.getsockname()[1])


@pytest.mark.parametrize("bind", ["192.0.2.1", "not an address", "::ffff:192.0.2.1"])
def test_an_address_of_another_machine_is_refused(bind: str) -> None:
    with pytest.raises(
        Problem, match=r"which is no address of this machine .* set it to 127\.0\.0\.1 or 0\.0\.0\.0\.$"
    ):
        check_port(bind, 8000)


def test_a_long_address_is_not_shown_in_full() -> None:
    with pytest.raises(Problem, match=r"^BIND is 'a{100}…', which is no address of this machine ") as refused:
        check_port("a" * 9999, 8000)
    assert len(str(refused.value)) < 300


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b", remedy="-")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_that_even_root_cannot_write_to_is_refused() -> None:
    with pytest.raises(Problem, match=r"^/proc/videoflix cannot be written to \(.*\): set DATA_DIR\.$"):
        check_writable(Path("/proc/videoflix"), remedy="set DATA_DIR")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(Problem, match=r"cannot be written to \(File exists\)"):
        check_writable(tmp_path / "var", remedy="-")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, r"^/.* cannot be written to \(Read-only file system\): set DATA_DIR\.$"),
        (errno.ENOSPC, r"^The disk of /.* is full: free some space or set DATA_DIR\.$"),
    ],
)
def test_it_really_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, sentence: str) -> None:
    def refuse(**_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(Problem, match=sentence):
        check_writable(tmp_path, remedy="set DATA_DIR")


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_half_written(tmp_path: Path) -> None:
    check_space(tmp_path, min_mb=0)
    with pytest.raises(Problem, match=r"^Only \d+ MB are free on the disk of .*, and 10+ MB are needed: "):
        check_space(tmp_path, min_mb=10**12)


def test_a_data_folder_in_use_is_refused_and_its_holder_named(tmp_path: Path) -> None:
    hold = f"from local.checks import claim; lock = claim(__import__('pathlib').Path({str(tmp_path)!r})); "
    with subprocess.Popen(
        [sys.executable, "-c", f"{hold} print('held', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(
            Problem, match=rf"^Videoflix already runs .*\(process {holder.pid}\): stop it, or set DATA_"
        ):
            claim(tmp_path)
        holder.kill()
    claim(tmp_path).close()
