"""Runs a command with DATABASE_URL set to a PostgreSQL of its own, on a free port, that ends with it.

`python -m tests.with_postgresql pytest users_app`
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services import free_port

NOBODY = "nobody"  # PostgreSQL refuses to run as root


def program(name: str) -> str:
    """Returns the path of this program of the newest installed PostgreSQL. Exits when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which(name)
    if not found and not on_path:
        sys.exit(f"{name} was not found: install the postgresql package.")
    return str(found[-1] if found else on_path)


def as_other_user(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", "--", *command]


@contextmanager
def postgresql(*, certificate: Path | None = None) -> Iterator[str]:
    """Yields the URL of a database that is removed afterwards; with a certificate (and its `.key`) it speaks TLS."""
    folder = Path(tempfile.mkdtemp(prefix="videoflix-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
    data = folder / "data"
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    if certificate:
        options += f" -c ssl=on -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key"
        for name, source in {"server.crt": certificate, "server.key": certificate.with_suffix(".key")}.items():
            shutil.copy(source, folder / name)
            (folder / name).chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(folder / name, NOBODY)
    control = [program("pg_ctl"), "-D", str(data), "-s", "-w"]
    run([program("initdb"), "-D", str(data), "-U", "videoflix", "-A", "trust", "-E", "UTF8", "--no-sync"])
    port = free_port()  # chosen just before the start, because another program may take a free port
    run([*control, "-l", str(folder / "log"), "-o", f"{options} -c port={port}", "start"])
    try:
        yield f"postgres://videoflix@127.0.0.1:{port}/postgres"
    finally:
        run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str]) -> None:
    subprocess.run(as_other_user(command), check=True, stdout=subprocess.DEVNULL, cwd="/", env={"LC_ALL": "C.UTF-8"})


def main() -> int:
    # By default SIGTERM would skip the cleanup, and the server, which has a session of its own, would stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with postgresql() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
