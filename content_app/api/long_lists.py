"""Answers a list of any length as one JSON array, with little memory.

`GET /content/` is one array by contract. Ten thousand films take some twenty megabytes as text, and a client decides
how often it asks and how slowly it reads. A long list is therefore made in parts, one list at a time in each process,
and each part of its text is compressed before the next one is made. Nothing is sent before the whole list is made: a
database error becomes an error response and never breaks off an array, and while the client reads, the request holds
neither a database connection nor a turn.
"""

import ctypes
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from content_app.shared_connections import lend_connection

LONG = 500  # films, about a megabyte: a list up to here is answered like any other
PART = 500  # films that are in memory as objects; each part takes a query, and two for films to be prepared
AT_ONCE = 1
MAX_WAITING = 8  # of the 32 threads of a process, so that the others can serve short requests
MAX_PER_PERSON = 4  # one that is rendered, and three that wait
WAIT_S = 15
RETRY_AFTER_S = 5
BLOCK_BYTES = 64 * 1024


class TooManyLists(APIException):
    """This process, or this user, has as many long lists under way as are allowed, or no turn came within WAIT_S."""

    status_code = 503
    default_detail = "The server is busy with other long lists. Please try again in a few seconds."
    default_code = "busy"
    wait = RETRY_AFTER_S  # DRF puts it into Retry-After


class ListTurns:
    """Lets AT_ONCE lists be rendered at a time, while up to MAX_WAITING other requests wait for WAIT_S at most.

    Of the requests that run or wait, at most MAX_PER_PERSON belong to one user.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.waiting: Counter[int] = Counter()

    @contextmanager
    def one(self, person_id: int) -> Iterator[None]:
        """Holds a turn for the block. Raises TooManyLists."""
        with self.lock:
            if self.waiting.total() >= AT_ONCE + MAX_WAITING or self.waiting[person_id] >= MAX_PER_PERSON:
                raise TooManyLists
            self.waiting[person_id] += 1
        try:
            if not self.places.acquire(timeout=WAIT_S):
                raise TooManyLists
            try:
                yield
            finally:
                self.places.release()
        finally:
            with self.lock:
                self.waiting[person_id] -= 1
                self.waiting += Counter()  # drops the users whose count is 0


class PackedBody:
    """A complete response body that is kept compressed until the client reads it: a tenth of its size, or less."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        packer = zlib.compressobj(level=1)
        self.size = 0
        self.pieces: list[bytes] = []
        for text in texts:
            self.size += len(text)
            self.pieces.append(packer.compress(text))
        self.pieces.append(packer.flush())

    def __iter__(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj()
        for piece in self.pieces:
            while piece:
                if block := unpacker.decompress(piece, BLOCK_BYTES):
                    yield block
                piece = unpacker.unconsumed_tail
        yield unpacker.flush()


turns = ListTurns()


def answer_in_turn(person_id: int, make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Returns the response that `make` returns once it is this request's turn. Raises TooManyLists or DatabaseError."""
    lend_connection()  # other threads may need it while this request waits
    with turns.one(person_id):
        response = make()
    # glibc keeps freed memory for the thread that used it, so each of the many threads would keep what a list took.
    with suppress(OSError, AttributeError):  # a C library other than glibc has no malloc_trim
        ctypes.CDLL(None).malloc_trim(0)
    lend_connection()
    return response


def packed_array(parts: Iterable[bytes]) -> StreamingHttpResponse:
    """Makes all `parts`, which are JSON objects with commas between them. Returns the response that sends the array."""
    body = PackedBody(array_of(parts))
    response = StreamingHttpResponse(body, content_type=JSONRenderer.media_type)
    response["Content-Length"] = str(body.size)
    return response


def array_of(parts: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for part in parts:
        if part:
            yield before + part
            before = b","
    yield b"]" if before == b"," else b"[]"
