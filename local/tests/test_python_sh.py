"""`local/python.sh` on machines with other Pythons, which are scripts with the same answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.env_file import BASE_DIR

SCRIPT = str(BASE_DIR / "local" / "python.sh")
WHO = ["-c", "import sys; print(sys.argv[1])", "it runs"]
OLD = '#!/bin/sh\ncase "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac\n'
STAND_IN = "#!/bin/sh\necho 'python3.12: command not found' >&2\nexit 127\n"
GOOD = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for PATH with a shell and no other program."""
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    return tmp_path


def put(path: Path, name: str, script: str) -> None:
    (path / name).write_text(script)
    (path / name).chmod(0o755)


def run(path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *WHO], env={"PATH": str(path), **env}, capture_output=True, text=True, timeout=30)


def test_it_takes_the_python_of_the_machine(path: Path) -> None:
    put(path, "python3", GOOD)
    assert run(path).stdout == "it runs\n"


def test_it_looks_further_when_python_is_old_or_a_stand_in(path: Path) -> None:
    put(path, "python3", OLD)
    put(path, "python3.13", STAND_IN)
    put(path, "python3.11", GOOD)
    finished = run(path)
    assert (finished.stdout, finished.stderr) == ("it runs\n", "")


def test_an_old_python_is_named_in_one_sentence(path: Path) -> None:
    put(path, "python3", OLD)
    finished = run(path)
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        "Videoflix needs Python 3.11 or newer, but python3 is 3.9 here: install a newer one"
    )
    assert finished.stderr.count("\n") == 1


def test_a_missing_python_is_reported_in_one_sentence(path: Path) -> None:
    finished = run(path)
    assert finished.returncode == 1
    assert "python3 is missing here" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_python_that_was_chosen_is_taken(path: Path) -> None:
    put(path, "python3", OLD)
    put(path, "my python", GOOD)
    assert run(path, PYTHON=str(path / "my python")).stdout == "it runs\n"


def test_a_chosen_python_that_is_old_is_refused_and_not_replaced(path: Path) -> None:
    put(path, "python3", GOOD)
    put(path, "old", OLD)
    finished = run(path, PYTHON=str(path / "old"))
    assert finished.returncode == 1
    assert f"PYTHON is {path / 'old'}, which is not" in finished.stderr


def test_it_works_from_any_folder(path: Path) -> None:
    put(path, "python3", GOOD)
    where = [SCRIPT, "-c", "import os; print(os.getcwd())"]
    finished = subprocess.run(where, env={"PATH": str(path)}, cwd="/", capture_output=True, text=True, timeout=30)
    assert finished.stdout.strip() == os.path.realpath(BASE_DIR)
