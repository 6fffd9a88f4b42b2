"""The worker of the web server: gunicorn's threaded one, but slow clients take no threads and no address takes all.

The main loop waits for any number of clients at no cost. It reads heads and small bodies, and gives a request a thread
once all of it has arrived. Only an upload, which is a large body or a part of a file, is read by its thread, and must
come at a minimum rate.
"""

import errno
import json
import re
import resource
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from config.http.client_socket import ClientSocket, Pace
from config.http.forwarded import ForwardedHeaders
from content_app.upload_routes import CHUNKS
from users_app.limits.rates import network_of

HEAD_BYTES = 64 * 1024  # as much as Nginx accepts; gunicorn bounds lines and fields further
READ_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
# gunicorn checks the head itself. These only find how long the body is, and which client it is counted for.
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*+0*+([0-9]{0,18})[ \t]*+\r\n", re.IGNORECASE)
FORWARDED_FOR = re.compile(rb"\r\nx-forwarded-for:([^\r\n]*+)", re.IGNORECASE)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*+100-continue[ \t]*+(?=\r\n)", re.IGNORECASE)
# A part of a resumable upload: its thread reads it as it comes, and keeps what has come when the line breaks.
CHUNK = re.compile(rb"\r\ncontent-type:[ \t]*+application/offset\+octet-stream", re.IGNORECASE)
# The announced bodies that one address may have in memory at once. Bodies of up to FREE_BYTES are not counted: they
# need hardly more memory than their connection.
MAX_HELD_BYTES = 16_000_000
FREE_BYTES = 64 * 1024
# What has arrived from all addresses together. Announced bytes do not count here: an announcement alone must not keep
# other clients from sending.
MAX_KEPT_BYTES = 128_000_000
# Errors of accept() that last until some connection closes.
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
ACCEPT_PAUSE_S = 1.0
# A refused client may still be sending. Closing at once would reset the connection, and the client would lose the
# answer.
LINGER_S = 5.0
SWEEP_S = 0.5


def json_answer(status: HTTPStatus, detail: str, code: str) -> bytes:
    body = json.dumps({"detail": detail, "code": code})
    retry = "Retry-After: 5\r\n" if status == HTTPStatus.TOO_MANY_REQUESTS else ""
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        f"{retry}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


