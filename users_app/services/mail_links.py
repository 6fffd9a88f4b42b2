"""The links in mails: to the front end where one is configured, else to the built-in pages."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from users_app.models import User
from users_app.tokens import mint_link


def confirm_link(user: User) -> str:
    page = settings.FRONTEND_CONFIRM_URL or f"{settings.BACKEND_ORIGIN}/users/confirm/"
    return _with_token(page, user, mint_link("confirm", user, lifetime=settings.CONFIRM_LIFETIME))


def reset_link(user: User, lifetime: timedelta) -> str:
    page = settings.RESET_PASSWORD_URL or f"{settings.BACKEND_ORIGIN}/reset-password/"
    return _with_token(page, user, mint_link("reset", user, lifetime=lifetime))


def new_address_link(user: User, email: str) -> str:
    page = f"{settings.BACKEND_ORIGIN}/users/email/confirm/"
    return _with_token(page, user, mint_link("new_address", user, lifetime=settings.CONFIRM_LIFETIME, email=email))


def sign_in_page() -> str:
    return settings.FRONTEND_URL or f"{settings.BACKEND_ORIGIN}/login/"


def forgot_page() -> str:
    """Where a user asks for a new password; front ends have this page behind their sign-in page."""
    return settings.FRONTEND_URL or f"{settings.BACKEND_ORIGIN}/forgot-password/"


def _with_token(page: str, user: User, token: str) -> str:
    parts = urlsplit(page)
    own_query = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([*own_query, ("uid", urlsafe_base64_encode(force_bytes(user.pk))), ("token", token)])
    return urlunsplit(parts._replace(query=query))
