"""Removes the parts of a request's headers that Django fails on.

`Content-Type: text/plain; name*=nonsense''x` names a character set for a parameter's value (RFC 2231). Django looks the
character set up while it builds the request, before any middleware runs; one that Python does not know leads to a 500.
"""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS = ("CONTENT_TYPE", "HTTP_ACCEPT")
EXTENDED_PARAMETER = re.compile(r";[^;=]*\*\s*=[^;,]*")


class HeaderGuard:
    """WSGI: drops extended parameters from headers that have no use for them."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in HEADERS:
            if "*" in environ.get(name, ""):
                environ[name] = EXTENDED_PARAMETER.sub("", environ[name])
        return self.application(environ, start_response)
