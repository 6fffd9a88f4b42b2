"""How the worker reads requests before they get a thread; the application answers with what it received."""

import json
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from config.env_file import BASE_DIR
from config.http.client_socket import ClientSocket, Pace
from config.http.late_bodies import LateBodies
from tests.services import free_port, wait_for

# The application reads as much of a body as the query says; /wait waits until another request opens /go-on.
APPLICATION = """
import resource, threading
from django.conf import settings
settings.configure(
    TRUSTED_PROXIES=parse_networks(["127.0.0.9"]), WEB_CONNECTIONS_PER_ADDRESS=20, WEB_THREADS_PER_ADDRESS=2,
    REQUEST_SECONDS=60, LEAST_BYTES_PER_SECOND=1, DATA_UPLOAD_MAX_MEMORY_SIZE=5_000_000,
)
go_on = threading.Event()

def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        go_on.wait()
    if environ["PATH_INFO"] == "/go-on":
        go_on.set()
    body = environ["wsgi.input"].read(int(environ["QUERY_STRING"] or 0))
    if environ["PATH_INFO"] == "/open-files":
        body = b"%d of %d" % resource.getrlimit(resource.RLIMIT_NOFILE)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with served(tmp_path_factory.mktemp("worker")) as port:
        yield port


@pytest.fixture(scope="module")
def port_of_few_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with a soft limit of 40 open files and a hard one of 60."""
    with served(tmp_path_factory.mktemp("few"), "prlimit", "--nofile=40:60") as port:
        yield port


@contextmanager
def served(folder: Path, *started_by: str) -> Iterator[int]:
    (folder / "echo.py").write_text("from config.http.forwarded import parse_networks\n" + APPLICATION)
    port = free_port()
    options = ["-k", "config.http.web_worker.FairWorker", "--threads", "5", "--no-control-socket"]
    options += ["--pythonpath", str(folder), "--bind", f"127.0.0.1:{port}"]
    with Popen([*started_by, sys.executable, "-m", "gunicorn", *options, "echo:application"], cwd=BASE_DIR) as server:
        try:
            wait_for(lambda: is_up(port), what="the server")
            yield port
        finally:
            server.terminate()


def is_up(port: int) -> bool:
    try:
        return b" 200 OK" in send(port, "GET / HTTP/1.0\r\n\r\n")
    except OSError:
        return False


def connect(port: int, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 30, (address, 0))


def send(port: int, *parts: str, address: str = "127.0.0.1") -> bytes:
    """Sends the parts. Returns everything that the server sends until it closes the connection."""
    with connect(port, address) as connection:
        for part in parts:
            connection.sendall(part.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def read_to(end: bytes, connection: socket.socket) -> bytes:
    """Reads until the answer ends with this text. Returns the answer."""
    answered = b""
    while not answered.endswith(end):
        part = connection.recv(65536)
        assert part, answered
        answered += part
    return answered


def head(path: str, length: int | str = 0, *more: str) -> str:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more, "", ""])


LAST = "GET /?0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_a_request_may_come_in_any_parts(port: int) -> None:
    whole = head("/?5", 5) + "hello" + LAST
    assert send(port, *whole).count(b"HTTP/1.1 200") == 2
    assert b"\r\n\r\nhello" in send(port, whole[:90], whole[90:])


def test_pipelined_requests_are_answered_one_after_the_other(port: int) -> None:
    answered = send(port, (head("/?3", 3) + "abc") * 20 + LAST)
    assert answered.count(b"\r\n\r\nabc") == 20
    assert answered.count(b"HTTP/1.1 200") == 21


@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
def test_the_rest_of_an_unread_body_is_thrown_away(port: int, size: int) -> None:
    answered = send(port, head("/?0", size), "x" * size, LAST)
    assert answered.count(b"HTTP/1.1 200") == 2
    assert answered.count(b"Connection: keep-alive") == 1


@pytest.mark.parametrize("read", [0, 1, 70_000])
@pytest.mark.parametrize("sent", [70_000, 5_000_001])
def test_an_answer_that_leaves_a_body_unread_closes_the_connection(port: int, read: int, sent: int) -> None:
    answered = send(port, head(f"/?{read}", 5_000_001 + 8), "x" * sent)
    assert answered.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in answered


def test_an_answer_that_leaves_a_chunked_body_unread_closes_it_too(port: int) -> None:
    chunked = "POST /?0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert b"Connection: close" in send(port, chunked)
    read = send(port, chunked.replace("?0", "?100") + LAST)
    assert (read.count(b"HTTP/1.1 200"), read.count(b"hello")) == (2, 1)


