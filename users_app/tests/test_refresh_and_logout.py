from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import Session, User
from users_app.tests.conftest import SignIn

REFRESH_ROUTES = ["/users/refresh/", "/users/refresh", "/api/v1/auth/refresh/", "/api/v1/auth/refresh-token"]


def post(client: APIClient, route: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(route, body or {}, format="json")


def program_tokens(user: User) -> dict[str, str]:
    response = post(APIClient(), "/api/v1/auth/token/", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 200
    answer: dict[str, str] = response.json()
    return answer


@pytest.mark.parametrize("route", REFRESH_ROUTES)
def test_a_browser_refreshes_by_cookie_and_gets_cookies(route: str, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    before = client.cookies["vf_refresh"].value
    del client.cookies["vf_access"]
    response = post(client, route)
    assert (response.status_code, response.json()) == (200, {"detail": "Refreshed."})
    assert client.cookies["vf_refresh"].value != before
    assert client.get("/api/v1/auth/me/").status_code == 200


def test_a_program_refreshes_by_body_and_gets_no_cookies(viewer: User) -> None:
    program = APIClient()
    response = post(program, "/api/v1/auth/refresh/", {"refresh_token": program_tokens(viewer)["refresh_token"]})
    assert response.status_code == 200
    assert set(response.json()) == {"detail", "access_token", "refresh_token", "token_type"}
    assert not response.cookies
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['access_token']}")
    assert program.get("/api/v1/auth/me/").json()["email"] == viewer.email


def test_without_a_token_there_is_nothing_to_refresh(browser: APIClient, db: None) -> None:
    response = post(browser, "/users/refresh/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "x" * 2000])
def test_a_bad_refresh_token_is_a_401(token: str, browser: APIClient, db: None) -> None:
    browser.cookies["vf_refresh"] = token
    by_cookie = post(browser, "/users/refresh/")
    by_body = post(APIClient(), "/users/refresh/", {"refresh_token": token})
    for response in (by_cookie, by_body):
        assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"refresh_token": {}}', b'{"refresh_token": ""}'])
@pytest.mark.parametrize("route", ["/users/refresh/", "/users/logout/"])
def test_a_bad_body_is_a_4xx(route: str, body: Any, browser: APIClient, db: None) -> None:
    response = browser.generic("POST", route, body, content_type="application/json")
    assert response.status_code in {400, 401}
    assert response.json()["code"]


def test_a_broken_access_cookie_does_not_hinder_refreshing(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    client.cookies["vf_access"] = "broken"
    assert post(client, "/users/refresh/").status_code == 200


def test_refreshing_takes_two_queries(viewer: User, sign_in: SignIn, django_assert_num_queries: Any) -> None:
    client = sign_in(viewer)
    with django_assert_num_queries(2):
        assert post(client, "/users/refresh/").status_code == 200


@pytest.mark.parametrize("route", ["/users/logout/", "/users/logout", "/api/v1/auth/logout/"])
def test_logging_out_ends_the_session_and_clears_the_cookies(route: str, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    kept = {name: morsel.value for name, morsel in client.cookies.items()}
    response = post(client, route)
    assert response.status_code == 200
    for name in ("vf_access", "vf_refresh"):
        assert (response.cookies[name].value, response.cookies[name]["max-age"]) == ("", 0)
        client.cookies[name] = kept[name]
    assert client.get("/api/v1/auth/me/").status_code == 401
    assert post(client, "/users/refresh/").status_code == 401


@pytest.mark.parametrize("cookie", ["", "garbage"])
def test_logging_out_without_a_session_works(cookie: str, browser: APIClient, db: None) -> None:
    browser.cookies["vf_access"] = cookie
    browser.cookies["vf_refresh"] = cookie
    assert post(browser, "/users/logout/").status_code == 200


def test_a_program_logs_out_by_bearer_from_any_page(viewer: User) -> None:
    program = APIClient(HTTP_AUTHORIZATION=f"Bearer {program_tokens(viewer)['access_token']}")
    assert program.post("/api/v1/auth/logout/", HTTP_ORIGIN="https://elsewhere.example").status_code == 200
    assert Session.objects.get().revoked_at is not None


@pytest.mark.parametrize("token", ["genuine", "garbage", ""])
def test_the_bearer_token_of_a_strangers_page_does_not_sign_out_the_browser(
    token: str, viewer: User, creator: User, sign_in: SignIn
) -> None:
    victim = sign_in(viewer)
    bearer = program_tokens(creator)["access_token"] if token == "genuine" else token
    stranger: dict[str, Any] = {"HTTP_ORIGIN": "https://evil.example", "HTTP_AUTHORIZATION": f"Bearer {bearer}"}
    answer = victim.post("/api/v1/auth/logout/", {}, format="json", **stranger)
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert victim.get("/api/v1/auth/me/").status_code == 200
    assert post(victim, "/users/refresh/").status_code == 200
    ended = set(Session.objects.exclude(revoked_at=None).values_list("user", flat=True))
    assert ended == ({creator.pk} if token == "genuine" else set())


def test_a_page_of_this_site_signs_out_by_bearer_and_cookies_at_once(
    viewer: User, creator: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    bearer = f"Bearer {program_tokens(creator)['access_token']}"
    answer = client.post("/api/v1/auth/logout/", {}, format="json", HTTP_AUTHORIZATION=bearer)
    assert set(answer.cookies) == {"vf_access", "vf_refresh"}
    assert not Session.objects.filter(revoked_at=None).exists()


def test_a_program_logs_out_by_refresh_token(viewer: User) -> None:
    body = {"refresh_token": program_tokens(viewer)["refresh_token"]}
    assert post(APIClient(), "/api/v1/auth/logout/", body).status_code == 200
    assert Session.objects.get().revoked_at is not None


def test_the_password_form_of_oauth_gives_tokens(viewer: User) -> None:
    form = f"grant_type=password&username={viewer.email}&password={PASSWORD}"
    response = APIClient().post("/api/v1/auth/token", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert set(response.json()) == {"access_token", "refresh_token", "token_type"}
    assert not response.cookies


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "username=viewer@example.com&password=wrong"),
        ("application/json", '{"email": "viewer@example.com", "password": "wrong"}'),
    ],
)
def test_wrong_credentials_give_no_tokens(content_type: str, body: str, viewer: User) -> None:
    response = APIClient().post("/api/v1/auth/token/", body, content_type=content_type)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_credentials")


@pytest.mark.parametrize(
    "form", ["", "username=%00&password=%ff", "grant_type=other&username=a&password=b", "&" * 3000]
)
def test_a_bad_password_form_is_the_clients_mistake(form: str, db: None) -> None:
    response = APIClient().post("/api/v1/auth/token/", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400
    assert response.json()["code"]
