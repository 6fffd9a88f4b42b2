"""Runs like a program that reads untrusted files, tries to get out, and prints as JSON what it achieved.

A script: standard library only. It harms nothing: the files that it could change are there for it to try, and it only
asks about other processes.
"""

import ctypes
import fcntl
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
EXPECTED_ENVIRONMENT = {"LC_ALL", "LC_CTYPE", "AV_LOG_FORCE_NOCOLOR", "MALLOC_ARENA_MAX"}


def main(inside: Path, outside: Path, neighbour: Path, port: int) -> None:
    """`inside` has the readable `source` and the `work` folder, `outside` a `secret`.

    `neighbour` is a socket and `port` a port of this machine that another process listens on.
    """
    source, work, secret = inside / "source", inside / "work", outside / "secret"
    parent, processors = os.getppid(), os.sched_getaffinity(0)
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    attempts: dict[str, Callable[[], object]] = {
        "files: read a secret": secret.read_bytes,
        "files: read a secret by another way": lambda: Path(f"/proc/self/root{secret}").read_bytes(),
        "files: list a folder": lambda: next(outside.iterdir()),
        "files: write beside its folder": (inside / "beside").touch,
        "files: write elsewhere": (outside / "new").touch,
        "files: change a file elsewhere": lambda: secret.open("ab").close(),
        "files: empty a file elsewhere": lambda: os.truncate(secret, 6),
        "files: change the source": lambda: source.open("ab").close(),
        "files: empty the source": lambda: os.close(os.open(source, os.O_RDONLY | os.O_TRUNC)),
        "files: lock the source up": lambda: source.chmod(0o600),
        "files: link to the source": lambda: (work / "hard").hardlink_to(source),
        "files: move the source": lambda: source.replace(work / "moved"),
        "files: link to a secret": lambda: (work / "soft").symlink_to(secret),
        "files: make a pipe": lambda: os.mkfifo(work / "pipe"),
        "network: connect": lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close(),
        "network: connect to a socket in a folder": lambda: connect(neighbour),
        "network: look up a name": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "processes: read the worker's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "processes: open the worker's memory": lambda: Path(f"/proc/{parent}/mem").open("rb").close(),
        "processes: signal the worker": lambda: os.kill(parent, 0),
        "processes: change the worker's limits": lambda: resource.prlimit(parent, resource.RLIMIT_CORE),
        "processes: move the worker to other processors": lambda: os.sched_setaffinity(parent, processors),
        "processes: aim a file's signals at the worker": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, parent),
        # It tries this with its own group. A program that is allowed to could do it to all processes of the user.
        "processes: change the priority of a group": lambda: os.setpriority(os.PRIO_PGRP, 0, niceness),
        "processes: outlive the worker": outlive,
        "processes: start one": start_process,
        "environment: find more than it needs": find_environment,
        "environment: find an open file": find_open_file,
    }
    json.dump([name for name, attempt in attempts.items() if succeeds(attempt)], sys.stdout)


def succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def outlive() -> None:
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0) != 0:
        raise PermissionError


def start_process() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def find_environment() -> None:
    if not os.environ.keys() - EXPECTED_ENVIRONMENT:
        raise FileNotFoundError


def find_open_file() -> None:
    """Raises FileNotFoundError when only the three files of every program are open."""
    for number in range(3, 256):
        if succeeds(lambda number=number: os.fstat(number)):  # type: ignore[misc]  # a lambda's defaults have no types
            return
    raise FileNotFoundError


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