def test_a_client_that_expects_100_continue_gets_it_once(port: int) -> None:
    answered = send(port, head("/?5", 5, "Expect: 100-continue", "Connection: close"), "hello")
    assert answered.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert answered.endswith(b"hello")


def test_headers_are_limited(port: int) -> None:
    answered = send(port, "GET / HTTP/1.1\r\nX: ", "x" * 70_000)
    assert answered.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["code"] == "headers_too_large"


def test_bodies_of_one_address_are_limited_together(port: int) -> None:
    held = [connect(port, "127.0.0.3") for _ in range(4)]
    try:
        for connection in held:
            connection.sendall(head("/?1", 4_900_000).encode())
        (refused, *_), *_ = select.select(held, [], [], 30)
        assert refused.recv(65536).startswith(b"HTTP/1.1 429 ")
        assert b"HTTP/1.1 200" in send(port, head("/?1", 1, "Connection: close"), "x", address="127.0.0.3")
        assert b"HTTP/1.1 200" in send(port, head("/?1", 4_900_000, "Connection: close"), "x" * 4_900_000)
    finally:
        for connection in held:
            connection.close()


def test_bodies_of_all_addresses_are_limited_together(port: int) -> None:
    """Only received bytes count. An announced body takes no memory, and other clients may send theirs."""
    with ExitStack() as stack:
        held = [stack.enter_context(connect(port, f"127.0.1.{1 + one % 11}")) for one in range(33)]
        announced, sent = held[:3], held[3:]
        for connection in held:
            connection.sendall(head("/?1", 4_900_000).encode())
        for connection in sent:
            with suppress(OSError):  # a refused connection may be closed meanwhile
                connection.sendall(bytes(4_500_000))
        refused = wait_for(lambda: select.select(sent, [], [], 0)[0], limit_s=30, what="a refusal")
        assert {answer_of(connection) for connection in refused} == {b"429"}
        assert select.select(announced, [], [], 0)[0] == []
        assert b"HTTP/1.1 200" in send(port, head("/?1", 1, "Connection: close"), "x", address="127.0.0.3")
    whole = head("/?1", 4_900_000, "Connection: close")
    wait_for(lambda: b"HTTP/1.1 200" in send(port, whole, "x" * 4_900_000), limit_s=30, what="room for a body")


def answer_of(connection: socket.socket) -> bytes:
    return connection.recv(65536).split()[1]


CHUNK_TYPE = "Content-Type: application/offset+octet-stream"


@pytest.mark.parametrize(
    "unfinished",
    [
        head("/?9", "0" * 20 + "100000"),
        head("/?9", 100, CHUNK_TYPE),
        head("/upload/tus/?9", 100, CHUNK_TYPE),
        head("/?/api/v1/upload/tus/", 100, CHUNK_TYPE),
        head("//api/v1/upload/tus/", 100, CHUNK_TYPE),
    ],
    ids=["zeros before the length", "a part", "a part below it", "a part with it as query", "a part with two slashes"],
)
def test_only_a_chunk_at_the_upload_route_gets_a_thread_before_it_is_complete(port: int, unfinished: str) -> None:
    with ExitStack() as stack:
        for number in range(6):
            connection = stack.enter_context(connect(port, f"127.0.2.{number // 2 + 1}"))
            connection.sendall(unfinished.encode())
        assert b"HTTP/1.1 200" in send(port, LAST)


@pytest.mark.parametrize("path", ["/api/v1/upload/tus/", "/api/v1/upload/tus/an-id/"])
def test_a_chunk_at_the_upload_route_gets_a_thread_as_it_arrives(port: int, path: str) -> None:
    assert send(port, head(f"{path}?0", 100, CHUNK_TYPE), "hello").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("length", "read"), [("0" * 30 + "5", b"hello"), ("0" * 30, b""), ("1" * 25, b"")], ids=["5", "0", "too long"]
)
def test_a_content_length_may_have_many_digits(port: int, length: str, read: bytes) -> None:
    answered = send(port, head(f"/?{len(read)}", length, "Connection: close"), "hello")
    assert answered.startswith(b"HTTP/1.1 200")
    assert answered.endswith(b"\r\n\r\n" + read)


def test_a_head_without_a_path_is_refused(port: int) -> None:
    assert b" 400 " in send(port, f"PATCH\r\n{CHUNK_TYPE.replace(' ', '')}\r\n\r\n").partition(b"\r\n")[0]


def test_a_server_raises_its_limit_of_open_files_to_the_hard_limit(port_of_few_files: int) -> None:
    assert b"60 of 60" in send(port_of_few_files, LAST.replace("/?0", "/open-files?0"))


