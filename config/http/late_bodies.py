"""The answer to a client whose body came too slowly."""

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BODY = json.dumps({"detail": "The request came too slowly. Send it again.", "code": "request_timeout"}).encode()
BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "etag"})


class LateBodies:
    """WSGI: answers 408 instead of the application's error when the body of the request came too slowly.

    Where the application keeps the part of an upload that has arrived, it answers with success; that answer stays.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = environ.get("gunicorn.socket")
        is_late = False

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal is_late
            is_late = getattr(client, "is_late", False) and status.startswith(("4", "5"))
            if is_late:
                status = "408 Request Timeout"
                headers = [(name, value) for name, value in headers if name.lower() not in BODY_HEADERS]
                headers += [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
            return start_response(status, headers, *exc_info)

        body = self.application(environ, start)
        if not is_late:
            return body
        if hasattr(body, "close"):
            body.close()
        return [BODY]
