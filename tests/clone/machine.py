"""A bare machine for `make up`: a fresh clone, a user without rights, and few programs on PATH."""

import os
import pwd
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from tests.services import PROJECT, free_port

PROGRAMS = ("awk", "cat", "chmod", "env", "git", "id", "ls", "make", "mkdir", "mv", "rm", "sh", "uname")
# The system's Python, as a script and not as a link, because Python looks for its library beside the link.
PYTHON = '#!/bin/sh\nexec /usr/bin/python3 "$@"\n'
LIMIT_S = 600
END_S = 30


class Run:
    """One `make up` and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.origin = f"http://localhost:{port}"
        self.lines: list[str] = []
        self.unread: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.unread.put(line)
        self.unread.put("")

    def wait_for(self, pattern: str, *, limit_s: float = LIMIT_S) -> re.Match[str]:
        deadline = time.monotonic() + limit_s
        while line := self.unread.get(timeout=max(0.1, deadline - time.monotonic())):
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"{pattern!r} was never printed:\n" + self.text())

    def text(self) -> str:
        return "\n".join(self.lines)

    def press_ctrl_c(self) -> None:
        """Sends SIGINT to make and all that it runs, as a terminal does to its foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, limit_s: float = LIMIT_S) -> int:
        return self.process.wait(limit_s)

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.wait(END_S)


class Machine:
    def __init__(self, folder: Path) -> None:
        self.home, self.path, self.clone = folder / "home", folder / "bin", folder / "a clone"
        self.home.mkdir()
        self.fill_path()
        subprocess.run(["git", "clone", "--quiet", f"file://{PROJECT}", str(self.clone)], check=True)
        self.give_away(folder)

    def fill_path(self) -> None:
        self.path.mkdir()
        for name in PROGRAMS:
            (self.path / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
        (self.path / "python3").write_text(PYTHON)
        (self.path / "python3").chmod(0o755)

    def give_away(self, folder: Path) -> None:
        """When the tests run as root, gives the folder to the user who will run `make up`."""
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                if not path.is_symlink():
                    shutil.chown(path, "nobody", pwd.getpwnam("nobody").pw_gid)

    def as_person(self, *command: str) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        person = pwd.getpwnam("nobody")
        setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
        return [setpriv, f"--reuid={person.pw_uid}", f"--regid={person.pw_gid}", "--clear-groups", *command]

    def environment(self) -> dict[str, str]:
        """The environment of that user; of this process it has only the settings of pip and of its connections."""
        pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "http"))}
        return {**pip, "PATH": str(self.path), "HOME": str(self.home), "LC_ALL": "C.UTF-8"}

    def make_up(self, port: int | None = None, *words: str, clone: Path | None = None) -> Run:
        port = port or free_port()
        process = subprocess.Popen(
            self.as_person(str(self.path / "make"), "up", f"PORT={port}", *words),
            cwd=clone or self.clone,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Run(process, port)

    def refused(self, *words: str, port: int | None = None, clone: Path | None = None) -> str:
        """Runs a `make up` that must fail. Returns its output without the lines of make itself."""
        run = self.make_up(port, *words, clone=clone)
        assert run.wait() != 0
        run.wait_for(r"^make: \*\*\*")
        return "\n".join(line for line in run.lines[1:] if not line.startswith("make: ***"))

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py`, as in another terminal."""
        command = self.as_person(".venv/bin/python", "-B", "manage.py", *arguments)
        return subprocess.run(
            command, cwd=self.clone, env=self.environment(), capture_output=True, text=True, timeout=60, check=False
        )

    def processes(self, word: str = "") -> list[int]:
        """Returns the processes that run in the clone or from it, with this word in their command line."""
        return [
            int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit() and self.owns(folder, word)
        ]

    def owns(self, process: Path, word: str) -> bool:
        try:
            places = f"{(process / 'cwd').readlink()}\n{(process / 'exe').readlink()}"
            return str(self.clone) in places and word in (process / "cmdline").read_text()
        except OSError:
            return False  # the process ended meanwhile

    def untracked(self) -> list[str]:
        """Returns the files and folders in the clone that are not in git."""
        command = ["git", "-c", "safe.directory=*", "status", "--porcelain", "--ignored"]
        said = subprocess.run(command, cwd=self.clone, capture_output=True, text=True, check=True).stdout
        return sorted(line[3:] for line in said.splitlines())
