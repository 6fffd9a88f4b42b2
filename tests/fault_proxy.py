"""A proxy in front of an HTTP server, which passes requests on unchanged or with the faults that a test asks for."""

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed import SupportsRead

PIECE_BYTES = 64 * 1024
LINE_BYTES = 128 * 1024
# Headers of one connection, which are not passed on; a body without a length gets a Content-Length.
OF_ONE_CONNECTION = frozenset({"connection", "expect", "keep-alive", "transfer-encoding"})
RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, for which requests (a method, a path or its beginning) and how often."""

    status: int = 0  # the proxy answers with this status, and the server gets no request
    hangs: bool = False  # there is no answer until the proxy works normally again
    refuses: bool = False  # the connection is reset before anything is read
    cut_after: int | None = None  # bytes of a body that pass, up or down, before the connection is reset
    corrupts: bool = False  # the first byte of an uploaded body is changed
    bytes_per_s: int = 0  # how fast bodies pass, in both directions
    method: str = ""
    path: str = ""
    times: float = float("inf")

    def concerns(self, method: str, path: str) -> bool:
        return self.method in ("", method) and path.startswith(self.path)


class FaultProxy:
    """A proxy in front of `target`, an http address; clients use `url`.

    `requests` counts the requests and `answered_bytes` the bytes of the answers' bodies, both by method and by path
    without its query.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.requests: Counter[tuple[str, str]] = Counter()
        self.answered_bytes: Counter[tuple[str, str]] = Counter()
        self.lock = threading.Lock()
        self.fault: Fault | None = None
        self.left = 0.0
        self.released = threading.Event()
        self.connections: set[socket.socket] = set()
        self.server = Server(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.be_normal()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # it ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    def be(self, fault: Fault) -> None:
        """Applies the fault to new requests; those under way keep the fault that they met."""
        with self.lock:
            self.fault, self.left, self.released = fault, fault.times, threading.Event()

    def be_normal(self) -> None:
        """Ends the fault; requests that hang go on."""
        with self.lock:
            self.fault = None
            self.released.set()

    def meet(self, method: str, path: str) -> Fault:
        """Counts this request and returns the fault that it meets."""
        with self.lock:
            self.requests[method, path] += 1
            if self.fault is None or self.left < 1 or not self.fault.concerns(method, path):
                return Fault()
            self.left -= 1
            return self.fault

    def count_answer(self, request_name: tuple[str, str], size_bytes: int) -> None:
        with self.lock:
            self.answered_bytes[request_name] += size_bytes

    def count(self, method: str, path: str = "") -> int:
        """Returns the number of requests to this path and the paths below it."""
        return sum(number for (one, at), number in self.requests.items() if one == method and at.startswith(path))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        # With the usual buffer a slow connection would take megabytes at once, and the sender would count them as sent.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LINE_BYTES)
        super().server_bind()

    def shutdown_request(self, request: "socket.socket | tuple[bytes, socket.socket]") -> None:
        self.close_request(request)  # an orderly shutdown before the close would hide a reset


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self.proxy.connections.add(self.connection)

    def finish(self) -> None:
        self.proxy.connections.discard(self.connection)
        super().finish()

    def handle(self) -> None:
        with suppress(OSError):  # the client went away
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass

    def pass_on(self) -> None:
        self.request_name = (self.command, self.path.partition("?")[0])
        fault = self.proxy.meet(*self.request_name)
        if fault.hangs:
            self.proxy.released.wait()
        if fault.refuses:
            self.reset()
        elif fault.status:
            self.answer_instead(fault.status)
        else:
            self.ask_server(fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = pass_on  # noqa: N815 - http.server's names

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        self.close_connection = True

    def answer_instead(self, status: int) -> None:
        for _ in self.upload(Fault()):
            pass  # an unread body would be taken for the next request
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def ask_server(self, fault: Fault) -> None:
        with closing(HTTPConnection(self.proxy.target, timeout=60)) as server:
            try:
                self.send_request(server, fault)
                self.send_answer(server.getresponse(), fault)
            except (Cut, OSError, HTTPException):
                self.reset()

    def send_request(self, server: HTTPConnection, fault: Fault) -> None:
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in OF_ONE_CONNECTION:
                server.putheader(name, value)  # Host too: it is signed
        server.endheaders()
        for piece in self.upload(fault):
            with suppress(BrokenPipeError, ConnectionResetError):  # the server may refuse before it has read all
                server.send(piece)

    def upload(self, fault: Fault) -> Iterator[bytes]:
        pieces = impaired(self.rfile, int(self.headers.get("Content-Length", 0)), fault)
        return corrupted(pieces) if fault.corrupts else pieces

    def send_answer(self, answer: HTTPResponse, fault: Fault) -> None:
        # Only listings and errors come without a length, and they are small enough to be read whole.
        body = BytesIO(answer.read()) if answer.length is None else answer
        length = len(body.getbuffer()) if isinstance(body, BytesIO) else int(answer.length or 0)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        if isinstance(body, BytesIO):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        for piece in impaired(body, length, fault):
            self.wfile.write(piece)
            self.proxy.count_answer(self.request_name, len(piece))


class Cut(Exception):
    """A body ended before its declared length."""


def impaired(body: "SupportsRead[bytes]", length: int, fault: Fault) -> Iterator[bytes]:
    passed = 0
    piece_bytes = max(1, fault.bytes_per_s // 10) if fault.bytes_per_s else PIECE_BYTES
    end = length if fault.cut_after is None else min(length, fault.cut_after)
    while passed < end:
        piece = body.read(min(piece_bytes, end - passed))
        if not piece:
            raise Cut
        passed += len(piece)
        if fault.bytes_per_s:
            time.sleep(len(piece) / fault.bytes_per_s)
        yield piece
    if end < length:
        raise Cut


def corrupted(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for first in pieces:
        yield bytes([first[0] ^ 1]) + first[1:]
        yield from pieces
