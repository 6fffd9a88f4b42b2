"""Authenticates users by a bearer token, else by the access cookie; on some routes also by the admin site's session."""

from typing import Any

from django.conf import settings
from rest_framework.authentication import SessionAuthentication, get_authorization_header
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import AUTH_HEADER_TYPE_BYTES, JWTAuthentication

from users_app.accounts_provider import accounts_provider
from users_app.http.cookies import access_cookie
from users_app.http.cross_site import refuse_cross_site
from users_app.models import User
from users_app.tokens import BadToken

BEARER_SCHEMES = frozenset(scheme.lower() for scheme in AUTH_HEADER_TYPE_BYTES)


def bearer_token(request: Request) -> str | None:
    """Return the token of an `Authorization: Bearer` header, or None without one. Raises BadToken."""
    scheme, _, token = get_authorization_header(request).partition(b" ")
    if scheme.lower() not in BEARER_SCHEMES:
        return None
    try:
        return token.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise BadToken from error


class TokenAuthentication(JWTAuthentication):
    """Finds `request.user` by one query; `request.auth` is the validated token.

    Where this site keeps the accounts, that is an AccessToken with its `session`; else it holds the claims of the
    identity provider's token. Subclasses override `get_validated_token` and `get_user`, as SimpleJWT's do.
    """

    www_authenticate_realm = "videoflix"

    def authenticate(self, request: Request) -> tuple[User, Any] | None:  # type: ignore[override]  # see get_validated_token
        raw_token = bearer_token(request)
        if raw_token is None:
            raw_token = access_cookie(request)
            if raw_token is None:
                return None
            # A browser sends the cookie by itself, even when the page of another site makes the request.
            refuse_cross_site(request)
        validated_token = self.get_validated_token(raw_token)
        return self.get_user(validated_token), validated_token

    def get_validated_token(self, raw_token: str | bytes) -> Any:
        """Return what the provider makes of the token, which need not be a Token of SimpleJWT. Raises BadToken."""
        text = raw_token if isinstance(raw_token, str) else raw_token.decode("latin-1")
        return accounts_provider().validate(access_token=text)

    def get_user(self, validated_token: Any) -> User:  # type: ignore[override]  # of this site's accounts only
        """Return the user of the token. Raises SessionEnded where the account is closed or the sign-in is over."""
        return accounts_provider().person_behind(validated_token)


class StaffSession(SessionAuthentication):
    """Authenticates staff who are signed in to the admin site, if the request has its CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        # Not an error without the token: the same browser may be signed in to the watch site as another user.
        if settings.CSRF_HEADER_NAME not in request.META:
            return None
        user = request._request.user
        if not (isinstance(user, User) and user.is_active and user.is_staff):
            return None
        self.enforce_csrf(request)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return TokenAuthentication().authenticate_header(request)


# For routes that the admin site's forms use too. DRF takes the WWW-Authenticate header from the first one.
UPLOADERS = (StaffSession, TokenAuthentication)