def test_a_server_without_files_for_more_connections_keeps_those_it_has(port_of_few_files: int) -> None:
    port = port_of_few_files
    with connect(port) as first:
        first.sendall(head("/?2", 2).encode() + b"h")
        with ExitStack() as stack:
            many = [stack.enter_context(connect(port, f"127.0.3.{1 + one % 5}")) for one in range(80)]
            for connection in many:
                connection.sendall(head("/?2", 2).encode() + b"h")
            # Accepted connections are read on like the first one; the others wait to be accepted.
            many[0].sendall(b"i")
            assert many[0].recv(65536).startswith(b"HTTP/1.1 200")
            first.sendall(b"i")
            assert read_to(b"\r\n\r\nhi", first).startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 200" in send(port, LAST)


@pytest.mark.parametrize(
    ("peer", "named"), [("127.0.0.3", ""), ("127.0.0.9", "X-Forwarded-For: 8.8.8.8, 203.0.113.7\r\n")]
)
def test_one_address_does_not_have_all_threads(port: int, peer: str, named: str) -> None:
    """Behind a trusted proxy the addresses of its clients are counted, not that of the proxy."""
    waiting = [connect(port, peer) for _ in range(6)]
    for connection in waiting:
        connection.sendall(f"GET /wait HTTP/1.1\r\nHost: x\r\n{named}Connection: close\r\n\r\n".encode())
    assert b"HTTP/1.1 200" in send(port, LAST)
    others = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.8\r\nConnection: close\r\n\r\n"
    assert b"HTTP/1.1 200" in send(port, others, address="127.0.0.9")
    send(port, LAST.replace("/?0", "/go-on"))
    for connection in waiting:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.close()


# --- pace ------------------------------------------------------------------------------------------------------------


def test_received_bytes_earn_time_up_to_the_initial_grace() -> None:
    pace = Pace(grace_s=10, bytes_per_s=100)
    pace.note(waited_s=4, received_bytes=100)
    assert pace.left_s == 7
    pace.note(waited_s=0, received_bytes=10_000)
    assert pace.left_s == 10


@pytest.fixture
def client() -> Iterator[tuple[ClientSocket, socket.socket]]:
    server_end, peer = socket.socketpair()
    with ClientSocket(fileno=server_end.detach()) as wrapped, peer:
        wrapped.pace = Pace(grace_s=60, bytes_per_s=100)
        wrapped.serve_from_a_thread()
        yield wrapped, peer


def test_a_read_times_out_when_the_client_is_behind_its_pace(client: tuple[ClientSocket, socket.socket]) -> None:
    server_end, peer = client
    peer.sendall(b"some")
    assert (server_end.recv(100), server_end.is_late) == (b"some", False)
    server_end.pace.left_s = 0.01
    with pytest.raises(TimeoutError):
        server_end.recv(100)
    assert server_end.is_late


def test_an_application_may_set_a_shorter_timeout(client: tuple[ClientSocket, socket.socket]) -> None:
    server_end, _ = client
    server_end.settimeout(0.01)
    with pytest.raises(TimeoutError):
        server_end.recv(100)
    assert server_end.gettimeout() == 0.01


def test_sending_times_out_when_the_client_does_not_read(client: tuple[ClientSocket, socket.socket]) -> None:
    server_end, peer = client
    server_end.settimeout(0.05)
    with pytest.raises(TimeoutError):
        server_end.sendall(bytes(10_000_000))
    assert len(peer.recv(1_000_000)) > 0


def test_reads_of_the_main_loop_do_not_wait(client: tuple[ClientSocket, socket.socket]) -> None:
    server_end, _ = client
    server_end.setblocking(False)
    with pytest.raises(BlockingIOError):
        server_end.recv(100)
    assert not server_end.is_late


# --- answers to late clients -----------------------------------------------------------------------------------------


class Late:
    is_late = True


@pytest.mark.parametrize(
    ("client", "status", "heard"),
    [
        (Late(), "400 Bad Request", "408 Request Timeout"),
        (Late(), "500 Server Error", "408 Request Timeout"),
        (Late(), "204 No Content", "204 No Content"),
        (None, "400 Bad Request", "400 Bad Request"),
        (object(), "400 Bad Request", "400 Bad Request"),
    ],
)
def test_an_error_after_a_body_that_broke_off_is_408(client: Any, status: str, heard: str) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/html"), ("Content-Length", "3"), ("X-Request-ID", "an-id")])
        return [b"bad"]

    said: list[Any] = []
    body = LateBodies(application)({"gunicorn.socket": client}, lambda *given: said.append(given))  # type: ignore[arg-type]  # as servers do
    (told, headers), *_ = said
    assert told == heard
    assert ("X-Request-ID", "an-id") in headers
    assert (b"".join(body) == b"bad") == (heard == status)
    assert ("Content-Length", str(sum(map(len, body)))) in headers
