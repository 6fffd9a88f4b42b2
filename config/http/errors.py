"""Errors as clients see them: a sentence and a stable `code` in JSON, or a page; never a stack trace."""

import logging
import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from background.refusals import Kind, Refusal
from content_app.preferred_types import prefers_json
from media_pipeline.errors import PipelineError

logger = logging.getLogger(__name__)

API_PREFIXES = ("/api/", "/users/", "/content/", "/health")
RETRY_AFTER_S = "5"
SERVER_ERROR = 500
TEMPLATES = {400: "400.html", 403: "403.html", 404: "404.html", 500: "500.html", 503: "500.html"}
NO_DATABASE = (OperationalError, InterfaceError)


class DatabaseUnavailable(exceptions.APIException):
    status_code = 503
    default_detail = "The database cannot be reached at the moment. Please try again shortly."
    default_code = "database_unavailable"


class RefusalResponse(exceptions.APIException):
    """The answer to a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        self.status_code = refusal.kind.value
        self.default_code = refusal.code
        if refusal.retry_after_s is not None:
            self.wait = refusal.retry_after_s  # DRF puts it into Retry-After
        super().__init__(refusal.fields or refusal.sentence, refusal.code)


class MediaUnavailable(exceptions.APIException):
    """The answer when the pipeline fails during a request, as a rule because the storage cannot be reached."""

    status_code = 503


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, with a `code` in every answer; None for a bug, which handler500 answers."""
    error = _as_api_exception(error)
    response = drf_exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    response.data = error_body(error)
    if isinstance(error, DatabaseUnavailable):
        response["Retry-After"] = RETRY_AFTER_S
    return response


def _as_api_exception(error: Exception) -> Exception:
    if isinstance(error, NO_DATABASE):
        logger.error("the database did not answer: %s", error)
        return DatabaseUnavailable()
    if isinstance(error, UnreadablePostError):
        return exceptions.ParseError("The body ended before it was complete.", code="incomplete_body")
    if isinstance(error, Refusal):
        return RefusalResponse(error)
    if isinstance(error, PipelineError):
        return MediaUnavailable(error.sentence, error.code)
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error


def error_body(error: exceptions.APIException) -> dict[str, Any]:
    """`{"detail", "code"}`, or the messages of each field and `code`."""
    if isinstance(error.detail, dict):
        return {**error.detail, "code": error.default_code}
    if isinstance(error.detail, list):
        return {"detail": " ".join(str(message) for message in error.detail), "code": _first_code(error)}
    return {"detail": error.detail, "code": _first_code(error)}


def _first_code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return str(codes[0] if isinstance(codes, list) else codes)


def wants_json(request: HttpRequest) -> bool:
    """True below the API's routes, and elsewhere for a client that prefers JSON to a page."""
    return request.path.startswith(API_PREFIXES) or prefers_json(request, by_default=False)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, status=400, code="bad_request", detail="This request cannot be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, status=403, code="permission_denied", detail="You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, status=404, code="not_found", detail="There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exception()
    if isinstance(error, NO_DATABASE):
        unavailable = DatabaseUnavailable()
        response = answer(request, status=503, code="database_unavailable", detail=str(unavailable.detail))
        response["Retry-After"] = RETRY_AFTER_S
        return response
    if isinstance(error, Refusal) and error.kind is Kind.UNAVAILABLE:
        response = answer(request, status=error.kind.value, code=error.code, detail=error.sentence)
        if error.retry_after_s is not None:
            response["Retry-After"] = str(error.retry_after_s)
        return response
    return answer(request, status=500, code="server_error", detail="Something went wrong on our side.")


def answer(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"detail": detail, "code": code}, status=status)
    context = {"status": status, "code": code, "detail": detail, "request_id": getattr(request, "request_id", "")}
    # After a fault of the server the page must not need anything that may be broken: no request, no context processors.
    page_request = request if status < SERVER_ERROR else None
    try:
        page = render_to_string(TEMPLATES[status], context, page_request)
    except (TemplateDoesNotExist, TemplateSyntaxError, NoReverseMatch, DatabaseError):
        logger.exception("the page for status %s cannot be rendered", status)
        return HttpResponse(f"{detail}\n", status=status, content_type="text/plain; charset=utf-8")
    return HttpResponse(page, status=status)
