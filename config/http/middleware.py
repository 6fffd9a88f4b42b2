"""What happens to every request: an id, the limits of bodies, and the policy of the pages for staff."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from content_app.api.uploads.forms import declared_bytes, is_upload
from content_app.services.playback.content_policy import content_policy
from users_app.staff.session import STAFF_PAGES

GetResponse = Callable[[HttpRequest], HttpResponseBase]
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def choose_request_id(offered: str | None) -> str:
    """The id that the client offers if it is harmless to log and echo, else a new one."""
    return offered if offered and WELL_FORMED_ID.fullmatch(offered) else uuid.uuid4().hex


class RequestId:
    """Sets `request.request_id`, and the same in the `X-Request-ID` of every answer, errors included."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = choose_request_id(request.headers.get("X-Request-ID"))
        request.request_id = request_id  # type: ignore[attr-defined]  # an attribute of this site
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response


class BodyLimits:
    """Refuses bodies that are too large or not in UTF-8.

    DRF's parsers would take any number of bytes, in any codec that Python has, such as zlib.
    Files stream to disk and have limits of their own, at the routes of uploads only: content_app.api.uploads.forms.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.refusal(request) or self.get_response(request)

    def refusal(self, request: HttpRequest) -> JsonResponse | None:
        if (request.content_params or {}).get("charset", "utf-8").lower() not in {"utf-8", "utf8", "us-ascii"}:
            body = {"detail": "Send the body as UTF-8.", "code": "unsupported_media_type"}
            return JsonResponse(body, status=415)
        if declared_bytes(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and not is_upload(request):
            return JsonResponse({"detail": "The body is too large.", "code": "too_large"}, status=413)
        if "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH"):
            # Django would read no body at all and call the fields of this one missing.
            body = {"detail": "Send the body with its Content-Length.", "code": "length_required"}
            return JsonResponse(body, status=411)
        return None


class StaffPolicy:
    """Sets the Content-Security-Policy of the pages for staff."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(STAFF_PAGES):
            # The admin site's menus are Alpine expressions, which need eval, and its colours are a style element in the
            # page. Scripts inside a page and from other sites stay forbidden.
            policy = content_policy(
                scripts="'self' 'unsafe-eval'", styles="'self' 'unsafe-inline'", pictures="'self' data:"
            )
            response.headers.setdefault("Content-Security-Policy", policy)
        return response
