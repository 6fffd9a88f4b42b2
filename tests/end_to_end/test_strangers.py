"""Strangers who send slowly, or headers that are slow to read, keep no other client waiting, with and without Nginx."""

import http.client
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.client import Client
from tests.nginx import Nginx
from tests.services import Platform, started, wait_for, web_alone

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
CONNECTIONS = 84  # more than the application has threads
REQUEST_S = 8
COOKIE = f"Cookie: csrftoken={'a' * 32}\r\n"
FORM = f"{COOKIE}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\ncsrfmiddlewaretoken="
FILES = f"{COOKIE}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n--x\r\n"
JSON = 'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"email": '
PART = "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: 100000\r\n\r\nx"
UPLOAD = "0190b0a2-7f6e-7c1a-9d52-3f8a0f6f3a11"
HOST = "HTTP/1.1\r\nHost: localhost\r\n"
# Requests that are begun and never finished.
UNFINISHED = {
    "a form": f"POST /admin/login/ {HOST}{FORM}",
    "a form for a page": f"POST /login/ {HOST}{FORM}",
    "a form with files": f"POST /admin/content_app/video {HOST}{FILES}",
    "a form with files for a video": f"POST /admin/content_app/video/1/change/ {HOST}{FILES}",
    "a part of a file": f"PATCH /api/v1/upload/tus/{UPLOAD}/ {HOST}{PART}",
    "a part of a file elsewhere": f"POST /admin/login/ {HOST}{COOKIE}{PART}",
    "JSON": f"POST /users/login/ {HOST}{JSON}",
    "JSON for a video": f"PATCH /api/v1/videos/1/ {HOST}{JSON}",
    "JSON that waits to be asked for": f"POST /users/login/ {HOST}Expect: 100-continue\r\n{JSON}",
    "headers": f"GET /login/ {HOST}X-Long: ",
    "nothing": "",
}
# Nginx buffers all forms and JSON in the same way, so one of them stands for the others.
DIFFERENT_BEHIND_NGINX = ("a form with files", "a part of a file", "JSON that waits to be asked for", "headers")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, prepared_database: Path) -> Iterator[Platform]:
    settings = {"REQUEST_SECONDS": str(REQUEST_S), "LOG_FORMAT": "json", "WEB_CONNECTIONS_PER_ADDRESS": "40"}
    with web_alone(tmp_path_factory.mktemp("strangers"), prepared_database, **settings) as platform:
        yield platform


@pytest.fixture(scope="module")
def nginx(site: Platform) -> Iterator[Nginx]:
    # The tests together send more than the usual limit of one address.
    with started(Nginx(site, NGINX_RATE_ANY="1000")) as server:
        yield server


@contextmanager
def unfinished(origin: str, request: str) -> Iterator[list[socket.socket]]:
    """Begins the request on CONNECTIONS connections, spread over ADDRESSES. Yields the connections."""
    with ExitStack() as stack:
        held = [stack.enter_context(connected(origin, ADDRESSES[one % 3])) for one in range(CONNECTIONS)]
        for connection in held:
            connection.sendall(request.encode())
        yield held


def connected(origin: str, address: str, *, timeout_s: float = 60) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(origin).port or 80), timeout_s, (address, 0))


def ask(origin: str, path: str = "/login/", address: str = "127.0.0.4") -> int:
    """Returns the status. The timeout is shorter than REQUEST_S, after which the unfinished requests are given up."""
    host = urlsplit(origin)
    connection = http.client.HTTPConnection("127.0.0.1", host.port, REQUEST_S * 0.75, (address, 0))
    try:
        connection.request("GET", path, headers={"Host": host.netloc})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("kind", UNFINISHED)
def test_requests_that_are_never_finished_take_no_thread(site: Platform, kind: str) -> None:
    with unfinished(site.origin, UNFINISHED[kind]):
        assert [ask(site.origin) for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("kind", DIFFERENT_BEHIND_NGINX)
def test_unfinished_requests_take_no_thread_behind_nginx_either(nginx: Nginx, kind: str) -> None:
    with unfinished(nginx.origin, UNFINISHED[kind]):
        assert [ask(nginx.origin) for _ in range(4)] == [200] * 4


def test_unfinished_requests_are_given_up_with_a_sentence(site: Platform) -> None:
    with ExitStack() as stack:
        held = {kind: stack.enter_context(connected(site.origin, "127.0.0.2")) for kind in UNFINISHED}
        for kind, connection in held.items():
            connection.sendall(UNFINISHED[kind].encode())
        answers = {kind: read_all(connection) for kind, connection in held.items()}
    assert answers.pop("nothing") == b""
    assert b"Connection: close" in answers.pop("a part of a file"), "refused at once"
    assert answers["JSON that waits to be asked for"].startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    for kind, answer in answers.items():
        assert b"HTTP/1.1 408 " in answer, kind
        assert b"Connection: close" in answer, kind
        assert b'"code": "request_timeout"' in answer, kind


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("is_behind", [False, True], ids=["alone", "behind Nginx"])
def test_an_upload_that_stalls_is_given_up_too(site: Platform, nginx: Nginx, is_behind: bool) -> None:
    origin = nginx.origin if is_behind else site.origin
    admin = site.sign_in()
    head = (
        f"POST /api/v1/videos/ HTTP/1.1\r\nHost: localhost\r\nOrigin: {site.origin}\r\n"
        f"Cookie: {admin.cookie_header()['Cookie']}\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    )
    with connected(origin, "127.0.0.2") as connection:
        connection.sendall(head.encode() + bytes(200_000))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code": "request_timeout"' in answer
    assert not list((site.folder / "media" / "incoming").iterdir())


def test_one_address_has_a_limited_number_of_connections(site: Platform) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connected(site.origin, "127.0.0.5")) for _ in range(2 * 40 + 10)]
        wait_for(lambda: len(select.select(held, [], [], 0)[0]) >= 10, limit_s=10, what="the end of ten connections")
        for connection in select.select(held, [], [], 0)[0]:
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 429 ")
            assert b'"code": "throttled"' in answer
        assert ask(site.origin) == 200
    wait_for(lambda: ask(site.origin, address="127.0.0.5") == 200, limit_s=10, what="the end of the others")


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [("/content/add-favorite/", "application/json", 413), ("/api/v1/videos/", "multipart/form-data; boundary=x", 401)],
)
def test_refused_bodies_cost_no_other_client_its_answer(nginx: Nginx, path: str, kind: str, status: int) -> None:
    """Nginx reuses the connections of refused requests for other requests."""

    def send(number: int) -> int:
        if number % 4:
            return Client(nginx.origin).get("/login/").status
        return Client(nginx.origin).request("POST", path, bytes(3_000_000), {"Content-Type": kind}).status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(320)))
    assert answers == [status, 200, 200, 200] * 80


@pytest.mark.parametrize("is_behind", [False, True], ids=["alone", "behind Nginx"])
def test_no_header_or_path_takes_long_to_be_logged(site: Platform, nginx: Nginx, is_behind: bool) -> None:
    origin = nginx.origin if is_behind else site.origin
    host = "token-" * (250 if is_behind else 1300)
    requests = [
        f"GET /login/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        f"GET /{'token-' * 600} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ]
    with ExitStack() as stack:
        held = [stack.enter_context(connected(origin, "127.0.0.2", timeout_s=10)) for _ in range(8)]
        for number, connection in enumerate(held):
            connection.sendall(requests[number % 2].encode())
        assert ask(origin) == 200
        assert {read_all(connection).split()[1] for connection in held} == {b"400", b"404"}
    assert max(map(len, site.log.read_text().splitlines())) <= 10_000