TOO_SLOW = json_answer(HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly. Send it again.", "request_timeout")
HEAD_TOO_LARGE = json_answer(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large.", "headers_too_large"
)
CROWDED = json_answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many connections from one address at once.", "throttled")
TOO_MUCH = json_answer(HTTPStatus.TOO_MANY_REQUESTS, "Too much is being sent from one address at once.", "throttled")
TOO_FULL = json_answer(
    HTTPStatus.TOO_MANY_REQUESTS, "Too much is being sent at once. Try again in a moment.", "throttled"
)


class WholeRequest(Request):
    def should_close(self) -> bool:
        """True also while part of the body is still to come, which would be parsed as the next request."""
        return bool(super().should_close()) or not self.is_body_over()

    def is_body_over(self) -> bool:
        """True when nothing of the body is still to come; throws away what arrived and the application did not read."""
        if (body := getattr(self, "body", None)) is None:
            return True
        reader = body.reader
        if not isinstance(reader, LengthReader):
            return reader.parser is None  # a chunked body
        if body.failed:
            return False
        if 0 < reader.length <= reader.unreader.buf.getbuffer().nbytes:
            body.read(reader.length)
        return bool(reader.length == 0)


class Parser(RequestParser):
    mesg_class = WholeRequest


class ClientConnection(TConn):
    """The connection of one client.

    `network`: the network (see `network_of`) of the other end of the socket, empty for a Unix socket. `address`: the
    network that threads and bodies of the current request count for. It is that of the client that a trusted proxy
    names, else `network`. None means that the proxy names no client, and has no limits of its own.
    """

    parser: Any

    def __init__(self, cfg: Any, sock: ClientSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser = Parser(cfg, sock, client)
        self.data_ready = True  # gunicorn would wait for the first bytes in a thread
        self.peer: str = client[0] if isinstance(client, tuple) else ""
        self.network = network_of(self.peer) if self.peer else ""
        self.is_proxy = False
        self.address: str | None = None
        self.received = bytearray()
        self.request_bytes: int | None = None  # of head and body, once the head has arrived
        self.seen_s = 0.0
        self.held_bytes = 0  # of the announced body, as they count for `address`
        self.kept_bytes = 0  # that have arrived and are in memory
        self.is_leaving = False
        self.on_close: Callable[[ClientConnection], None] | None = None

    def init(self) -> None:
        super().init()
        self.sock.serve_from_a_thread()

    def close(self, graceful: bool = False) -> None:
        """Closes at once. gunicorn's graceful close would block the main loop, so `linger` has waited before."""
        super().close()
        if self.on_close:
            self.on_close(self)
            self.on_close = None


class FairWorker(ThreadWorker):
    poller: Any

    def init_process(self) -> None:
        # Each connection is an open file, and the soft limit of a process is often far below the hard one.
        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
        super().init_process()

    def run(self) -> None:
        from django.conf import settings  # of the application, which is loaded by now

        # Only the main loop changes these counts, so they need no lock.
        self.connections: Counter[str] = Counter()
        self.busy: Counter[str | None] = Counter()
        self.queued: dict[str | None, deque[ClientConnection]] = {}
        self.held: Counter[str | None] = Counter()
        self.kept_bytes = 0
        self.accepts_from_s = 0.0
        self.deadlines: dict[ClientConnection, float] = {}
        self.swept_s = 0.0
        self.forwarded = ForwardedHeaders(self.wsgi, settings.TRUSTED_PROXIES)
        self.max_connections: int = settings.WEB_CONNECTIONS_PER_ADDRESS
        self.max_threads: int = settings.WEB_THREADS_PER_ADDRESS
        self.request_s: float = settings.REQUEST_SECONDS
        self.new_pace = partial(Pace, settings.REQUEST_SECONDS, settings.LEAST_BYTES_PER_SECOND)
        self.small_bytes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        super().run()

    # --- the main loop: connections come ------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        try:
            accepted, client = listener.accept()
        except OSError as error:
            if error.errno in NO_ROOM:
                self.accepts_from_s = time.monotonic() + ACCEPT_PAUSE_S
                self.set_accept_enabled(False)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        sock = ClientSocket(fileno=accepted.detach())
        sock.pace = self.new_pace()
        conn = ClientConnection(self.cfg, sock, client, listener.getsockname())
        self.nr_conns += 1
        self.connections[conn.network] += 1
        conn.on_close = self.forget
        conn.is_proxy = self.forwarded.is_trusted(conn.peer)
        if conn.network and self.connections[conn.network] > self.max_connections and not conn.is_proxy:
            with suppress(OSError):
                sock.recv(READ_BYTES)  # unread bytes would reset the connection, and the client would lose the answer
            with suppress(OSError):
                sock.send(CROWDED)
            self.drop(conn)
        else:
            self.await_request(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """gunicorn calls this before each turn of the main loop, so a pause of accept() ends within a second."""
        super().set_accept_enabled(enabled and time.monotonic() >= self.accepts_from_s)

    def forget(self, conn: ClientConnection) -> None:
        self.accepts_from_s = 0.0  # a file was closed, so there is room for another connection
        self.connections[conn.network] -= 1
        if not self.connections[conn.network]:
            del self.connections[conn.network]

    # --- the main loop: requests come ---------------------------------------------------------------------------------

    def await_request(self, conn: ClientConnection) -> None:
        """Waits for the next request of this connection; its head must be complete within `request_s`."""
        conn.request_bytes = None
        conn.sock.setblocking(False)
        if buffered := conn.parser.unreader.take_buffered():
            self.take(conn, buffered)
        else:
            self.on_readable(conn)  # most requests have arrived by now

    def watch(self, conn: ClientConnection, callback: Callable[[ClientConnection, Any], None], seconds: float) -> None:
        """Calls `callback` when data comes, until `unwatch`; a second call only sets another deadline."""
        conn.seen_s = time.monotonic()
        if conn not in self.deadlines:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(callback, conn))
        self.deadlines[conn] = conn.seen_s + seconds

    def unwatch(self, conn: ClientConnection) -> None:
        if self.deadlines.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def on_client_socket_readable(self, conn: ClientConnection, client: Any) -> None:
        """A kept-alive connection sends its next request, or has ended."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.await_request(conn)

    def on_readable(self, conn: ClientConnection, _: Any = None) -> None:
        try:
            data = conn.sock.recv(READ_BYTES)
        except BlockingIOError:
            self.await_head(conn)
            return
        except OSError:
            data = b""
        if data:
            self.take(conn, data)
        else:
            self.drop(conn)

    def await_head(self, conn: ClientConnection) -> None:
        if conn not in self.deadlines:
            self.watch(conn, self.on_readable, self.request_s)

    def take(self, conn: ClientConnection, data: bytes) -> None:
        """Adds `data` to the request, and enqueues the request once head and body are complete."""
        before = len(conn.received)
        conn.received += data
        conn.kept_bytes += len(data)
        self.kept_bytes += len(data)
        if self.kept_bytes > MAX_KEPT_BYTES and conn.kept_bytes > FREE_BYTES:
            self.refuse(conn, TOO_FULL)
            return
        now = time.monotonic()
        if conn.request_bytes is None:
            end = conn.received.find(HEAD_END, max(before - len(HEAD_END), 0))
            if end < 0 or end > HEAD_BYTES:
                if len(conn.received) > HEAD_BYTES:
                    self.refuse(conn, HEAD_TOO_LARGE)
                else:
                    self.await_head(conn)
                return
            if not self.read_head(conn, bytes(conn.received[: end + len(HEAD_END)])):
                self.refuse(conn, TOO_MUCH)
                return
            conn.sock.pace = self.new_pace()
        else:
            conn.sock.pace.note(waited_s=now - conn.seen_s, received_bytes=len(data))
        assert conn.request_bytes is not None
        if len(conn.received) < conn.request_bytes:
            self.watch(conn, self.on_readable, conn.sock.pace.left_s)
            return
        self.unwatch(conn)
        conn.sock.pace = self.new_pace()
        self.enqueue_req(conn)

    def read_head(self, conn: ClientConnection, head: bytes) -> bool:
        """Sets how many bytes to wait for and the address that they count for.

        Returns False when this address has announced too much at once.
        """
        length = CONTENT_LENGTH.search(head)
        body_bytes = int(length[1] or 0) if length else 0
        path = head.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        if body_bytes > self.small_bytes or (CHUNKS.fullmatch(path) and CHUNK.search(head)):
            body_bytes = 0  # an upload: the application decides first whether this client may send it
        conn.address = conn.network
        if conn.is_proxy:
            chain = b",".join(FORWARDED_FOR.findall(head)).decode("latin-1")
            client = self.forwarded.client(chain, "")
            conn.address = network_of(client) if client else None
        if body_bytes > FREE_BYTES:
            conn.held_bytes = body_bytes
            self.held[conn.address] += body_bytes
            if conn.address and self.held[conn.address] > MAX_HELD_BYTES:
                return False
        if body_bytes and EXPECT.search(head):
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            # The application must not answer it a second time.
            original, head = head, EXPECT.sub(b"", head)
            conn.received[: len(original)] = head
        conn.request_bytes = len(head) + body_bytes
        return True

    # --- threads ------------------------------------------------------------------------------------------------------

    def enqueue_req(self, conn: ClientConnection) -> None:
        """Gives the request a thread, or queues it until another request of its address has ended."""
        if conn.address and self.busy[conn.address] >= self.max_threads:
            self.queued.setdefault(conn.address, deque()).append(conn)
            return
        self.busy[conn.address] += 1
        super().enqueue_req(conn)

    def handle(self, conn: ClientConnection) -> Any:
        conn.parser.unreader.unread(bytes(conn.received))
        conn.received = bytearray()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: ClientConnection) -> bool:
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            return False  # the client reads nothing of its answer

    def finish_request(self, conn: ClientConnection, fs: "Future[Any]") -> None:
        """Called in the main loop when the thread has ended; its result is True when the connection stays open."""
        self.release(conn)
        if fs.cancelled() or fs.exception() or not fs.result():
            self.linger(conn)
        elif conn.parser.unreader.buf.getbuffer().nbytes:  # the beginning of the next request
            self.await_request(conn)
        else:
            super().finish_request(conn, fs)

    def release(self, conn: ClientConnection) -> None:
        """Ends the count of this request, and gives its thread to the next queued request of the same address."""
        self.settle(conn)
        if waiting := self.queued.get(conn.address):
            following = waiting.popleft()
            if not waiting:
                del self.queued[conn.address]
            super().enqueue_req(following)
            return
        self.busy[conn.address] -= 1
        if not self.busy[conn.address]:
            del self.busy[conn.address]

    def settle(self, conn: ClientConnection) -> None:
        """Gives back the memory that was counted for this connection."""
        self.kept_bytes -= conn.kept_bytes
        conn.kept_bytes = 0
        if conn.held_bytes:
            self.held[conn.address] -= conn.held_bytes
            conn.held_bytes = 0
            if not self.held[conn.address]:
                del self.held[conn.address]

    # --- the main loop: connections end -------------------------------------------------------------------------------

    def murder_pending(self) -> None:
        """Ends connections whose deadline is over. Idle ones get no answer, and do not delay a shutdown.

        gunicorn calls this in each turn of the main loop.
        """
        now = time.monotonic()
        if now - self.swept_s < SWEEP_S:
            return
        self.swept_s = now
        for conn, deadline_s in list(self.deadlines.items()):
            is_idle = conn.is_leaving or not conn.received
            if deadline_s <= now and not is_idle:
                self.refuse(conn, TOO_SLOW)
            elif deadline_s <= now or (is_idle and not self.alive):
                self.drop(conn)

    def refuse(self, conn: ClientConnection, answer: bytes) -> None:
        self.unwatch(conn)
        with suppress(OSError):
            conn.sock.send(answer)
        self.linger(conn)

    def linger(self, conn: ClientConnection) -> None:
        """Throws away what the client is still sending, until the client has read the answer and closes."""
        self.settle(conn)
        conn.is_leaving = True
        conn.received = bytearray()
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.watch(conn, self.on_lingering, LINGER_S)
        except OSError:
            self.drop(conn)

    def on_lingering(self, conn: ClientConnection, _: Any) -> None:
        try:
            if conn.sock.recv(READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.drop(conn)

    def drop(self, conn: ClientConnection) -> None:
        self.settle(conn)
        self.unwatch(conn)
        self.nr_conns -= 1
        conn.close()
