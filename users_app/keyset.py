"""Positions in rows that are ordered newest first: by a moment, and by the key where moments are the same.

Paging by position needs no counting, and a row that is added or removed shifts no page.
"""

from datetime import datetime
from typing import Any

from django.db.models import Q


def older(field: str, moment: datetime, key: Any) -> Q:
    """The rows that follow a position in `-field, -id`."""
    # The first condition says nothing new; without it the databases would not use the index on both columns.
    return Q(**{f"{field}__lte": moment}) & (Q(**{f"{field}__lt": moment}) | Q(pk__lt=key))


def newer(field: str, moment: datetime, key: Any) -> Q:
    """The rows before a position in `-field, -id`."""
    return Q(**{f"{field}__gte": moment}) & (Q(**{f"{field}__gt": moment}) | Q(pk__gt=key))
