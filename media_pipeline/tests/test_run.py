"""Real programs run to their end and leave no process behind."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from media_pipeline.errors import EncoderOverLimit, OutOfTime, PipelineError
from media_pipeline.ffmpeg.run import CompletedRun, Hung
from media_pipeline.tests.processes import LIMITS, MIB, processes_with, run, run_python, run_shell, wait_until

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def sleeper() -> Iterator[str]:
    """A number of seconds that identifies the `sleep` of this test; the fixture asserts that none is left."""
    seconds = f"600.{time.time_ns()}"
    yield seconds
    # A busy machine is slow to end killed processes.
    assert wait_until(lambda: not processes_with(seconds), at_most_s=5)


# --- the end of a program --------------------------------------------------------------------------------------------


def test_the_output_of_a_program_is_read_to_its_end() -> None:
    finished = run_shell("echo out; echo err >&2; sleep 0.1; printf more")

    assert finished == CompletedRun(0, b"out\nmore", "err\n")


@pytest.mark.parametrize("status", [1, 69, 255])
def test_an_exit_status_is_returned_to_the_caller(status: int) -> None:
    assert run_shell(f"echo no >&2; exit {status}") == CompletedRun(status, b"", "no\n")


def test_a_program_that_is_killed_has_the_signal_as_its_status() -> None:
    assert run_shell("kill -SEGV $$").returncode == -signal.SIGSEGV


def test_a_program_that_is_not_there_fails_without_taking_anything_down() -> None:
    finished = run("/nowhere/ffmpeg")

    assert finished.returncode != 0
    assert "No such file" in finished.stderr


def test_arguments_reach_the_program_as_they_are() -> None:
    odd = ["", "a b", "'\"$(id)", "-x", "{}", "é\n"]
    finished = run_python("import sys; print(ascii(sys.argv[1:]))", *odd)
    assert finished.stdout.decode() == f"{odd!a}\n"


def test_a_program_may_close_its_pipes_before_it_ends() -> None:
    finished = run_shell("exec >&- 2>&-; sleep 0.8; exit 3")

    assert finished.returncode == 3


@pytest.mark.parametrize("script", ["sleep {0}", "exec >&- 2>&-; sleep {0}; :", "trap '' TERM INT HUP; sleep {0}; :"])
def test_a_program_over_its_time_limit_is_ended(sleeper: str, script: str) -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        run_shell(script.format(sleeper), time_limit_s=0.5)

    assert time.monotonic() - began < 20


def test_a_program_without_progress_is_hung_and_ended(sleeper: str) -> None:
    with pytest.raises(Hung) as hung:
        run_shell(f"echo frame=1; echo stuck >&2; sleep {sleeper}", stall_s=3)

    assert not hung.value.permanent
    assert "stuck" in hung.value.detail


def test_repeating_the_same_line_is_no_progress(sleeper: str) -> None:
    with pytest.raises(Hung):
        run_shell(f"while :; do echo frame=7; sleep 0.1; done; sleep {sleeper}", stall_s=0.7, on_line=str)


def test_messages_on_stderr_are_no_progress_either(sleeper: str) -> None:
    with pytest.raises(Hung):
        run_shell(f"while :; do echo oops >&2; sleep 0.05; done; sleep {sleeper}", stall_s=0.7)


def test_a_slow_program_that_gets_on_is_left_alone() -> None:
    script = "for n in 1 2 3 4 5 6 7 8; do echo frame=$n; sleep 0.5; done"

    assert run_shell(script, stall_s=3, on_line=str).returncode == 0


# --- callbacks -------------------------------------------------------------------------------------------------------


class ClaimLost(Exception):
    """Raised by a caller to stop the program."""


@pytest.mark.parametrize("error", [ClaimLost, KeyboardInterrupt])
def test_a_callback_that_raises_ends_the_whole_group(sleeper: str, error: type[BaseException]) -> None:
    def stop() -> None:
        if len(processes_with(sleeper)) >= 3:
            raise error

    with pytest.raises(error):
        run_shell(f"sleep {sleeper} & sh -c 'sleep {sleeper}; :' & wait", on_tick=stop)

    assert wait_until(lambda: not processes_with(sleeper), at_most_s=20)


def test_a_line_callback_that_raises_ends_the_program(sleeper: str) -> None:
    def stop(line: str) -> None:
        raise ClaimLost

    with pytest.raises(ClaimLost):
        run_shell(f"echo one; sleep {sleeper}", on_line=stop)


def test_background_processes_of_a_program_end_with_it(sleeper: str) -> None:
    assert run_shell(f"sleep {sleeper} >/dev/null 2>&1 &").returncode == 0
    assert wait_until(lambda: not processes_with(sleeper), at_most_s=20)


def test_lines_are_passed_on_whole_however_they_were_written() -> None:
    lines: list[str] = []
    run_shell("printf 'fra'; sleep 0.1; printf 'me=1\\nframe=2\\nfr'; sleep 0.1; echo ame=3", on_line=lines.append)

    assert lines == ["frame=1", "frame=2", "frame=3"]


def test_the_tick_comes_twice_a_second_however_much_is_printed() -> None:
    ticks: list[float] = []
    began = time.monotonic()
    run_shell("timeout 1.2 yes frame=1; :", on_line=len, on_tick=lambda: ticks.append(time.monotonic()))

    assert 2 <= len(ticks) <= 2 * (time.monotonic() - began) + 1


# --- floods ----------------------------------------------------------------------------------------------------------


def test_a_flood_of_output_is_refused(sleeper: str) -> None:
    with pytest.raises(PipelineError, match="printed more than it may"):
        run_shell(f"yes; sleep {sleeper}", max_stdout_bytes=MIB)


def test_the_end_of_a_flood_on_stderr_is_kept() -> None:
    finished = run_shell("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo the end >&2")

    assert finished.returncode == 0
    assert len(finished.stderr) == 64 * 1024
    assert finished.stderr.endswith("xxxthe end\n")


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    lines: list[str] = []
    run_shell("head -c 20000000 /dev/zero; echo; echo frame=1", on_line=lines.append)

    assert lines[-1] == "frame=1"
    assert sum(len(line) for line in lines) < 200_000


def test_many_files_do_not_fill_the_disk_either(sleeper: str, tmp_path: Path) -> None:
    """Each file is within its own limit; the folder exceeds the limit of all files together."""
    (folder := tmp_path / "filled").mkdir()
    script = f"for n in 1 2 3 4; do head -c 1000000 /dev/zero > {folder}/$n; done; sleep "
    limits = replace(LIMITS, file_bytes=MIB, folder_bytes=4 * MIB)
    assert run_shell(f"{script} 1", limits=limits, writes=[folder]).returncode == 0
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(EncoderOverLimit, match="far more disk"):
        run_shell(f"{script} {sleeper}", limits=replace(limits, folder_bytes=3 * MIB), writes=[folder])


# --- no process is left behind ---------------------------------------------------------------------------------------

PARENT = """
import sys, threading
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.limits import ChildLimits

def work():
    run_limited(sys.argv[2:], limits=ChildLimits(), time_limit_s=600, stall_s=600)

if sys.argv[1] == "thread":
    threading.Thread(target=work).start()
else:
    work()
"""


@pytest.mark.parametrize("where", ["main", "thread"])
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_leaves_no_child(sleeper: str, where: str, ended_by: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, where, "sleep", sleeper], cwd=PROJECT)

    def children() -> list[int]:
        return [pid for pid in processes_with(sleeper) if pid != parent.pid]

    try:
        assert wait_until(lambda: len(children()) == 1 and is_sleep(children()[0]), at_most_s=30)
        parent.send_signal(ended_by)
        parent.wait(20)
        assert wait_until(lambda: children() == [], at_most_s=20)
    finally:
        parent.kill()
        parent.wait()


def is_sleep(pid: int) -> bool:
    """True once the launcher has become the program."""
    return Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"


def test_programs_run_side_by_side_in_threads() -> None:
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=number: results.append(run("echo", str(n)).stdout)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [b"0\n", b"1\n", b"2\n", b"3\n"]
