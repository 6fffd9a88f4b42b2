"""The pinned requirements in `.venv`, installed once: by uv when it is there, else by pip.

`python -m local.install [requirements-dev.txt]`
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from config.env_file import BASE_DIR
from local.checks import check_space, check_writable
from local.console import say
from local.linux import end_with_parent
from local.problem import Problem

VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
# There from before the first file until after the last: an installation that was interrupted cannot be trusted.
UNFINISHED = VENV / ".unfinished"
INSTALLED_MB = 1000


def ensure_installed(requirements: str = "requirements.txt") -> None:
    """Nothing but a look at the stamp when it was done before; raises Problem."""
    stamp, wanted = VENV / f".installed-{requirements}", fingerprint(BASE_DIR / requirements)
    if is_current(stamp, wanted):
        return
    with one_at_a_time():
        if is_current(stamp, wanted):  # somebody else installed while this one waited
            return
        check_writable(VENV, remedy="clone to a folder that you may write to")
        check_space(VENV, least_mb=INSTALLED_MB)
        say(f"Installing the packages of {requirements} into .venv (once; a minute or two) …")
        prepare_venv()
        run(install_command(["-r", str(BASE_DIR / requirements)]))
        compile_for_probe()
        stamp.write_text(wanted, encoding="utf-8")
        UNFINISHED.unlink(missing_ok=True)


def fingerprint(requirements: Path) -> str:
    """Changes with the Python, the folder (a venv cannot be moved) and every requirement."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {VENV}\n".encode())
    for text in requirement_texts(requirements):
        digest.update(text.encode())
    return digest.hexdigest()


def requirement_texts(requirements: Path) -> Iterator[str]:
    text = requirements.read_text(encoding="utf-8")
    yield text
    for line in text.splitlines():
        if line.startswith("-r "):
            yield from requirement_texts(requirements.with_name(line.removeprefix("-r ").strip()))


def is_current(stamp: Path, wanted: str) -> bool:
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8") == wanted
        and not UNFINISHED.exists()
        and os.access(PYTHON, os.X_OK)  # false as well when the Python it links to is gone
    )


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Whoever installs into this clone holds a lock on its folder, which needs no file of its own."""
    folder = os.open(BASE_DIR, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another installation in this folder …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def prepare_venv() -> None:
    """A `.venv` that can be installed into; one made by hand is kept if it fits."""
    if not is_usable():
        if not find_uv() and not importlib.util.find_spec("ensurepip"):
            raise Problem(
                f"{sys.executable} cannot make a virtual environment with pip: install its venv package "
                "(Debian, Ubuntu: apt install python3-venv) or install uv."
            )
        remove_venv()
        VENV.mkdir(exist_ok=True)
        UNFINISHED.touch()
        run([sys.executable, "-m", "venv", *(["--without-pip"] if find_uv() else []), str(VENV)])
    UNFINISHED.touch()


def remove_venv() -> None:
    """A link to a virtual environment elsewhere is let go of; what it leads to is somebody else's."""
    if VENV.is_symlink():
        VENV.unlink()
    else:
        shutil.rmtree(VENV, ignore_errors=True)


def is_usable() -> bool:
    probe = f"import sys; {'' if find_uv() else 'import pip; '}sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return not UNFINISHED.exists() and answers([str(PYTHON), "-c", probe])


def find_uv() -> str | None:
    """uv on PATH, if it runs (version managers leave stand-ins that do not)."""
    uv = shutil.which("uv")
    return uv if uv and answers([uv, "--version"]) else None


def install_command(arguments: Sequence[str]) -> list[str]:
    if uv := find_uv():
        return [uv, "pip", "install", "--python", str(PYTHON), *arguments]
    # Not compiled here: the services keep compiled modules under the data folder.
    return [str(PYTHON), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", *arguments]


def compile_for_probe() -> None:
    """PyAV alone: the probe that imports it may write nothing, and would compile it anew for every film."""
    script = (
        "import compileall, importlib.util as u; av = u.find_spec('av'); "
        "av and compileall.compile_dir(av.submodule_search_locations[0], quiet=2)"
    )
    answers([str(PYTHON), "-I", "-c", script])  # one that fails makes films slower, no worse


def answers(command: Sequence[str]) -> bool:
    try:
        finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return finished.returncode == 0


def run(command: Sequence[str]) -> None:
    """Its output is the progress that people see."""
    say(f"$ {' '.join(command)}")
    # PIP_USER would send the packages to the home folder, and PYTHONPATH hide missing ones.
    env = {name: value for name, value in os.environ.items() if name not in {"PIP_USER", "PYTHONPATH", "PIP_TARGET"}}
    # One that is killed must not leave an installer behind, writing beside the next one.
    with_us = functools.partial(end_with_parent, os.getpid(), signal.SIGKILL)
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, env=env, check=False, preexec_fn=with_us)
    if finished.returncode != 0:
        raise Problem("The packages could not be installed (see above): check network and disk space, then try again.")


def main() -> None:
    try:
        ensure_installed(*sys.argv[1:])
    except Problem as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
