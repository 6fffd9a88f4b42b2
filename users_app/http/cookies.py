"""The two HttpOnly cookies that keep a browser signed in."""

from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from users_app.identity.provider import Issued

PATH = "/"  # read under /users/ and under /api/v1/


def access_cookie(request: Request | HttpRequest) -> str | None:
    return request.COOKIES.get(settings.JWT_ACCESS_COOKIE_NAME) or None


def refresh_cookie(request: Request | HttpRequest) -> str | None:
    return request.COOKIES.get(settings.JWT_REFRESH_COOKIE_NAME) or None


def set_cookies(response: HttpResponseBase, tokens: Issued) -> None:
    _set(response, settings.JWT_ACCESS_COOKIE_NAME, tokens.access, tokens.access_lifetime)
    _set(response, settings.JWT_REFRESH_COOKIE_NAME, tokens.refresh, tokens.refresh_lifetime)


def clear_cookies(response: HttpResponseBase) -> None:
    """Expire both cookies."""
    # With the same flags as they were set with, or the browser keeps them.
    for name in (settings.JWT_ACCESS_COOKIE_NAME, settings.JWT_REFRESH_COOKIE_NAME):
        _set(response, name, "", timedelta(0))


def _set(response: HttpResponseBase, name: str, value: str, max_age: timedelta) -> None:
    samesite: Literal["Lax", "Strict", "None"] = settings.JWT_COOKIE_SAMESITE  # type: ignore[assignment]  # one of them
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=PATH,
        domain=settings.JWT_COOKIE_DOMAIN,
        secure=settings.JWT_COOKIE_SECURE,
        httponly=True,
        samesite=samesite,
    )
