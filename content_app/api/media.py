"""What the routes share that answer with text or media instead of JSON."""

from django.http import HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnyAccept(DefaultContentNegotiation):
    """Players say that they accept video; these routes answer with what they have."""

    def select_renderer(  # type: ignore[override]  # DRF declares an iterable and passes a list
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def private_text(content: str | bytes, content_type: str) -> HttpResponse:
    """For this person only, and not for later: signed addresses in it end."""
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = "private, no-store"
    return response
