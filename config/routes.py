"""Routes that answer with and without a trailing slash, never by a redirect (which would drop a POST body)."""

import uuid
from typing import Any

from django.urls import URLPattern, path, register_converter


class VideoRef:
    """A video by its integer id or its public UUID."""

    regex = r"[0-9]{1,18}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> int | uuid.UUID:
        return int(value) if value.isdigit() else uuid.UUID(value)

    def to_url(self, value: int | uuid.UUID) -> str:
        return str(value)


class Number:
    """An id, with no more digits than a database integer has."""

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
