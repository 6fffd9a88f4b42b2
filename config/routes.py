"""Routes that answer with and without a trailing slash. A redirect between the two would drop the body of a POST."""

import uuid
from typing import Any

from django.urls import URLPattern, path, register_converter


class VideoRef:
    """The integer id of a video or its public UUID."""

    regex = r"[0-9]{1,18}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> int | uuid.UUID:
        return int(value) if value.isdigit() else uuid.UUID(value)

    def to_url(self, value: int | uuid.UUID) -> str:
        return str(value)


class Number:
    """An id, with no more digits than an integer of the database has."""

    regex = r"[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(VideoRef, "video")
register_converter(Number, "number")


def both(route: str, view: Any, name: str) -> list[URLPattern]:
    """`route` is written without its trailing slash; the named (canonical) form has one."""
    return [path(f"{route}/", view, name=name), path(route, view)]
