"""Conditional and range requests as RFC 9110 defines them; pure."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.http import http_date, parse_etags, parse_http_date_safe

SINGLE_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
MAX_DIGITS = 18


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


@dataclass(frozen=True)
class ByteRange:
    first: int
    last: int  # inclusive

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Validators:
    """The ETag and the time of modification that identify one state of a file."""

    etag: str
    modified_s: int

    @property
    def last_modified(self) -> str:
        return http_date(self.modified_s)


def parse_range(header: str | None, *, size: int) -> ByteRange | None:
    """The requested range, cut to the size of the file.

    Returns None, for which the whole file is sent, when the header is missing or malformed or names several ranges.
    Raises Unsatisfiable.
    """
    match = SINGLE_RANGE.fullmatch(header or "")
    first, last = match.groups() if match else ("", "")
    if first:
        start, end = _number(first), _number(last) if last else sys.maxsize
        if end < start:
            return None  # malformed
        if start >= size:
            raise Unsatisfiable
        return ByteRange(start, min(end, size - 1))
    if last:  # `bytes=-500`: the last 500 bytes
        count = _number(last)
        if count == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(size - count, 0), size - 1)
    return None


def _number(digits: str) -> int:
    """The number, or sys.maxsize for more digits than any file has: int() refuses thousands of digits."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= MAX_DIGITS else sys.maxsize


def precondition(headers: Mapping[str, str], now: Validators) -> HTTPStatus | None:
    """The status that the request's conditions demand, 412 or 304, or None; in the RFC's order of precedence."""
    if "if-match" in headers:
        if not _matches(headers["if-match"], now.etag):
            return HTTPStatus.PRECONDITION_FAILED
    else:
        date = parse_http_date_safe(headers.get("if-unmodified-since", ""))
        if date is not None and now.modified_s > date:
            return HTTPStatus.PRECONDITION_FAILED
    if "if-none-match" in headers:
        # The RFC compares weakly here: a weak ETag matches the strong one.
        is_known = _matches(headers["if-none-match"].replace("W/", ""), now.etag)
        return HTTPStatus.NOT_MODIFIED if is_known else None
    date = parse_http_date_safe(headers.get("if-modified-since", ""))
    return HTTPStatus.NOT_MODIFIED if date is not None and now.modified_s <= date else None


def may_continue(if_range: str | None, now: Validators) -> bool:
    """True when the requested part belongs to the state that the client has; If-Range needs an exact, strong match."""
    return if_range is None or if_range.strip() in (now.etag, now.last_modified)


def _matches(header: str, etag: str) -> bool:
    offered = parse_etags(header)
    return "*" in offered or etag in offered
