"""A list as one array however long it is: made in parts, few at a time, and kept small until the client has read it.

`GET /content/` is one array by contract. Ten thousand films are some hundred megabytes as objects and as text, and a
client decides how often it asks and how slowly it reads. So a long list is made part by part, one list at a time in
each process, and the text is compressed as it comes. Nothing is sent before the whole list is there: an error of the
database is an answer of its own and never the middle of an array, and while the client reads, no connection to the
database and no turn is held.
"""

import ctypes
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from django.http import StreamingHttpResponse
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from content_app.shared_connections import lend_connection

LONG = 100  # as many films as a page of the versioned API has at most; a shorter list is answered as any other
PART = 250
AT_ONCE = 1
MOST_WAITING = 8  # of the 32 threads of a process; the others go on with short requests
MOST_OF_A_PERSON = 4
WAIT_S = 15
RETRY_AFTER_S = 5
BLOCK_BYTES = 64 * 1024


class TooManyLists(APIException):
    """As many long lists are being made as one process makes at once, or as one person may ask for."""

    status_code = 503
    default_detail = "Many long lists are being made at this moment. Please try again in a few seconds."
    default_code = "busy"
    wait = RETRY_AFTER_S  # DRF puts it into Retry-After


class ListTurns:
    """One list at a time; so many wait for so long, of one person no more than a few."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.waiting: Counter[int] = Counter()

    @contextmanager
    def one(self, person_id: int) -> Iterator[None]:
        """Raises TooManyLists."""
        with self.lock:
            if self.waiting.total() >= AT_ONCE + MOST_WAITING or self.waiting[person_id] >= MOST_OF_A_PERSON:
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
                self.waiting += Counter()  # forgets people of whom no request is left


class PackedBody:
    """A body that was made whole and is compressed until it is read: a tenth of its size, or less."""

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


def answer_long_list(person_id: int, parts: Iterator[list[object]]) -> StreamingHttpResponse:
    """The array of all `parts`, whose entries are ready to be rendered. Raises TooManyLists or DatabaseError."""
    lend_connection()  # others may need it while this request waits
    with turns.one(person_id):
        body = PackedBody(array_of(parts))
    give_memory_back()
    lend_connection()
    response = StreamingHttpResponse(body, content_type=JSONRenderer.media_type)
    response["Content-Length"] = str(body.size)
    return response


def array_of(parts: Iterable[list[object]]) -> Iterator[bytes]:
    """The same bytes as of the whole list rendered at once."""
    renderer = JSONRenderer()
    before = b"["
    for part in parts:
        if part:
            yield before + renderer.render(part)[1:-1]
            before = b","
    yield b"]" if before == b"," else b"[]"


def give_memory_back() -> None:
    """The C library keeps what was freed for the thread that had it, and each thread would keep its own."""
    with suppress(OSError, AttributeError):  # another C library than glibc, which has no such function
        ctypes.CDLL(None).malloc_trim(0)
