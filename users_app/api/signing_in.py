"""Signing in, staying signed in, signing out."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users_app.accounts_provider import accounts_provider
from users_app.api import serializers
from users_app.api.open_view import OpenView
from users_app.api.parsing import validated
from users_app.clients import client_of
from users_app.hooks import login_payload
from users_app.http.authentication import bearer_token
from users_app.http.cookies import access_cookie, clear_cookies, refresh_cookie, set_cookies
from users_app.http.cross_site import CrossSite, may_use_cookies, refuse_cross_site
from users_app.http.throttles import AuthLimit
from users_app.identity.provider import Issued
from users_app.staff.session import leave_admin_site


def token_body(tokens: Issued) -> dict[str, str]:
    return {"access_token": tokens.access, "refresh_token": tokens.refresh, "token_type": "bearer"}


class SignIn(OpenView):
    throttle_classes = (AuthLimit,)

    @extend_schema(request=serializers.Login, responses=serializers.LoginAnswer)
    def post(self, request: Request) -> Response:
        """Sign in with e-mail address and password; the tokens come as cookies."""
        refuse_cross_site(request)
        form = validated(serializers.Login, request.data)
        user, tokens = accounts_provider().sign_in(
            email=form["email"], password=form["password"], is_remembered=form["remember"], client=client_of(request)
        )
        leave_admin_site(request._request, but=user)
        response = Response({**serializers.Person(user).data, **login_payload.collect(user)})
        set_cookies(response, tokens)
        return response


class RefreshTokens(OpenView):
    @extend_schema(request=serializers.Refresh, responses=serializers.RefreshAnswer)
    def post(self, request: Request) -> Response:
        """Exchange the refresh token in the cookie or in the body for new tokens, which come in the same way."""
        cookie = refresh_cookie(request)
        if cookie is not None:
            refuse_cross_site(request)
        form = validated(serializers.Refresh, request.data)
        if sent_token := form.get("refresh_token"):
            tokens = accounts_provider().refresh(refresh_token=sent_token, client=client_of(request))
            return Response({"detail": "Refreshed.", **token_body(tokens)})
        if cookie is None:
            raise NotAuthenticated("There is no refresh token.")
        response = Response({"detail": "Refreshed."})
        set_cookies(response, accounts_provider().refresh(refresh_token=cookie, client=client_of(request)))
        return response


class SignOut(OpenView):
    @extend_schema(request=serializers.Logout, responses=serializers.Detail)
    def post(self, request: Request) -> Response:
        """End the session of the token that the request carries, and clear the cookies."""
        bearer = bearer_token(request)
        is_of_trusted_page = may_use_cookies(request)
        # A bearer token may come from any page, but the cookies beside it belong to the user of the browser, who may be
        # another one: an untrusted page neither uses nor clears them.
        if bearer is None and not is_of_trusted_page:
            raise CrossSite
        form = validated(serializers.Logout, request.data)
        accounts_provider().sign_out(
            refresh_token=form.get("refresh_token") or (refresh_cookie(request) if is_of_trusted_page else None),
            access_token=access_cookie(request) if bearer is None else bearer,  # an empty one is one
        )
        response = Response({"detail": "Signed out."})
        if is_of_trusted_page:
            if bearer is None:
                leave_admin_site(request._request)
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
        """Tokens for programs, by JSON with e-mail and password or by an OAuth 2 password form. Sets no cookies."""
        is_json = (request.content_type or "").lower().startswith("application/json")
        form = validated(serializers.Credentials if is_json else serializers.PasswordForm, request.data)
        email = form.get("email") or form["username"]
        _, tokens = accounts_provider().sign_in(
            email=email, password=form["password"], is_remembered=True, client=client_of(request)
        )
        return Response(token_body(tokens))
