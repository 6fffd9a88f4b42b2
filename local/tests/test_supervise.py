"""Fake programs under a real supervisor, which is a process of its own (local.tests.stand)."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from config.env_file import BASE_DIR
from local.linux import parents

LIMIT_S = 20
FOREVER = ["sleep", "1000"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]
# Starts a child that leaves session and group, as RQ's work-horses do, and that its parent does not wait for.
RUNAWAY = "setsid sh -c 'trap \"\" TERM; exec sleep 1000' & echo started; wait"


class Stand:
    """A supervisor, its output, and its processes, which a mark in their environment identifies."""

    def __init__(self, programs: dict[str, list[str]], **settings: str) -> None:
        self.mark = f"STAND={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.tests.stand", json.dumps(programs)],
            cwd=BASE_DIR,
            env={**os.environ, name: value, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def wait_for(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout
        end = threading.Timer(LIMIT_S, self.process.kill)  # a read cannot wait for a limited time
        end.start()
        try:
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                if match := re.search(pattern, line):
                    return match
        finally:
            end.cancel()
        raise AssertionError(f"{pattern!r} was not printed: {self.lines}")

    def family(self) -> list[int]:
        return [pid for pid in parents() if self.owns(pid)]

    def owns(self, pid: int) -> bool:
        try:
            return self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def pid_of(self, *words: str) -> int:
        """Waits for a process with these words in its command line. Returns its id."""
        wait_until(lambda: self.pids_of(words))
        return self.pids_of(words)[0]

    def pids_of(self, words: Sequence[str]) -> list[int]:
        start = "\0".join(words).encode() + b"\0"
        return [pid for pid in self.family() if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(start)]


@pytest.fixture(autouse=True)
def _terminal_may_close() -> Iterator[None]:
    """Restores SIGHUP: under nohup it is ignored, which every program of the test would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def stand() -> Iterator[Callable[..., Stand]]:
    made: list[Stand] = []

    def start(programs: dict[str, list[str]], **settings: str) -> Stand:
        made.append(Stand(programs, **settings))
        return made[-1]

    yield start
    for one in made:
        for pid in one.family():
            with suppress(ProcessLookupError):  # the process ended with its parent
                os.kill(pid, signal.SIGKILL)
        one.process.communicate()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_prints_every_line_under_the_name_of_its_program(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", "echo one; echo two >&2; printf 'no end'; exec sleep 1000"], "other": FOREVER})
    one.wait_for("two")
    assert one.lines == ["web      | one", "web      | two"]


def test_it_prints_the_last_words_of_a_program_that_ends_in_mid_line(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", "printf 'no end'; exit 3"]})
    one.wait_for("starts again")
    assert "web      | no end" in one.lines


def test_it_keeps_the_terminal_safe_from_the_output_of_programs(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", r"printf '10 %%\r20 %%\n\033[2Jcleared\n'; exec sleep 1000"]})
    one.wait_for("cleared")
    assert one.lines == ["web      | 20 %", "web      | �[2Jcleared"]


def test_it_reports_a_dead_program_and_starts_it_again(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", "echo up; exec sleep 1000"]})
    one.wait_for("up")
    os.kill(one.pid_of("sleep", "1000"), signal.SIGKILL)
    one.wait_for(r"^web was ended by SIGKILL; it starts again in 0\.1 s\.$")
    one.wait_for(r"web +\| up")


def test_it_waits_longer_each_time_up_to_a_limit(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", "exit 3"]})
    delays = [one.wait_for(r"web ended with exit code 3; it starts again in ([\d.]+) s")[1] for _ in range(4)]
    assert delays == ["0.1", "0.2", "0.4", "0.4"]


def test_it_reports_a_program_that_cannot_be_started(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["/nowhere/web"]})
    one.wait_for(r"^web cannot be started \(No such file or directory\); it starts again in 0\.1 s\.$")


def test_it_ends_the_children_of_a_dead_program(stand: Callable[..., Stand]) -> None:
    one = stand({"worker": ["sh", "-c", RUNAWAY]})
    one.wait_for("started")
    runaway, worker = one.pid_of("sleep", "1000"), one.pid_of("sh", "-c", RUNAWAY)
    os.kill(worker, signal.SIGKILL)
    one.wait_for("started")
    wait_until(lambda: not one.owns(runaway))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_the_exit_code_is_0(stand: Callable[..., Stand], number: int) -> None:
    one = stand({"web": FOREVER, "stubborn": STUBBORN, "worker": ["sh", "-c", RUNAWAY]})
    one.wait_for("ready")
    one.process.send_signal(number)
    one.wait_for("over")
    assert one.process.wait(LIMIT_S) == 0
    assert one.family() == []


def test_under_nohup_a_closed_terminal_ends_nothing(stand: Callable[..., Stand]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as under nohup
    try:
        one = stand({"web": ["sh", "-c", "echo ready; exec sleep 1000"]})
    finally:
        signal.signal(signal.SIGHUP, before)
    one.wait_for("ready")
    one.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert one.process.poll() is None


def test_nothing_is_restarted_while_it_ends(stand: Callable[..., Stand]) -> None:
    one = stand({"web": ["sh", "-c", "echo up; exec sleep 1000"], "stubborn": STUBBORN})
    one.wait_for("ready")
    one.process.send_signal(signal.SIGINT)
    one.wait_for("over")
    assert not any("starts again" in line for line in one.lines)


def test_programs_that_others_need_end_last(stand: Callable[..., Stand]) -> None:
    slow = "trap 'sleep 0.3; echo first gone; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    last = "trap 'echo last gone; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    one = stand({"last": ["sh", "-c", last], "first": ["sh", "-c", slow]}, PATIENCE_S="20")
    one.wait_for("ready")
    one.wait_for("ready")
    one.process.send_signal(signal.SIGINT)
    one.wait_for("over")
    assert [line[-10:] for line in one.lines if "gone" in line] == ["first gone", " last gone"]


def test_a_second_ctrl_c_does_not_wait(stand: Callable[..., Stand]) -> None:
    one = stand({"stubborn": STUBBORN}, PATIENCE_S="1000")
    one.wait_for("ready")
    one.process.send_signal(signal.SIGINT)
    time.sleep(3)  # signals that follow at once are merged into one
    assert one.process.poll() is None
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(LIMIT_S) == 0
    assert one.family() == []


def test_a_supervisor_that_is_killed_takes_its_programs_along(stand: Callable[..., Stand]) -> None:
    one = stand({"web": FOREVER, "worker": ["sleep", "2000"]})
    one.pid_of("sleep", "2000")
    one.process.kill()
    one.process.wait()
    wait_until(lambda: one.family() == [])
