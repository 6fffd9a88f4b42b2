"""One sign-in for both sites: a session of the admin site belongs to a session of the watch site, and ends with it.

Staff who are signed in on the watch site get into the admin site by their cookies when they open a page of it; no
request that changes anything and no bearer token begins an admin session. Signing out of one site signs out of both. An
admin session without a session of the watch site (where an identity provider keeps the accounts) is ended by
User.admin_sessions_ended_at alone.
"""

import uuid
from contextlib import suppress

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user, login, logout, update_session_auth_hash
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from background.refusals import Refusal
from users_app import audit
from users_app.accounts_provider import accounts_provider
from users_app.clients import client_of
from users_app.http.cookies import access_cookie, clear_cookies, refresh_cookie, set_cookies
from users_app.identity.local import issued
from users_app.identity.provider import Issued
from users_app.models import MailKind, Session, User
from users_app.services import mail, sessions

STAFF_PAGES = ("/admin/", "/django-rq/")
BOUND_TO = "users_app.session"  # the key in an admin session under which it holds the id of its Session
CACHED = "_cached_user"  # the name that Django uses
TOKENS = "_tokens_for_cookies"
NAVIGATION = "navigate"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class StaffSignIn(AuthenticationMiddleware):
    """Sets `request.user` for the admin site, looked up when it is first used, and the cookies of a renewed session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: cached_user(request))  # type: ignore[assignment]  # as Django does

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        tokens: Issued | None = getattr(request, TOKENS, None)
        if tokens is not None:
            set_cookies(response, tokens)
        return response


def cached_user(request: HttpRequest) -> User | AnonymousUser:
    if CACHED not in request.__dict__:
        setattr(request, CACHED, staff_of(request))
    user: User | AnonymousUser = request.__dict__[CACHED]
    return user


def staff_of(request: HttpRequest) -> User | AnonymousUser:
    """Return the user of the admin session, if its session of the watch site lives.

    Opening a page begins an admin session where there is none and the watch site's cookies belong to staff.
    """
    user = get_user(request)
    if isinstance(user, User) and (bound_to := request.session.get(BOUND_TO)):
        session = sessions.find_alive(session_id=uuid.UUID(bound_to), user=user)
        if session is not None and user.is_staff:
            prolong(request, session)
            return user
        request.session.flush()
        user = AnonymousUser()
    if isinstance(user, User) or not opens_page(request):
        return user
    session = session_of_cookies(request)
    if session is None or not session.user.is_staff:
        return AnonymousUser()
    login(request, session.user, backend=BACKEND)  # with a new session key and a new CSRF token
    request.session[BOUND_TO] = session.pk.hex
    prolong(request, session)
    audit.by(session.user.pk)
    audit.note("admin_sign_in")
    return session.user


def opens_page(request: HttpRequest) -> bool:
    """True when a browser opens a page of the admin site, and no script of a page sends the request."""
    if request.method not in {"GET", "HEAD"} or not request.path.startswith(STAFF_PAGES):
        return False
    # A script whose form was refused has to end up at the sign-in page, so that it can tell the user to sign in again.
    # Where a browser does not state the purpose, a request for that page may be the end of such a redirect.
    unstated = "" if request.path == reverse("admin:login") else NAVIGATION
    return request.headers.get("Sec-Fetch-Mode", unstated) == NAVIGATION


def prolong(request: HttpRequest, session: Session) -> None:
    """Prolong the session of the watch site while its user works in the admin site."""
    # A user pool decides itself how long a session lasts; it is asked when the watch site's tokens are renewed.
    if accounts_provider().keeps_accounts_here:
        sessions.extend_session(session)
    # The access cookie has expired, and without new ones the refresh cookie would, while its session lives on.
    if request.path.startswith(STAFF_PAGES) and access_cookie(request) is None:
        setattr(request, TOKENS, accounts_provider().tokens_again(session))


def session_of_cookies(request: HttpRequest) -> Session | None:
    """Return the session of the watch site's cookies, or None without valid ones."""
    # An invalid token (APIException) and an identity provider that is away (Refusal) lead to the sign-in page.
    with suppress(APIException, Refusal):
        if access := access_cookie(request):
            return accounts_provider().device_behind(access_token=access)
    with suppress(APIException, Refusal):
        if refresh := refresh_cookie(request):
            return accounts_provider().device_to_renew(refresh_token=refresh)
    return None


def leave_admin_site(request: HttpRequest, *, but: User | None = None) -> None:
    """End the admin session of this browser, unless it belongs to `but`."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and (but is None or get_user(request) != but):
        logout(request)


# --- Pages of the admin site that begin, end or change a session ------------------------------------------------------


@never_cache
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Show Django's form; a user who signs in by it is signed in on the watch site as well."""
    response = admin.site.login(request)
    user = request.user
    if (
        request.method == "POST"
        and isinstance(response, HttpResponseRedirect)
        and isinstance(user, User)
        and accounts_provider().keeps_accounts_here
    ):
        session = sessions.create_session(user=user, is_remembered=True, client=client_of(request))
        request.session[BOUND_TO] = session.pk.hex
        set_cookies(response, issued(sessions.tokens_of(session)))
    return response


@never_cache
def sign_out_page(request: HttpRequest) -> HttpResponse:
    user, bound_to = request.user, request.session.get(BOUND_TO)
    response = admin.site.logout(request)
    if request.method != "POST":
        return response
    accounts_provider().sign_out(refresh_token=refresh_cookie(request), access_token=access_cookie(request))
    if bound_to:
        sessions.revoke(session_id=uuid.UUID(bound_to))
    if isinstance(user, User):
        audit.by(user.pk)
        audit.note("admin_sign_out")
    clear_cookies(response)
    return response


def change_password_page(request: HttpRequest) -> HttpResponse:
    """Show Django's form; a change ends every other session, as on the watch site, and gives this one new tokens."""
    response: HttpResponse = admin.site.admin_view(admin.site.password_change, cacheable=True)(request)
    user = request.user
    has_changed = isinstance(response, HttpResponseRedirect) and response.url == reverse("admin:password_change_done")
    if not (isinstance(user, User) and has_changed):
        return response
    bound_to = request.session.get(BOUND_TO)
    session = sessions.find_alive(session_id=uuid.UUID(bound_to), user=user) if bound_to else None
    sessions.revoke_all(user=user, but=session)
    update_session_auth_hash(request, user)
    mail.post(kind=MailKind.PASSWORD_CHANGED, to=user.email, user=user)
    if session is not None and accounts_provider().keeps_accounts_here:
        set_cookies(response, issued(sessions.renew(session=session, client=client_of(request))))
    return response
