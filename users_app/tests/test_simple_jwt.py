"""The API of SimpleJWT on the sessions of this site. docs/accounts.md shows the same code."""

import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import jwt
import pytest
from django.conf import settings as site
from django.urls import include, path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView
from rest_framework_simplejwt import tokens as stock
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from conftest import PASSWORD
from users_app import tokens
from users_app.http.authentication import TokenAuthentication
from users_app.http.throttles import AuthLimit
from users_app.models import Session, User
from users_app.services import sessions
from users_app.tests.test_sessions import rewind_rotation
from users_app.tokens import AccessToken, BadToken, RefreshToken, _signing_key, password_mark

ME = "/api/v1/auth/me/"
REFRESH = "/api/v1/auth/refresh/"


# --- As docs/accounts.md has it ---------------------------------------------------------------------------------------


def test_a_viewer_is_signed_in(viewer: User) -> None:
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(viewer)}")
    assert client.get("/api/v1/auth/me/").json()["email"] == viewer.email


class NamedPairSerializer(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user: User) -> Token:  # type: ignore[override]
        token = super().get_token(user)
        token["name"] = user.name
        return token


class NamedPair(TokenObtainPairView):
    serializer_class = NamedPairSerializer
    throttle_classes = (AuthLimit,)


class NoGuests(TokenAuthentication):
    def get_user(self, validated_token: AccessToken) -> User:  # type: ignore[override]
        user = super().get_user(validated_token)
        if validated_token.get("name") == "guest":
            raise BadToken("Guests may not do this.")
        return user


@pytest.mark.parametrize("example", [test_a_viewer_is_signed_in, NamedPairSerializer, NamedPair, NoGuests])
def test_the_documentation_shows_what_is_tested_here(example: Any) -> None:
    documented = (site.BASE_DIR / "docs" / "accounts.md").read_text()
    lines = inspect.getsource(example).splitlines()
    assert "\n".join(line.partition("  # type: ")[0] for line in lines) in documented


# --- Routes of the tests ----------------------------------------------------------------------------------------------


class WhatTheTokenSays(APIView):
    authentication_classes = (NoGuests,)

    def get(self, request: Request) -> Response:
        token = cast(AccessToken, request.auth)
        return Response({"name": token["name"], "session": token.session.pk, "user": request.user.pk})


class ForStock(APIView):
    authentication_classes = (JWTAuthentication,)

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk})


urlpatterns = [
    path("pair/", TokenObtainPairView.as_view()),
    path("named/", NamedPair.as_view()),
    path("stock-refresh/", TokenRefreshView.as_view()),
    path("says/", WhatTheTokenSays.as_view()),
    path("stock/", ForStock.as_view()),
    path("", include("config.urls")),
]


