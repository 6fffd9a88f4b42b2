"""One log line for each request, and the id of the request in every line that it leads to."""

import logging
import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog

from config.http.middleware import choose_request_id

log = logging.getLogger(__name__)


class AccessLog:
    """WSGI: binds the id of the request, and logs its status and how long the application took to begin its answer."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began, answered = time.perf_counter(), "0"
        environ["HTTP_X_REQUEST_ID"] = choose_request_id(environ.get("HTTP_X_REQUEST_ID"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=environ["HTTP_X_REQUEST_ID"])

        def note(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal answered
            answered = status
            return start_response(status, headers, *exc_info)

        # The body is returned as it is: gunicorn sends a file by sendfile only if it gets its own file wrapper back.
        body = self.application(environ, note)
        log.info("request", extra=request_fields(environ, answered, time.perf_counter() - began))
        return body


def request_fields(environ: WSGIEnvironment, status: str, seconds: float) -> dict[str, Any]:
    """The fields of the log line, without the query, which may hold secrets."""
    return {
        "method": environ.get("REQUEST_METHOD", ""),
        "path": environ.get("PATH_INFO", ""),
        "status": int(status.split(" ", 1)[0]),
        "seconds": round(seconds, 4),
        "address": environ.get("REMOTE_ADDR", ""),
    }
