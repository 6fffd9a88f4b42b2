"""The limits of a program that reads untrusted files, and what it can reach."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from media_pipeline.ffmpeg.sandbox import means_here
from media_pipeline.limits import ChildLimits
from media_pipeline.tests.processes import MIB, run, run_python, run_shell


def test_memory_is_limited() -> None:
    limits = ChildLimits(memory_bytes=256 * MIB, nice=0)

    assert run_python("x = bytearray(64 * 1024**2)", limits=limits).returncode == 0
    finished = run_python("x = bytearray(512 * 1024**2)", limits=limits)
    assert finished.returncode == 1
    assert "MemoryError" in finished.stderr


def test_the_size_of_files_is_limited(tmp_path: Path) -> None:
    limits, dd = ChildLimits(file_bytes=MIB, nice=0), ("dd", "if=/dev/zero", f"of={tmp_path}/big", "bs=64k", "count=64")
    finished = run(*dd, limits=limits, writes=[tmp_path])

    assert finished.returncode != 0
    assert "File too large" in finished.stderr
    assert (tmp_path / "big").stat().st_size <= MIB


def test_processor_time_is_limited() -> None:
    finished = run_python("while True: pass", limits=ChildLimits(cpu_s=1, nice=0))

    assert finished.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_limits_may_not_be_lifted_again() -> None:
    limits = "import resource as r; print(*map(r.getrlimit, (r.RLIMIT_AS, r.RLIMIT_NOFILE, r.RLIMIT_CORE)))"

    assert run_python(limits).stdout.decode().strip() == f"({1024**3}, {1024**3}) (256, 256) (0, 0)"


def test_it_runs_at_a_lower_priority() -> None:
    script = "import os; print(os.nice(0))"
    nice = int(run_python(script, limits=ChildLimits(nice=0)).stdout)

    assert int(run_python(script, limits=ChildLimits(nice=5)).stdout) == min(19, nice + 5)


def test_it_can_gain_no_rights() -> None:
    status = run_shell("cat /proc/self/status", reads=[Path("/proc")]).stdout.decode()

    assert "NoNewPrivs:\t1" in status
    assert capabilities(status) <= {CAP_DAC_READ_SEARCH}


CAP_DAC_READ_SEARCH = 2


def capabilities(status: str) -> set[int]:
    held = int(status.partition("CapPrm:")[2].split()[0], 16)
    return {number for number in range(64) if held >> number & 1}


def test_it_has_no_network_where_the_kernel_allows_that() -> None:
    interfaces = run_shell("cat /proc/self/net/dev", reads=[Path("/proc")]).stdout.decode()
    is_cut_off = may_leave_network()

    # A new network has only a loopback, which is down. Where the kernel refuses it, the program has the machine's.
    assert interface_names(interfaces) == ({"lo"} if is_cut_off else interface_names(THIS_NETWORK.read_text()))
    assert run_python(CONNECT).returncode == (1 if is_cut_off or means_here().has_filter else 0)


THIS_NETWORK = Path("/proc/self/net/dev")
CONNECT = "import socket; socket.create_connection(socket.create_server(('127.0.0.1', 0)).getsockname()).close()"
LEAVE = "import ctypes, sys; c = ctypes.CDLL(None); sys.exit(c.unshare(0x40000000) != 0 and c.unshare(0x50000000) != 0)"


def may_leave_network() -> bool:
    return subprocess.run([sys.executable, "-I", "-c", LEAVE], check=False).returncode == 0


def interface_names(listing: str) -> set[str]:
    return {line.partition(":")[0].strip() for line in listing.splitlines() if ":" in line}


def test_no_open_file_of_the_worker_reaches_the_program() -> None:
    """A database connection that the encoder inherits would stay open as long as it runs."""
    number = os.dup2(1, 200, inheritable=True)
    try:
        assert run_shell(f"test -e /proc/self/fd/{number}").returncode == 1
    finally:
        os.close(number)


def test_no_secret_of_the_worker_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    names = {line.partition("=")[0] for line in run("env").stdout.decode().splitlines()}

    assert "LC_ALL" in names
    assert names <= {"LC_ALL", "LC_CTYPE", "AV_LOG_FORCE_NOCOLOR", "MALLOC_ARENA_MAX"}
