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
        if cursor is not None and cursor.position is not None:
            try:
                moment = parse_datetime(cursor.position)
                # The database compares in UTC, where a time on the last day of the year 9999 may not exist.
                can_be_compared = moment is not None and bool(moment.astimezone(UTC))
            except (ValueError, OverflowError):
                can_be_compared = False
            if not can_be_compared:
                raise NotFound(self.invalid_cursor_message)
        return cursor  # type: ignore[no-any-return]  # DRF's own is untyped
