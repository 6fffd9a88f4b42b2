"""gunicorn as `make up` runs it, with an application of a few lines."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.env_file import BASE_DIR

APPLICATION = """
def application(environ, start_response):
    size = sum(map(len, iter(lambda: environ["wsgi.input"].read(1000), b"")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(size).encode()]
"""
# Of the main loop: far shorter than in production, so that an upload of some seconds takes longer.
TIMEOUT_S = 4
UPLOAD_S = 8


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Starts gunicorn, which waits for the file `prepared` in the folder. Yields its port."""
    (folder / "echo_size.py").write_text(APPLICATION)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf = ["-c", "local/gunicorn_conf.py", "--timeout", str(TIMEOUT_S)]
    where = ["--pythonpath", str(folder), "--bind", f"127.0.0.1:{port}", "echo_size:application"]
    # The views that the configuration loads early are Django's.
    env = {**os.environ, "PREPARED_FILE": str(folder / "prepared"), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", "import django, gunicorn.app.wsgiapp as w; django.setup(); w.run()"]
    with subprocess.Popen([*command, *conf, *where], cwd=BASE_DIR, env=env) as server:
        try:
            yield port
        finally:
            server.terminate()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "prepared").touch()
    with serving(tmp_path) as port:
        wait_for(port)
        yield port


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_an_upload_may_take_longer_than_the_timeout_of_a_worker(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as upload:
        parts = UPLOAD_S * 4
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {parts * 1000}\r\n\r\n"
        upload.sendall(head.encode())
        for _ in range(parts):
            upload.sendall(bytes(1000))
            time.sleep(0.25)
        answer = b"".join(iter(lambda: upload.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert str(parts * 1000).encode() in answer


def test_nothing_listens_before_the_database_is_prepared(tmp_path: Path) -> None:
    with serving(tmp_path) as port:
        time.sleep(3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        (tmp_path / "prepared").touch()
        wait_for(port)
