"""Content negotiation and responses of routes that answer with text, such as playlists, instead of JSON."""

from django.http import HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnyAccept(DefaultContentNegotiation):
    """Ignores the Accept header: players send `video/*` for playlists, which would otherwise be refused (406)."""

    def select_renderer(  # type: ignore[override]  # DRF declares an iterable and passes a list
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def private_text(content: str | bytes, content_type: str) -> HttpResponse:
    """Returns a response that no cache stores: it is for one user, and the signed addresses in it expire."""
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = "private, no-store"
    return response
