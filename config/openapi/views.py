"""The API's description of itself: the schema, which is made once, and two pages that show it."""

import gzip
import hashlib
import threading
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.settings import spectacular_settings
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from content_app.services.playback.content_policy import content_policy

# Clients ask each time whether their copy is still current, and mostly get 304.
CACHE_CONTROL = "public, no-cache"


@dataclass(frozen=True)
class Document:
    """The schema in one format, plain and compressed."""

    plain: bytes
    packed: bytes
    etag: str


class Documents:
    """One document for each format (`json`, `yaml`), made at the first request."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: dict[str, Document] = {}

    def get(self, format_name: str) -> Document:
        with self.lock:  # concurrent first requests wait for one document instead of making one each
            if not self.made:
                self.made = make_documents()
            return self.made[format_name]

    def forget(self) -> None:
        with self.lock:
            self.made = {}


documents = Documents()


def make_documents() -> dict[str, Document]:
    # In English, like the texts of this site: Django's own would be in the language of the first client.
    with translation.override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # not annotated
        renderers = (OpenApiJsonRenderer(), OpenApiYamlRenderer())
        return {renderer.format: make_document(renderer.render(schema)) for renderer in renderers}


def make_document(plain: bytes) -> Document:
    return Document(plain, gzip.compress(plain, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')


class SchemaView(APIView):
    """The OpenAPI schema, as YAML or as JSON (`?format=json`, or by `Accept`); the same for everybody."""

    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2)

    def get(self, request: Request) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        document = documents.get(renderer.format)
        is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
        content_type = f"{renderer.media_type}; charset=utf-8" if renderer.charset else renderer.media_type
        response = HttpResponse(document.packed if is_packed else document.plain, content_type=content_type)
        response["ETag"] = document.etag
        response["Cache-Control"] = CACHE_CONTROL
        response["Content-Disposition"] = f'inline; filename="{spectacular_settings.TITLE}.{renderer.format}"'
        patch_vary_headers(response, ("Accept", "Accept-Encoding"))
        if is_packed:
            response["Content-Encoding"] = "gzip"
        return get_conditional_response(request._request, document.etag, response=response) or response

    def handle_exception(self, exc: Exception) -> Response:
        """Errors are JSON as everywhere else, also for a client that asked for the schema in YAML."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        response: Response = super().handle_exception(exc)
        return response


def render_docs(request: HttpRequest, template: str) -> HttpResponse:
    """An empty page that its script fills."""
    response = render(request, template)
    # Swagger and ReDoc both write style elements into the page, and draw with data: URLs.
    response["Content-Security-Policy"] = content_policy(styles="'self' 'unsafe-inline'", pictures="'self' data:")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
@gzip_page
def show_swagger(request: HttpRequest) -> HttpResponse:
    return render_docs(request, "api_docs.html")


@require_safe
@gzip_page
def show_redoc(request: HttpRequest) -> HttpResponse:
    return render_docs(request, "api_redoc.html")
