"""Which unsafe requests may act with a user's cookies: only those that a trusted page has sent.

Browsers state where a request comes from in `Origin` and `Sec-Fetch-Site`, which no page can forge. A program that
states neither passes with a JSON body only.
"""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class CrossSite(PermissionDenied):
    default_detail = "This request came from a page that is not trusted here."
    default_code = "cross_site"


def is_trusted(*, method: str, headers: Mapping[str, str], own_origin: str, trusted_origins: Collection[str]) -> bool:
    """True when this request may use cookies; `headers` has to find names in any case."""
    if method in SAFE_METHODS:
        return True
    if (origin := headers.get("Origin")) is not None:
        return origin == own_origin or origin in trusted_origins
    if (site := headers.get("Sec-Fetch-Site")) is not None:
        # "same-site" and "cross-site" would need a trusted Origin; "none" is a typed address, which never sends a POST.
        return site == "same-origin"
    is_browser = any(name.lower() == "referer" or name.lower().startswith("sec-fetch-") for name in headers)
    # No page can send JSON to another site without a preflight request, in which the browser names the page.
    has_json = headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"
    return has_json and not is_browser


def may_use_cookies(request: Request | HttpRequest) -> bool:
    """False for an unsafe request that a page elsewhere may have sent, whatever else the request carries."""
    return is_trusted(
        method=request.method or "",
        headers=request.headers,
        own_origin=f"{request.scheme}://{request.get_host()}",
        trusted_origins=settings.TRUSTED_ORIGINS,
    )


def refuse_cross_site(request: Request | HttpRequest) -> None:
    """Raise CrossSite for an unsafe request that a page elsewhere may have sent."""
    if not may_use_cookies(request):
        raise CrossSite
