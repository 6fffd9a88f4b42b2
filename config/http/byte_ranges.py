"""Conditional and range requests as RFC 9110 has them; pure."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.http import http_date, parse_etags, parse_http_date_safe

SINGLE_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """The range lies wholly behind the end."""


@dataclass(frozen=True)
class ByteRange:
    first: int
    last: int  # inclusive

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Validators:
    """What tells one state of a file from another."""

    etag: str
    modified_s: int

    @property
    def last_modified(self) -> str:
        return http_date(self.modified_s)


def parse_range(header: str | None, *, size: int) -> ByteRange | None:
    """The one range asked for, cut to the file; None (send everything) for none, several or malformed ones.

    Raises Unsatisfiable.
    """
    match = SINGLE_RANGE.fullmatch(header or "")
    first, last = match.groups() if match else ("", "")
    if first:
        return _from_to(_number(first), _number(last) if last else sys.maxsize, size)
    return _last_bytes(_number(last), size) if last else None


def _from_to(first: int, last: int, size: int) -> ByteRange | None:
    if last < first:
        return None  # malformed
    if first >= size:
        raise Unsatisfiable
    return ByteRange(first, min(last, size - 1))


def _last_bytes(count: int, size: int) -> ByteRange:
    if count == 0 or size == 0:
        raise Unsatisfiable
    return ByteRange(max(size - count, 0), size - 1)


def _number(digits: str) -> int:
    """A position beyond any file is as good as another; int() refuses thousands of digits."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= MOST_DIGITS else sys.maxsize


def precondition(headers: Mapping[str, str], now: Validators) -> HTTPStatus | None:
    """412 or 304 when the request's conditions ask for it, in the RFC's order of precedence."""
    if "if-match" in headers:
        if not _matches(headers["if-match"], now.etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif _is_changed_since(headers.get("if-unmodified-since"), now):
        return HTTPStatus.PRECONDITION_FAILED
    if "if-none-match" in headers:
        is_known = _matches(headers["if-none-match"].replace("W/", ""), now.etag)
        return HTTPStatus.NOT_MODIFIED if is_known else None
    date = parse_http_date_safe(headers.get("if-modified-since", ""))
    return HTTPStatus.NOT_MODIFIED if date is not None and now.modified_s <= date else None


def may_continue(if_range: str | None, now: Validators) -> bool:
    """Whether the part asked for belongs to what the client has: an exact, strong match."""
    return if_range is None or if_range.strip() in (now.etag, now.last_modified)


def _matches(header: str, etag: str) -> bool:
    offered = parse_etags(header)
    return "*" in offered or etag in offered


def _is_changed_since(header: str | None, now: Validators) -> bool:
    date = parse_http_date_safe(header or "")
    return date is not None and now.modified_s > date
