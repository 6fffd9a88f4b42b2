"""Which form of an answer a client asks for in its Accept header."""

from django.http import HttpRequest


def prefers_json(request: HttpRequest, *, by_default: bool) -> bool:
    """True when the client prefers JSON to a page.

    A client that takes both alike, as programs do with `*/*`, gets what `by_default` says.
    """
    types = ["text/html", "application/json"]
    # Of types that the client takes alike, Django returns the first in the list.
    return request.get_preferred_type(types[::-1] if by_default else types) == "application/json"
