from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.hooks import Payload
from users_app.limits.lockout import PAIR
from users_app.models import Session, User
from users_app.tests.conftest import SignIn
from users_app.tests.mailbox import deliver_one

LOGIN = "/users/login/"
BAD_BODIES: list[Any] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"12",
    b"{}",
    b'{"email": null, "password": null}',
    b'{"email": {}, "password": []}',
    b'{"email": true, "password": 5}',
    b'{"email": "a@example.com\\u0000", "password": "x"}',
    b'{"email": "a@example.com", "password": "x\\u0000"}',
    b'{"email": "\\ud800@example.com", "password": "\\ud800"}',
    b'{"email": "a@example.com", "password": "x", "remember": "maybe"}',
    b'{"email": "' + b"a" * 300 + b'@example.com", "password": "x"}',
    b'{"email": "a@example.com", "password": "' + b"x" * 2000 + b'"}',
    b'{"email": 1' + b"0" * 5000 + b', "password": "x"}',
    b'{"email": NaN, "password": Infinity}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
]


def post(client: APIClient, body: dict[str, Any], route: str = LOGIN) -> Any:
    return client.post(route, body, format="json")


@pytest.mark.parametrize("route", ["/users/login/", "/users/login", "/api/v1/auth/login/", "/api/v1/auth/login"])
def test_signing_in_answers_with_the_user_and_two_cookies(route: str, browser: APIClient, viewer: User) -> None:
    response = post(browser, {"email": viewer.email, "password": PASSWORD}, route)
    assert response.status_code == 200
    assert response.json() == {
        "id": viewer.pk,
        "username": "viewer@example.com",
        "email": "viewer@example.com",
        "name": "viewer",
        "phone": "",
        "address": "",
        "role": "VIEWER",
        "favorite_videos": [],
    }
    assert set(response.cookies) == {"vf_access", "vf_refresh"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("spelling", ["VIEWER@Example.COM", "  viewer@example.com ", "ｖｉｅｗｅｒ@example.com"])
def test_any_spelling_of_the_address_signs_in(spelling: str, browser: APIClient, viewer: User) -> None:
    assert post(browser, {"email": spelling, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize(("remember", "seconds"), [(False, 3600), (True, 7 * 24 * 3600)])
def test_cookies_are_httponly_and_live_as_long_as_their_token(
    remember: bool, seconds: int, browser: APIClient, viewer: User
) -> None:
    cookies = post(browser, {"email": viewer.email, "password": PASSWORD, "remember": remember}).cookies
    assert cookies["vf_access"]["max-age"] == 300
    assert cookies["vf_refresh"]["max-age"] == seconds
    for cookie in cookies.values():
        assert (cookie["httponly"], cookie["path"], cookie["samesite"]) == (True, "/", "Lax")


def test_cookie_flags_follow_the_settings(browser: APIClient, viewer: User, settings: Any) -> None:
    settings.JWT_ACCESS_COOKIE_NAME = "entrance"
    settings.JWT_COOKIE_SECURE = True
    settings.JWT_COOKIE_SAMESITE = "None"
    settings.JWT_COOKIE_DOMAIN = ".example.com"
    cookies = post(browser, {"email": viewer.email, "password": PASSWORD}).cookies
    cookie = cookies["entrance"]
    assert (cookie["secure"], cookie["samesite"], cookie["domain"]) == (True, "None", ".example.com")


@pytest.mark.parametrize("case", ["wrong password", "unknown address", "not active", "no usable password"])
def test_every_failed_sign_in_looks_the_same(case: str, browser: APIClient, viewer: User) -> None:
    body = {"email": viewer.email, "password": PASSWORD}
    match case:
        case "wrong password":
            body["password"] = "wrong"
        case "unknown address":
            body["email"] = "nobody@example.com"
        case "not active":
            User.objects.update(is_active=False)
        case "no usable password":
            viewer.set_unusable_password()
            viewer.save()
    response = post(browser, body)
    assert response.status_code == 400
    assert response.json() == {
        "detail": "The e-mail address or the password is wrong.",
        "code": "invalid_credentials",
    }
    assert not response.cookies


@pytest.mark.parametrize("case", ["known", "unknown", "not active", "no usable password"])
def test_every_failed_sign_in_costs_one_hashing(case: str, browser: APIClient, viewer: User, hashed: list[str]) -> None:
    """Otherwise the time of the answer would tell which addresses have an account."""
    if case == "no usable password":
        viewer.set_unusable_password()
    viewer.is_active = case != "not active"
    viewer.save()
    hashed.clear()
    email = "nobody@example.com" if case == "unknown" else viewer.email
    assert post(browser, {"email": email, "password": "wrong"}).status_code == 400
    assert len(hashed) == 1


# --- Before the address is confirmed ----------------------------------------------------------------------------------

NOT_CONFIRMED = {
    "detail": "Your e-mail address is not confirmed yet. Please follow the link in the e-mail that we sent you.",
    "code": "email_not_confirmed",
}


@pytest.fixture
def waiting(make_user: Any) -> User:
    user: User = make_user("waiting", is_active=False, awaits_confirmation=True)
    return user


@pytest.mark.parametrize("route", ["/users/login/", "/api/v1/auth/login/", "/api/v1/auth/token/"])
def test_only_the_right_password_tells_that_an_account_is_unconfirmed(
    route: str, browser: APIClient, waiting: User
) -> None:
    body = {"email": waiting.email, "password": PASSWORD}
    response = browser.post(route, body, format="json")
    assert (response.status_code, response.json()) == (400, NOT_CONFIRMED)
    assert not response.cookies
    response = browser.post(route, body | {"password": "wrong"}, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_credentials")


def test_an_unconfirmed_account_costs_one_hashing_too(browser: APIClient, waiting: User, hashed: list[str]) -> None:
    hashed.clear()
    post(browser, {"email": waiting.email, "password": PASSWORD})
    assert len(hashed) == 1


def test_the_right_password_of_an_unconfirmed_account_neither_counts_nor_resets_the_count(
    browser: APIClient, waiting: User
) -> None:
    right, wrong = {"email": waiting.email, "password": PASSWORD}, {"email": waiting.email, "password": "wrong"}
    for _ in range(PAIR.free - 1):
        assert post(browser, wrong).status_code == 400
    for _ in range(PAIR.free):
        assert post(browser, right).json() == NOT_CONFIRMED
    assert post(browser, wrong).status_code == 400
    assert post(browser, right).status_code == 429


def test_an_account_that_staff_deactivated_looks_like_a_wrong_password(browser: APIClient, viewer: User) -> None:
    User.objects.update(is_active=False)
    assert post(browser, {"email": viewer.email, "password": PASSWORD}).json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("address", ["viewer@example.com", "closed@example.com", "new@example.com"])
def test_registering_and_signing_in_does_not_tell_whether_there_was_an_account(
    address: str, browser: APIClient, viewer: User, make_user: Any
) -> None:
    make_user("closed", is_active=False)
    form = {"email": address, "password": "my own password 1", "confirm_password": "my own password 1"}
    assert browser.post("/users/register/", form, format="json").status_code == 201
    credentials = {"email": address, "password": "my own password 1"}
    assert post(browser, credentials).json() == NOT_CONFIRMED
    assert post(browser, credentials | {"password": "wrong"}).json()["code"] == "invalid_credentials"


def test_the_password_of_a_registration_is_wrong_once_the_account_has_another(browser: APIClient, db: None) -> None:
    form = {"email": "new@example.com", "password": "my own password 1", "confirm_password": "my own password 1"}
    assert browser.post("/users/register/", form, format="json").status_code == 201
    credentials = {"email": "new@example.com", "password": "my own password 1"}
    browser.get(deliver_one().path)
    assert post(browser, credentials).status_code == 200
    user = User.objects.get()
    user.set_password("another password 2")
    user.save()
    assert post(browser, credentials).json()["code"] == "invalid_credentials"


def test_the_forgot_password_route_sends_the_confirmation_again(browser: APIClient, waiting: User) -> None:
    assert browser.post("/users/forgot-password/", {"email": waiting.email}, format="json").status_code == 200
    received = deliver_one()
    assert (received.to, received.subject) == (waiting.email, "Confirm your address")
    browser.get(received.path)
    assert post(browser, {"email": waiting.email, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_is_the_clients_mistake(body: Any, browser: APIClient, db: None) -> None:
    response = browser.generic("POST", LOGIN, body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] in {"invalid", "parse_error", "invalid_credentials"}


def test_validation_names_the_fields(browser: APIClient, db: None) -> None:
    assert post(browser, {"email": "a@example.com"}).json() == {
        "password": ["This field is required."],
        "code": "invalid",
    }


@pytest.mark.parametrize("broken", ["garbage", "a.b.c", ""])
def test_a_broken_cookie_does_not_prevent_signing_in(broken: str, browser: APIClient, viewer: User) -> None:
    browser.cookies["vf_access"] = broken
    browser.cookies["vf_refresh"] = broken
    assert post(browser, {"email": viewer.email, "password": PASSWORD}).status_code == 200


def test_a_stale_bearer_header_does_not_prevent_signing_in(browser: APIClient, viewer: User) -> None:
    browser.credentials(HTTP_AUTHORIZATION="Bearer stale")
    assert post(browser, {"email": viewer.email, "password": PASSWORD}).status_code == 200


def test_signing_in_takes_few_queries_however_many_sessions_there_are(
    browser: APIClient, viewer: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        sign_in(viewer)
    # find the person, begin, drop expired sessions, open one, note the time, commit, list favourites, the audit trail
    with django_assert_max_num_queries(8):
        post(browser, {"email": viewer.email, "password": PASSWORD})
    assert Session.objects.count() == 6


def test_apps_add_named_values_to_the_login_answer(viewer: User, owner: User) -> None:
    payload = Payload()
    payload.register("greeting", lambda users: {user.pk: f"Hello {user.name}" for user in users})
    assert payload.collect(viewer) == {"greeting": "Hello viewer"}
    assert payload.collect_many([viewer, owner])[owner.pk] == {"greeting": "Hello owner"}


def test_a_bad_password_grant_is_the_clients_mistake_in_any_encoding(db: None) -> None:
    body = '{"grant_type": "\\ud800", "username": "a", "password": "b"}'
    response = APIClient().generic("POST", "/api/v1/auth/token", body, content_type="Application/JSON")
    assert response.status_code == 400
    form = urlencode({"grant_type": "\udcff".encode("utf-8", "surrogatepass"), "username": "a", "password": "b"})
    response = APIClient().generic("POST", "/api/v1/auth/token", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400
