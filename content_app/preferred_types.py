"""Which form of an answer a client asks for in its Accept header."""

from django.http import HttpRequest


def prefers_json(request: HttpRequest, *, by_default: bool) -> bool:
    """True for JSON rather than a page; `by_default` for a client that takes either, as programs do with `*/*`."""
    types = ["text/html", "application/json"]
    return request.get_preferred_type(types[::-1] if by_default else types) == "application/json"
