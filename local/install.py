"""Installs the pinned requirements into `.venv`, once: by uv where there is one, else by pip.

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
# Exists while packages are being installed, so that an interrupted installation is never used.
UNFINISHED = VENV / ".unfinished"
INSTALLED_MB = 1000
# Run by the Python of a `.venv` that is a link: fails unless each `name==version` of its arguments is installed.
HAS_PACKAGES = """
import sys
from importlib.metadata import version
pins = [pin.split("==") for pin in sys.argv[1:]]
sys.exit(sys.version_info < (3, 11) or any(version(name) != pinned for name, pinned in pins))
"""


def ensure_installed(requirements: str = "requirements.txt") -> None:
    """Installs the requirements, or only reads the stamp when they are installed already; raises Problem."""
    if VENV.is_symlink():
        check_linked(BASE_DIR / requirements)
        return
    stamp, expected = VENV / f".installed-{requirements}", fingerprint(BASE_DIR / requirements)
    if is_current(stamp, expected):
        return
    with one_at_a_time():
        if is_current(stamp, expected):  # another process installed while this one waited
            return
        check_writable(VENV, remedy="clone to a folder that you may write to")
        check_space(VENV, min_mb=INSTALLED_MB)
        say(f"Installing the packages of {requirements} into .venv (once; a minute or two) …")
        prepare_venv()
        run(install_command(["-r", str(BASE_DIR / requirements)]))
        compile_for_probe()
        stamp.write_text(expected, encoding="utf-8")
        UNFINISHED.unlink(missing_ok=True)


def check_linked(requirements: Path) -> None:
    """Raises Problem unless a `.venv` that is a link has the packages. It belongs to its owner: nothing is written."""
    link = f".venv is a link to {VENV.resolve()}, which this program does not change"
    if not answers([str(PYTHON), "-I", "-B", "-c", HAS_PACKAGES, *pins_of(requirements)]):
        raise Problem(
            f"{link}, and its packages are not those of {requirements.name}: install these there, or remove the link."
        )
    say(f"{link}; its packages fit.")


def pins_of(requirements: Path) -> Iterator[str]:
    """Yields `name==version`, without extras and comments."""
    for text in requirement_texts(requirements):
        for line in text.splitlines():
            name, separator, pinned = line.partition("#")[0].partition("==")
            if separator:
                yield f"{name.partition('[')[0].strip()}=={pinned.strip()}"


def fingerprint(requirements: Path) -> str:
    """A hash of the Python version, the folder (a venv cannot be moved) and all requirements."""
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


def is_current(stamp: Path, expected: str) -> bool:
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8") == expected
        and not UNFINISHED.exists()
        and os.access(PYTHON, os.X_OK)  # false as well when the Python it links to is gone
    )


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a lock on the folder of this clone, which needs no lock file, while packages are installed into it."""
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
    """Makes a `.venv` to install into; keeps an existing one, also one made by hand, if it fits."""
    if not is_usable():
        if not find_uv() and not importlib.util.find_spec("ensurepip"):
            raise Problem(
                f"{sys.executable} cannot make a virtual environment with pip: install its venv package "
                "(Debian, Ubuntu: apt install python3-venv) or install uv."
            )
        python = python_outside()
        shutil.rmtree(VENV, ignore_errors=True)
        VENV.mkdir(exist_ok=True)
        UNFINISHED.touch()
        run([python, "-m", "venv", *(["--without-pip"] if find_uv() else []), str(VENV)])
    UNFINISHED.touch()


def python_outside() -> str:
    """The Python to make `.venv` with. In an activated `.venv` this one is about to be removed, so it is the one that
    `.venv` was made of; raises Problem when there is none.
    """
    if Path(sys.prefix).resolve() != VENV.resolve():
        return sys.executable
    python = Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info)
    if python.is_relative_to(VENV) or not os.access(python, os.X_OK):
        raise Problem(
            "The installation in .venv is not complete, and only its own Python was found: "
            "leave it with `deactivate`, or set PYTHON to another one, and try again."
        )
    return str(python)


def is_usable() -> bool:
    probe = f"import sys; {'' if find_uv() else 'import pip; '}sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return not UNFINISHED.exists() and answers([str(PYTHON), "-c", probe])


def find_uv() -> str | None:
    """uv on PATH, if it runs (version managers leave stubs there that do not) and does not lie in `.venv` itself."""
    uv = shutil.which("uv")
    return uv if uv and Path(uv).parent != PYTHON.parent and answers([uv, "--version"]) else None


def install_command(arguments: Sequence[str]) -> list[str]:
    if uv := find_uv():
        return [uv, "pip", "install", "--python", str(PYTHON), *arguments]
    # --no-compile: the services keep compiled modules under the data folder.
    return [str(PYTHON), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", *arguments]


def compile_for_probe() -> None:
    """Compiles PyAV: the probe that imports it may write nothing, and would compile it again for every film."""
    script = (
        "import compileall, importlib.util as u; av = u.find_spec('av'); "
        "av and compileall.compile_dir(av.submodule_search_locations[0], quiet=2)"
    )
    answers([str(PYTHON), "-I", "-c", script])  # a failure makes films slower and nothing else


def answers(command: Sequence[str]) -> bool:
    try:
        finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return finished.returncode == 0


def run(command: Sequence[str]) -> None:
    """Runs a command, whose output is the progress that people see; raises Problem when it fails."""
    say(f"$ {' '.join(command)}")
    # PIP_USER would send the packages to the home folder, and PYTHONPATH hide missing ones.
    env = {name: value for name, value in os.environ.items() if name not in {"PIP_USER", "PYTHONPATH", "PIP_TARGET"}}
    # When `make up` is killed, its installer must not go on writing beside the next one.
    before_exec = functools.partial(end_with_parent, os.getpid(), signal.SIGKILL)
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, env=env, check=False, preexec_fn=before_exec)
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
