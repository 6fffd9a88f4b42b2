"""Installing, with a pip or uv that only records its calls; tests/clone installs for real."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from config.env_file import BASE_DIR
from local import install
from local.problem import Problem

FAKE_UV = '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "$@" >> "$NOTES"\n'


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with requirements, a uv that installs nothing, and no `.venv` yet."""
    (tmp_path / "requirements.txt").write_text("Django==5.2\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\npytest==9.0\n")
    uv = tmp_path / "uv"
    uv.write_text(FAKE_UV)
    uv.chmod(0o755)
    monkeypatch.setattr(install, "BASE_DIR", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(install, "UNFINISHED", tmp_path / ".venv" / ".unfinished")
    monkeypatch.setattr(install, "find_uv", lambda: str(uv))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    return tmp_path


def installs(clone: Path) -> int:
    notes = clone / "notes"
    return len(notes.read_text().splitlines()) if notes.exists() else 0


def test_the_second_run_installs_nothing(clone: Path) -> None:
    install.ensure_installed()
    install.ensure_installed()
    assert installs(clone) == 1
    assert subprocess.run([install.PYTHON, "-c", "import sys; print(sys.prefix)"], check=True, capture_output=True)


def test_changed_requirements_are_installed_into_the_same_folder(clone: Path) -> None:
    install.ensure_installed()
    (install.VENV / "kept").touch()
    (clone / "requirements.txt").write_text("Django==5.3\n")
    install.ensure_installed()
    assert installs(clone) == 2
    assert (install.VENV / "kept").exists()


def test_the_modules_of_the_probe_are_compiled_since_the_probe_cannot_write(clone: Path) -> None:
    install.ensure_installed()
    (packages := next(install.VENV.glob("lib/python*/site-packages")) / "av").mkdir()
    (packages / "__init__.py").write_text("")
    (clone / "requirements.txt").write_text("Django==5.3\n")
    install.ensure_installed()
    assert list(packages.glob("__pycache__/__init__.*.pyc"))


def test_requirements_that_another_file_names_count_too(clone: Path) -> None:
    before = install.fingerprint(clone / "requirements-dev.txt")
    (clone / "requirements.txt").write_text("Django==5.3\n")
    assert install.fingerprint(clone / "requirements-dev.txt") != before


def test_an_interrupted_installation_is_done_again_from_nothing(clone: Path) -> None:
    install.ensure_installed()
    (install.VENV / "half a package").touch()
    install.UNFINISHED.touch()
    install.ensure_installed()
    assert installs(clone) == 2
    assert not (install.VENV / "half a package").exists()
    assert not install.UNFINISHED.exists()


def test_a_failed_installation_is_one_sentence_and_done_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "install_command", lambda _: ["false"])
    with pytest.raises(Problem, match=r"^The packages could not be installed \(see above\): check network and disk"):
        install.ensure_installed()
    assert install.UNFINISHED.exists()


def test_a_venv_made_by_hand_is_kept(clone: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(install.VENV)], check=True)
    (install.VENV / "mine").touch()
    install.ensure_installed()
    assert (install.VENV / "mine").exists()


def test_a_venv_whose_python_is_gone_is_made_anew(clone: Path) -> None:
    install.ensure_installed()
    install.PYTHON.unlink()
    install.PYTHON.symlink_to("/nowhere/python3")
    install.ensure_installed()
    assert installs(clone) == 2
    assert install.answers([str(install.PYTHON), "--version"])


@pytest.fixture
def linked(clone: Path) -> Path:
    """A venv elsewhere, with one package, that `.venv` is a link to."""
    elsewhere = clone / "elsewhere"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(elsewhere)], check=True)
    packages = next(elsewhere.glob("lib/python*/site-packages"))
    (packages / "Django-5.2.dist-info").mkdir()
    (packages / "Django-5.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: Django\nVersion: 5.2\n")
    install.VENV.symlink_to(elsewhere)
    return elsewhere


