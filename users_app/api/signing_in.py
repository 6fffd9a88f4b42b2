"""Signing in, staying signed in, signing out. Each view parses, asks a service and answers."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users_app.accounts_provider import accounts_provider
from users_app.api import serializers
from users_app.api.open_view import OpenView
from users_app.api.parsing import read
from users_app.clients import client_of
from users_app.http.authentication import bearer_token
from users_app.http.cookies import access_cookie, clear_cookies, refresh_cookie, set_cookies
from users_app.http.cross_site import refuse_cross_site
from users_app.http.throttles import AuthLimit
from users_app.identity.provider import Issued
from users_app.registry import login_payload
from users_app.staff.session import leave_admin_site

JSON = "application/json"


def token_body(tokens: Issued) -> dict[str, str]:
    return {"access_token": tokens.access, "refresh_token": tokens.refresh, "token_type": "bearer"}


class Login(OpenView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=serializers.Login, responses=serializers.LoginAnswer)
    def post(self, request: Request) -> Response:
        """Sign in by e-mail address and password; the tokens come as cookies."""
        refuse_cross_site(request)
        form = read(serializers.Login, request.data)
        user, tokens = accounts_provider().sign_in(
            email=form["email"], password=form["password"], is_remembered=form["remember"], client=client_of(request)
        )
        leave_admin_site(request._request, but=user)
        response = Response({**serializers.Person(user).data, **login_payload.collect(user)})
        set_cookies(response, tokens)
        return response


class Refresh(OpenView):
    @extend_schema(request=serializers.Refresh, responses=serializers.RefreshAnswer)
    def post(self, request: Request) -> Response:
        """Exchange the refresh token, of the cookie or of the body, for new tokens that come the same way."""
        cookie = refresh_cookie(request)
        if cookie is not None:
            refuse_cross_site(request)
        form = read(serializers.Refresh, request.data)
        if in_body := form.get("refresh_token"):
            tokens = accounts_provider().refresh(refresh_token=in_body, client=client_of(request))
            return Response({"detail": "Refreshed.", **token_body(tokens)})
        if cookie is None:
            raise NotAuthenticated("There is no refresh token.")
        response = Response({"detail": "Refreshed."})
        set_cookies(response, accounts_provider().refresh(refresh_token=cookie, client=client_of(request)))
        return response


class Logout(OpenView):
    @extend_schema(request=serializers.Logout, responses=serializers.Detail)
    def post(self, request: Request) -> Response:
        """End the session of whatever token comes along, and clear the cookies."""
        bearer = bearer_token(request)
        if bearer is None:
            refuse_cross_site(request)
        form = read(serializers.Logout, request.data)
        accounts_provider().sign_out(
            refresh_token=form.get("refresh_token") or refresh_cookie(request),
            access_token=bearer or access_cookie(request),
        )
        if bearer is None:
            leave_admin_site(request._request)
        response = Response({"detail": "Signed out."})
        clear_cookies(response)
        return response


class ObtainTokens(OpenView):
    throttle_classes = (AuthLimit,)
    parser_classes = (*APIView.parser_classes, FormParser)

    @extend_schema(
        request={
            "application/json": serializers.Credentials,
            "application/x-www-form-urlencoded": serializers.PasswordForm,
        },
        responses=serializers.TokenAnswer,
    )
    def post(self, request: Request) -> Response:
        """Tokens for programs: JSON with e-mail and password, or an OAuth 2 password form. Sets no cookies."""
        form = read(self.form_for(request), request.data)
        email = form.get("email") or form["username"]
        _, tokens = accounts_provider().sign_in(
            email=email, password=form["password"], is_remembered=True, client=client_of(request)
        )
        return Response(token_body(tokens))

    def form_for(self, request: Request) -> type[serializers.Credentials | serializers.PasswordForm]:
        is_json = (request.content_type or "").lower().startswith(JSON)
        return serializers.Credentials if is_json else serializers.PasswordForm
