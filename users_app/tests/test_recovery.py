"""Forgotten passwords: a link by e-mail, which works once."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import Mail, Session, User
from users_app.tests.conftest import SignIn
from users_app.tests.mailbox import deliver, deliver_one

FORGOT, RESET = "/users/forgot-password/", "/users/reset-password/"
NEW = "an entirely new one"

pytestmark = pytest.mark.django_db


def ask(client: APIClient, email: str) -> Any:
    return client.post(FORGOT, {"email": email}, format="json")


def reset(client: APIClient, query: dict[str, str], password: str = NEW) -> Any:
    return client.post(RESET, {**query, "new_password": password}, format="json")


def test_a_new_password_is_chosen_by_the_link_and_every_session_ends(
    browser: APIClient, viewer: User, sign_in: SignIn, settings: Any
) -> None:
    signed_in = sign_in(viewer)
    assert ask(browser, "Viewer@example.com").status_code == 200
    received = deliver_one()
    assert received.link.startswith(f"{settings.BACKEND_ORIGIN}/reset-password/?uid=")
    assert reset(browser, received.query).status_code == 200
    assert signed_in.get("/api/v1/auth/me/").status_code == 401
    assert signed_in.post("/users/refresh/", {}, format="json").status_code == 401
    assert [notice.subject for notice in deliver()] == ["Your password was changed"]
    login = {"email": viewer.email, "password": NEW}
    assert browser.post("/users/login/", login, format="json").status_code == 200


def test_the_link_leads_to_the_front_end(browser: APIClient, viewer: User, settings: Any) -> None:
    settings.RESET_PASSWORD_URL = "http://localhost:4200/reset-password"
    ask(browser, viewer.email)
    assert deliver_one().link.startswith("http://localhost:4200/reset-password?uid=")


def test_the_answer_and_the_work_are_the_same_for_every_address(
    browser: APIClient, viewer: User, django_assert_num_queries: Any
) -> None:
    answers = []
    for email in (viewer.email, "nobody@example.com"):
        with django_assert_num_queries(1):
            response = ask(browser, email)
        answers.append((response.status_code, response.content))
    assert answers[0] == answers[1]
    assert [received.to for received in deliver()] == [viewer.email]
    assert not Mail.objects.exists()


def test_a_link_works_once(browser: APIClient, viewer: User) -> None:
    ask(browser, viewer.email)
    query = deliver_one().query
    assert reset(browser, query).status_code == 200
    again = reset(browser, query, "yet another one")
    assert (again.status_code, again.json()["code"]) == (400, "invalid_link")


def test_a_changed_password_ends_older_links(browser: APIClient, viewer: User) -> None:
    ask(browser, viewer.email)
    query = deliver_one().query
    viewer.set_password("changed meanwhile")
    viewer.save()
    assert reset(browser, query).status_code == 400


def test_a_weak_password_leaves_the_link_alive(browser: APIClient, viewer: User) -> None:
    ask(browser, viewer.email)
    query = deliver_one().query
    response = reset(browser, query, "12345678")
    assert (response.status_code, set(response.json())) == (400, {"new_password", "code"})
    assert reset(browser, query).status_code == 200


def test_a_link_expires(browser: APIClient, viewer: User, settings: Any) -> None:
    settings.RESET_LIFETIME = timedelta(seconds=-1)
    ask(browser, viewer.email)
    assert reset(browser, deliver_one().query).json()["code"] == "link_expired"


def test_tokens_of_other_purposes_set_no_password(browser: APIClient, viewer: User, sign_in: SignIn) -> None:
    ask(browser, viewer.email)
    uid = deliver_one().query["uid"]
    cookies = sign_in(viewer).cookies
    browser.post("/users/register/", {"email": "b@example.com", "password": PASSWORD, "confirm_password": PASSWORD})
    for token in (cookies["vf_access"].value, cookies["vf_refresh"].value):
        response = reset(browser, {"uid": uid, "token": token})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_link")


def test_a_link_signs_no_user_in(browser: APIClient, viewer: User) -> None:
    ask(browser, viewer.email)
    token = deliver_one().query["token"]
    assert APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/v1/auth/me/").status_code == 401
    browser.cookies["vf_refresh"] = token
    assert browser.post("/users/refresh/", {}, format="json").status_code == 401


def test_an_unconfirmed_user_gets_the_confirmation_again(browser: APIClient) -> None:
    form = {"email": "new@example.com", "password": PASSWORD, "confirm_password": PASSWORD}
    browser.post("/users/register/", form, format="json")
    deliver()
    ask(browser, "new@example.com")
    received = deliver_one()
    assert received.subject == "Confirm your address"
    assert browser.get(received.path).status_code == 302


@pytest.mark.parametrize("case", ["closed", "no password"])
def test_a_user_who_cannot_sign_in_gets_no_link(case: str, browser: APIClient, viewer: User) -> None:
    viewer.is_active = case != "closed"
    if case == "no password":
        viewer.set_unusable_password()
    viewer.save()
    assert ask(browser, viewer.email).status_code == 200
    assert not deliver()


def test_a_link_does_not_reset_an_account_that_was_deactivated_meanwhile(browser: APIClient, viewer: User) -> None:
    ask(browser, viewer.email)
    query = deliver_one().query
    User.objects.update(is_active=False)
    assert reset(browser, query).status_code == 400
    assert not Session.objects.exists()


@pytest.mark.parametrize("body", [{}, {"email": None}, {"email": "x"}, {"email": "a@example.com\x00"}, [], "text"])
def test_bad_input_is_the_clients_mistake(body: Any, browser: APIClient) -> None:
    assert browser.post(FORGOT, body, format="json").status_code == 400
    assert browser.post(RESET, body, format="json").status_code == 400