def files_of(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_a_venv_elsewhere_that_fits_is_used_as_it_is(
    clone: Path, linked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / "requirements.txt").write_text("# the framework\nDjango[argon2]==5.2  # pinned\n")
    before = files_of(linked)
    install.ensure_installed()
    assert capsys.readouterr().out == (
        f".venv is a link to {linked.resolve()}, which this program does not change; its packages fit.\n"
    )
    assert files_of(linked) == before
    assert (installs(clone), install.VENV.is_symlink()) == (0, True)


@pytest.mark.parametrize("requirements", ["Django==5.3\n", "Django==5.2\nredis==8.1.0\n"], ids=["old", "missing"])
def test_a_venv_elsewhere_that_does_not_fit_is_left_alone(clone: Path, linked: Path, requirements: str) -> None:
    (clone / "requirements.txt").write_text(requirements)
    (linked / ".unfinished").touch()
    before = files_of(linked)
    with pytest.raises(
        Problem, match=r"^\.venv is a link to /.+, which this program does not change, and its packages"
    ):
        install.ensure_installed()
    assert files_of(linked) == before
    assert (installs(clone), install.VENV.is_symlink()) == (0, True)


def test_a_link_to_nowhere_is_left_alone(clone: Path) -> None:
    install.VENV.symlink_to(clone / "nowhere")
    with pytest.raises(Problem, match=r"^\.venv is a link to .*/nowhere, which this program does not change, and"):
        install.ensure_installed()
    assert install.VENV.is_symlink()


INSTALL_WITH_ITS_OWN_PYTHON = """
import pathlib, sys
from config.env_file import BASE_DIR
from local import install
clone = pathlib.Path(sys.argv[1])
install.BASE_DIR, install.VENV = clone, clone / ".venv"
install.PYTHON, install.UNFINISHED = install.VENV / "bin" / "python", install.VENV / ".unfinished"
install.find_uv = lambda: str(clone / "uv")
sys.base_prefix, sys.argv = (sys.argv[2:] or [sys.base_prefix])[0], ["install"]
install.main()
"""


def install_activated(clone: Path, *base_prefix: str) -> "subprocess.CompletedProcess[str]":
    """Installs with the Python of an unfinished `.venv`, as `make up` does where it is activated."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(install.VENV)], check=True)
    install.UNFINISHED.touch()
    (install.VENV / "half a package").touch()
    command = [str(install.PYTHON), "-B", "-c", INSTALL_WITH_ITS_OWN_PYTHON, str(clone), *base_prefix]
    return subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False)


def test_an_activated_venv_that_is_unfinished_is_made_anew_by_the_python_outside(clone: Path) -> None:
    done = install_activated(clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert installs(clone) == 1
    assert not (install.VENV / "half a package").exists()
    assert install.answers([str(install.PYTHON), "--version"])


def test_an_activated_venv_without_a_python_outside_is_not_removed(clone: Path) -> None:
    done = install_activated(clone, "/nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        "The installation in .venv is not complete, and only its own Python was found: "
        "leave it with `deactivate`, or set PYTHON to another one, and try again.\n"
    )
    assert (install.VENV / "half a package").exists()


def test_a_uv_inside_of_the_venv_is_not_used_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uv").write_text(FAKE_UV)
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert install.find_uv() == str(tmp_path / "uv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    assert install.find_uv() is None


def test_two_at_once_install_once(clone: Path) -> None:
    runs = [threading.Thread(target=install.ensure_installed) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert installs(clone) == 1


def test_the_second_waits_for_the_first(clone: Path) -> None:
    order = []

    def second() -> None:
        with install.one_at_a_time():
            order.append("second")

    with install.one_at_a_time():
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_bare_debian_python_gets_a_sentence_with_the_package_to_install(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "find_uv", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Problem, match=r"install its venv package \(Debian, Ubuntu: apt install python3-venv\) or"):
        install.ensure_installed()


def test_a_uv_that_does_not_run_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\necho 'uv: command not found' >&2\nexit 127\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert install.find_uv() is None
    assert install.install_command(["-r", "x"])[:4] == [str(install.PYTHON), "-m", "pip", "install"]
