"""Checks before anything is installed or started; each raises Problem with one sentence."""

import errno
import fcntl
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import IO

from config.env_file import quote_value, shorten
from local.problem import Problem, describe_os_error, not_writable

MIN_FREE_MB = 300
PORTS_TRIED = 50


def check_port(bind: str, port: int) -> None:
    try:
        listen_briefly(bind, port)
    except OSError as error:
        raise Problem(port_sentence(bind, port, error)) from error


def listen_briefly(bind: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    socket.create_server((bind, port), family=family).close()


def port_sentence(bind: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = free_port(bind, port)
        return f"Port {port} is in use: stop what listens there or choose another, as in `make up PORT={other}`."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root: choose one from 1024 up, as in `make up PORT=8000`."
    reason = shorten(describe_os_error(error))
    return (
        f"BIND is {quote_value(bind)}, which is no address of this machine ({reason}): set it to 127.0.0.1 or 0.0.0.0."
    )


def free_port(bind: str, taken: int) -> int:
    """A free port to suggest, if possible a little above the one that is taken."""
    for port in range(taken + 1, min(taken + PORTS_TRIED, 65536)):
        try:
            listen_briefly(bind, port)
        except OSError:
            continue
        return port
    with socket.create_server((bind, 0)) as server:
        return int(server.getsockname()[1])


def check_writable(folder: Path, *, remedy: str) -> None:
    """Makes the folder and writes to it: permission bits say nothing to root, or on a read-only file system."""
    try:
        # For its owner only: the files below it hold password hashes and the secret.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(f"The disk of {folder} is full: free some space or {remedy}.") from error
        not_writable(folder, error, remedy)


def check_space(folder: Path, *, min_mb: int = MIN_FREE_MB) -> None:
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < min_mb:
        raise Problem(
            f"Only {free_mb} MB are free on the disk of {folder}, and {min_mb} MB are needed: "
            "free some space or set DATA_DIR to a folder on another disk."
        )


def claim(data_dir: Path) -> IO[str]:
    """Locks the data folder while the returned file is open: two platforms in it would share one Redis socket."""
    lock = (data_dir / "up.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise Problem(
            f"Videoflix already runs with the data in {data_dir} (process {holder}): "
            "stop it, or set DATA_DIR to another folder."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