@pytest.fixture(autouse=True)
def _routes(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


def obtain(user: User, route: str = "/pair/", *, password: str = PASSWORD) -> Any:
    return APIClient().post(route, {"email": user.email, "password": password}, format="json")


def bearer(token: object) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def refreshed(refresh_token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh_token": refresh_token}, format="json")


# --- Pairs ------------------------------------------------------------------------------------------------------------


def test_a_pair_opens_one_session_that_both_tokens_belong_to(viewer: User) -> None:
    pair = obtain(viewer).json()
    assert set(pair) == {"access", "refresh"}
    session = Session.objects.get()
    assert session.user == viewer
    assert AccessToken(pair["access"]).session_id == RefreshToken(pair["refresh"]).session_id == session.pk
    assert bearer(pair["access"]).get(ME).json()["email"] == viewer.email
    assert bearer(pair["refresh"]).get(ME).json()["code"] == "token_invalid"


def test_a_refresh_token_for_a_user_and_its_access_token_open_one_session(viewer: User) -> None:
    refresh = RefreshToken.for_user(viewer)
    access = refresh.access_token
    assert isinstance(refresh, stock.RefreshToken)
    assert isinstance(access, stock.AccessToken)
    assert isinstance(access, AccessToken)
    assert bearer(access).get(ME).status_code == 200
    assert Session.objects.get().pk == refresh.session_id == access.session_id


def test_a_pair_is_refreshed_by_rotation_and_ends_when_it_is_used_again(viewer: User) -> None:
    pair = obtain(viewer).json()
    successor = refreshed(pair["refresh"]).json()
    assert successor["refresh_token"] != pair["refresh"]
    assert refreshed(pair["refresh"]).json()["refresh_token"] == successor["refresh_token"]
    rewind_rotation(seconds=11)
    assert refreshed(pair["refresh"]).json()["code"] == "session_ended"
    for access in (pair["access"], successor["access_token"]):
        assert bearer(access).get(ME).json()["code"] == "session_ended"


def test_a_claim_of_a_subclass_is_in_both_tokens_and_kept_by_each_refresh(viewer: User) -> None:
    pair = obtain(viewer, "/named/").json()
    access, refresh = pair["access"], pair["refresh"]
    for _ in range(3):
        assert AccessToken(access)["name"] == RefreshToken(refresh)["name"] == viewer.name
        says = bearer(access).get("/says/").json()
        assert says == {"name": viewer.name, "session": str(Session.objects.get().pk), "user": viewer.pk}
        answer = refreshed(refresh).json()
        rewind_rotation(seconds=11)
        access, refresh = answer["access_token"], answer["refresh_token"]


def test_a_claim_of_a_subclass_cannot_replace_a_claim_of_this_site(viewer: User, creator: User) -> None:
    refresh = RefreshToken.for_user(viewer)
    for name, value in {"token_type": "access", "sub": str(creator.pk), "pwd": "", "exp": 2**40}.items():
        refresh[name] = value
    session = Session.objects.get()
    successor = RefreshToken.for_session(session, after=refresh)
    assert successor.payload == RefreshToken.for_session(session).payload


def test_a_subclass_of_the_authentication_is_asked(viewer: User) -> None:
    viewer.name = "guest"
    viewer.save()
    answer = bearer(obtain(viewer, "/named/").json()["access"]).get("/says/")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Guests may not do this.")


@pytest.mark.parametrize("route", ["/pair/", "/named/"])
@pytest.mark.parametrize("change", [{"is_active": False}, {"is_active": False, "awaits_confirmation": True}])
def test_a_closed_or_unconfirmed_account_gets_no_pair(change: dict[str, bool], route: str, viewer: User) -> None:
    User.objects.update(**change)
    assert obtain(viewer, route).status_code == 401
    assert not Session.objects.exists()


def test_a_wrong_password_gets_no_pair(viewer: User) -> None:
    assert obtain(viewer, password="wrong").status_code == 401
    assert not Session.objects.exists()


@pytest.mark.parametrize("change", ["closed", "password", "signed out", "expired"])
def test_a_pair_ends_like_every_session(change: str, viewer: User) -> None:
    pair = obtain(viewer).json()
    match change:
        case "closed":
            User.objects.update(is_active=False)
        case "password":
            viewer.set_password("another horse")
            viewer.save()
        case "signed out":
            assert bearer(pair["access"]).post("/api/v1/auth/logout/", {}, format="json").status_code == 200
        case "expired":
            Session.objects.update(expires_at=timezone.now())
    assert bearer(pair["access"]).get(ME).json()["code"] == "session_ended"
    assert refreshed(pair["refresh"]).json()["code"] == "session_ended"


def test_a_token_for_a_closed_account_is_refused(viewer: User) -> None:
    User.objects.update(is_active=False)
    viewer.refresh_from_db()
    assert bearer(AccessToken.for_user(viewer)).get(ME).json()["code"] == "session_ended"


# --- What SimpleJWT has and this site does not ------------------------------------------------------------------------


@pytest.mark.parametrize("token_class", [stock.AccessToken, stock.RefreshToken, stock.SlidingToken])
def test_tokens_of_simple_jwt_itself_open_nothing(token_class: Any, viewer: User) -> None:
    text = str(token_class.for_user(viewer))
    assert bearer(text).get(ME).json()["code"] == "token_invalid"
    assert refreshed(text).json()["code"] == "token_invalid"


def test_authentication_and_refresh_of_simple_jwt_read_no_token_of_this_site(viewer: User) -> None:
    pair = obtain(viewer).json()
    assert bearer(pair["access"]).get("/stock/").status_code == 401
    assert APIClient().post("/stock-refresh/", {"refresh": pair["refresh"]}, format="json").status_code == 401


# --- Tokens on the wire -----------------------------------------------------------------------------------------------


def test_tokens_have_the_claims_that_they_always_had(viewer: User) -> None:
    refresh = RefreshToken.for_user(viewer)
    assert set(refresh.payload) == {"token_type", "sub", "sid", "pwd", "jti", "exp"}
    assert set(refresh.access_token.payload) == {"token_type", "sub", "sid", "pwd", "exp"}
    for token in (refresh, refresh.access_token):
        assert jwt.get_unverified_header(str(token)) == {"alg": "HS256", "typ": "JWT"}


def test_tokens_that_were_made_with_pyjwt_alone_are_read(viewer: User) -> None:
    """Earlier versions made such tokens, and users stay signed in through the upgrade."""
    session = sessions.create_session(user=viewer)
    exp = int((timezone.now() + timedelta(minutes=1)).timestamp())
    claims = {"sub": str(viewer.pk), "sid": session.pk.hex, "pwd": password_mark(viewer), "exp": exp}
    of_refresh = {**claims, "token_type": "refresh", "jti": session.current_jti.hex}
    access = jwt.encode({**claims, "token_type": "access"}, _signing_key("access", site.SECRET_KEY), "HS256")
    refresh = jwt.encode(of_refresh, _signing_key("refresh", site.SECRET_KEY), "HS256")
    assert bearer(access).get(ME).status_code == 200
    assert refreshed(refresh).status_code == 200


@pytest.fixture
def _new_backends() -> Iterator[None]:
    """Has token backends made anew with the settings of the test, and again after it."""
    for cache in (tokens._backend, tokens._backend_of_secret):
        cache.cache_clear()
    yield
    for cache in (tokens._backend, tokens._backend_of_secret):
        cache.cache_clear()


@pytest.mark.usefixtures("_new_backends")
def test_a_longer_digest_has_keys_of_its_length(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "ALGORITHM", "HS512")
    text = str(AccessToken.for_user(viewer))
    assert jwt.get_unverified_header(text)["alg"] == "HS512"
    assert bearer(text).get(ME).status_code == 200
    assert len(_signing_key("access", "a secret")) == 64


@pytest.mark.usefixtures("_new_backends")
@pytest.mark.parametrize(("leeway", "is_accepted"), [(0, False), (20, True)])
def test_clocks_may_differ_by_the_leeway(
    leeway: int, is_accepted: bool, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_app.tokens.api_settings.LEEWAY", leeway)
    token = AccessToken.for_user(viewer)
    token.set_exp(lifetime=timedelta(seconds=-5))
    assert (bearer(token).get(ME).status_code == 200) is is_accepted


def test_a_token_that_could_not_be_read_is_not_made(viewer: User) -> None:
    token = AccessToken.for_user(viewer)
    token["biography"] = "x" * 2000
    with pytest.raises(ValueError, match="leave claims out"):
        str(token)


def test_a_bad_token_raises_an_error_of_simple_jwt_too() -> None:
    with pytest.raises(TokenError, match="not valid") as refused:
        AccessToken("garbage")
    assert refused.value.args == ("The token is not valid.",)


def test_the_access_token_lives_as_long_as_its_cookie(viewer: User, settings: Any) -> None:
    token = AccessToken.for_user(viewer)
    left = timedelta(seconds=token["exp"]) - timedelta(seconds=timezone.now().timestamp())
    assert settings.ACCESS_TOKEN_LIFETIME - timedelta(seconds=5) < left <= settings.ACCESS_TOKEN_LIFETIME
