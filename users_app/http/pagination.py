"""Pagination of the versioned API: by cursor, so that a new row never shifts a page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from users_app.keyset import newer, older

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_DIGITS = 18  # of microseconds and of keys: more are no date, and do not fit a database integer
MAX_KEY_LENGTH = 36  # that of a UUID
Row = TypeVar("Row")


class BadCursor(APIException):
    """The cursor is from a release that wrote them in another form, or was made up."""

    status_code = 400
    default_code = "bad_cursor"
    default_detail = "This cursor does not work here, or no longer. Begin with the first page, without a cursor."


@dataclass(frozen=True)
class Position:
    """That of a row in the order `-moment, -key`."""

    moment: datetime
    key: Any


@dataclass(frozen=True)
class Page(Generic[Row]):
    rows: list[Row]
    next: str | None
    previous: str | None

    def response(self, results: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": results})


class NewestFirst:
    """Cuts pages from rows, newest first. `field` is the column of the moment; rows of the same one follow by key.

    A cursor is a direction, the moment in microseconds and the key of the row at the edge of a page: `n<moment>.<key>`
    for the page after it, `p…` for the page before.
    """

    field = "created_at"
    default_size = 24
    max_size = 100

    def __init__(self, request: Request) -> None:
        self.request = request

    def page(self, rows: "QuerySet[Any, Row]", position: Callable[[Row], Position] | None = None) -> Page[Row]:
        """Returns the page that the request asks for. Raises BadCursor.

        `position` tells that of a row, for rows that are no instances.
        """
        place, size = position or self.position, self.size()
        downwards, upwards = (f"-{self.field}", "-pk"), (self.field, "pk")
        cursor = self.request.query_params.get("cursor")
        if not cursor:
            found = list(rows.order_by(*downwards)[: size + 1])
            further = self.address("n", place(found[size - 1])) if len(found) > size else None
            return Page(found[:size], further, None)
        is_back, at = self.parse(cursor, rows.model)
        if is_back:
            found = list(rows.filter(newer(self.field, at.moment, at.key)).order_by(*upwards)[: size + 1])
            shown = found[:size][::-1]
            has_next, has_previous = True, len(found) > size
        else:
            found = list(rows.filter(older(self.field, at.moment, at.key)).order_by(*downwards)[: size + 1])
            shown = found[:size]
            has_next, has_previous = len(found) > size, True
        # A page whose rows are all gone lies at the position that the client named.
        first, last = (place(shown[0]), place(shown[-1])) if shown else (at, at)
        return Page(
            shown, self.address("n", last) if has_next else None, self.address("p", first) if has_previous else None
        )

    def position(self, row: Any) -> Position:
        return Position(getattr(row, self.field), row.pk)

    def address(self, direction: str, at: Position) -> str:
        cursor = f"{direction}{(at.moment - EPOCH) // MICROSECOND}.{at.key}"
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def size(self) -> int:
        text = self.request.query_params.get("page_size", "")
        return min(int(text), self.max_size) if is_number(text) and int(text) else self.default_size

    def parse(self, cursor: str, model: type[Model]) -> tuple[bool, Position]:
        """Returns whether the page before is asked for, and the position. Raises BadCursor."""
        direction, (microseconds, dot, key) = cursor[:1], cursor[1:].partition(".")
        digits = microseconds.removeprefix("-")
        if direction not in ("n", "p") or not dot or not is_number(digits) or not 0 < len(key) <= MAX_KEY_LENGTH:
            raise BadCursor
        try:
            at = Position(EPOCH + int(microseconds) * MICROSECOND, model._meta.pk.to_python(key))
        except (OverflowError, ValidationError) as error:
            raise BadCursor from error
        if isinstance(at.key, int) and not is_number(key):
            raise BadCursor
        return direction == "p", at


def is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
