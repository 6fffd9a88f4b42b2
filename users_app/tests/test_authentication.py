from typing import Any

import pytest
from rest_framework.test import APIClient

from users_app.models import Session, User
from users_app.services.sessions import open_session
from users_app.tests.conftest import SignIn

ME = "/api/v1/auth/me/"


@pytest.fixture
def program(viewer: User) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(user=viewer).access}")


def test_me_says_who_is_signed_in(viewer: User, sign_in: SignIn, program: APIClient) -> None:
    for client in (sign_in(viewer), program):
        assert client.get(ME).json() == {
            "id": viewer.pk,
            "email": "viewer@example.com",
            "name": "viewer",
            "role": "VIEWER",
            "email_verified": False,
        }


def test_me_takes_one_query(viewer: User, sign_in: SignIn, django_assert_num_queries: Any) -> None:
    client = sign_in(viewer)
    with django_assert_num_queries(1):
        assert client.get(ME).status_code == 200


def test_a_stranger_gets_a_401_and_the_bearer_challenge(db: None) -> None:
    response = APIClient().get(ME)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="videoflix"'


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "null", "x" * 5000, "é", "a b"])
def test_a_malformed_token_is_a_401_by_header_and_by_cookie(token: str, db: None) -> None:
    by_header = APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {token}".encode().decode("latin-1"))
    by_cookie = APIClient()
    by_cookie.cookies["vf_access"] = token
    for response in (by_header, by_cookie.get(ME)):
        assert response.status_code == 401
        assert response.json()["code"] in {"token_invalid", "not_authenticated"}


def test_a_refresh_token_opens_nothing(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    client.cookies["vf_access"] = client.cookies["vf_refresh"].value
    assert client.get(ME).json()["code"] == "token_invalid"


def test_a_header_of_another_scheme_is_ignored(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    assert client.get(ME, HTTP_AUTHORIZATION="Basic dXNlcjpwYXNz").status_code == 200


def test_the_bearer_token_goes_before_the_cookie(viewer: User, creator: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    bearer = f"Bearer {open_session(user=creator).access}"
    assert client.get(ME, HTTP_AUTHORIZATION=bearer).json()["email"] == creator.email


@pytest.mark.parametrize("change", ["inactive", "deleted", "password", "revoked"])
def test_access_ends_at_once(change: str, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    match change:
        case "inactive":
            User.objects.update(is_active=False)
        case "deleted":
            viewer.delete()
        case "password":
            viewer.set_password("another horse")
            viewer.save()
        case "revoked":
            Session.objects.all().delete()
    response = client.get(ME)
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_an_unsafe_request_by_cookie_from_another_site_is_refused(
    origin: str, viewer: User, sign_in: SignIn, program: APIClient
) -> None:
    body = {"video_id": 1}
    by_cookie = sign_in(viewer).post("/content/add-favorite/", body, format="json", HTTP_ORIGIN=origin)
    assert (by_cookie.status_code, by_cookie.json()["code"]) == (403, "cross_site")
    by_bearer = program.post("/content/add-favorite/", body, format="json", HTTP_ORIGIN=origin)
    assert by_bearer.status_code != 403
