"""Who is asking: a bearer token, else the access cookie; on some routes also staff of the admin site."""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from users_app.accounts_provider import accounts_provider
from users_app.http.cookies import access_cookie
from users_app.http.cross_site import refuse_cross_site
from users_app.models import Session, User
from users_app.tokens import BadToken


def bearer_token(request: Request) -> str | None:
    """The token of an `Authorization: Bearer` header; None for no header or another scheme."""
    scheme, _, token = get_authorization_header(request).partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    try:
        return token.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise BadToken from error


class TokenAuthentication(BaseAuthentication):
    """One query finds the person; `request.auth` is the session, where this site keeps the accounts itself."""

    def authenticate(self, request: Request) -> tuple[User, Session | None] | None:
        token = bearer_token(request)
        if token is None:
            token = access_cookie(request)
            if token is None:
                return None
            refuse_cross_site(request)
        return accounts_provider().person_behind(access_token=token)

    def authenticate_header(self, request: Request) -> str:
        """What makes DRF answer 401 and not 403."""
        return 'Bearer realm="videoflix"'


class StaffSession(SessionAuthentication):
    """Staff as the admin site knows them, if its CSRF token comes along.

    Without the token this says nothing: the same browser may be signed in to the watch site as somebody else.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if settings.CSRF_HEADER_NAME not in request.META:
            return None
        user = request._request.user
        if not (isinstance(user, User) and user.is_active and user.is_staff):
            return None
        self.enforce_csrf(request)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return TokenAuthentication().authenticate_header(request)


# Of the routes that the admin site's form uses too. The first one says how a refusal looks.
UPLOADERS = (StaffSession, TokenAuthentication)
