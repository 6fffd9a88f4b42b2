"""Pagination of the versioned API: by cursor, so that a new row never shifts a page."""

from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    page_size = 24
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-created_at", "-id")

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor; raises NotFound for a made-up position, with which the query would fail."""
        cursor: Any = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not is_moment(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor  # type: ignore[no-any-return]  # DRF's own is untyped


def is_moment(text: str) -> bool:
    """True for a time that a database can compare with its own times, which are in UTC."""
    try:
        moment = parse_datetime(text)
        return moment is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return False
