"""Registering and confirming accounts, without telling which addresses are taken."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import ConfirmationCode, Mail, User
from users_app.roles import Role
from users_app.services import registration
from users_app.services.followed_links import follow
from users_app.tests.mailbox import deliver, deliver_one

REGISTER = "/users/register/"
RESET = "/users/reset-password/"
ADDRESS = "new@example.com"
FORM = {"email": ADDRESS, "password": PASSWORD, "confirm_password": PASSWORD}

pytestmark = pytest.mark.django_db


def post(client: APIClient, body: Any, route: str = REGISTER) -> Any:
    return client.post(route, body, format="json")


def sign_in(client: APIClient, password: str = PASSWORD, email: str = ADDRESS) -> int:
    return int(post(client, {"email": email, "password": password}, "/users/login/").status_code)


@pytest.mark.parametrize("route", ["/users/register/", "/users/register"])
def test_an_account_is_registered_confirmed_and_signed_in_to(route: str, browser: APIClient) -> None:
    response = post(browser, {**FORM, "name": "New", "phone": "+49 1", "address": "Here"}, route)
    assert (response.status_code, response.json()) == (201, {"email": ADDRESS})
    user = User.objects.get()
    assert (user.is_active, user.email_verified, user.role) == (False, False, Role.VIEWER)
    assert (user.name, user.phone, user.address) == ("New", "+49 1", "Here")
    assert sign_in(browser) == 400
    received = deliver_one()
    assert (received.to, received.subject) == (ADDRESS, "Confirm your address")
    confirmed = browser.get(received.path)
    assert (confirmed.status_code, confirmed["Location"]) == (302, "/login/?confirmed=1")
    assert sign_in(browser) == 200
    user.refresh_from_db()
    assert (user.is_active, user.email_verified, user.awaits_confirmation) == (True, True, False)


@pytest.mark.parametrize("route", ["/api/v1/auth/register", "/api/v1/auth/signup/"])
def test_programs_register_without_typing_twice(route: str, browser: APIClient) -> None:
    body = {"name": "New", "email": ADDRESS, "password": PASSWORD}
    assert post(browser, body, route).status_code == 201
    code = deliver_one().code
    assert post(browser, {"email": ADDRESS, "otp": code}, "/api/v1/auth/verify-email/").status_code == 200
    assert sign_in(browser) == 200


def test_a_code_stays_valid_while_the_former_secret_is_a_fallback(browser: APIClient, settings: Any) -> None:
    assert post(browser, FORM).status_code == 201
    code = deliver_one().code
    settings.SECRET_KEY, former = "another-secret-for-tests-0123456789abcdef", settings.SECRET_KEY
    body = {"email": ADDRESS, "otp": code}
    assert post(browser, body, "/api/v1/auth/verify-email/").status_code == 400
    settings.SECRET_KEY_FALLBACKS = [former]
    assert post(browser, body, "/api/v1/auth/verify-email/").status_code == 200


def test_confirming_redirects_to_the_front_end(browser: APIClient, settings: Any) -> None:
    settings.FRONTEND_URL = "http://localhost:4200/login"
    post(browser, FORM)
    assert browser.get(deliver_one().path)["Location"] == "http://localhost:4200/login"


def test_mails_lead_to_the_pages_of_the_front_end(browser: APIClient, settings: Any) -> None:
    settings.FRONTEND_CONFIRM_URL = "https://www.example.com/#/confirm?from=mail"
    post(browser, FORM)
    assert deliver_one().link.startswith("https://www.example.com/?uid=")


def test_a_link_works_once(browser: APIClient) -> None:
    post(browser, FORM)
    path = deliver_one().path
    browser.get(path)
    again = browser.get(path)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_link")


def test_a_link_expires(browser: APIClient, settings: Any) -> None:
    settings.CONFIRM_LIFETIME = timedelta(seconds=-1)
    post(browser, FORM)
    response = browser.get(deliver_one().path)
    assert (response.status_code, response.json()["code"]) == (400, "link_expired")


@pytest.mark.parametrize(
    "query", ["", "?uid=", "?uid=MQ&token=", "?uid=MQ&token=a.b.c", "?uid=%00&token=%00", "?uid=ÿ&token=ÿ", "?token=x"]
)
def test_a_made_up_link_is_refused(query: str, browser: APIClient) -> None:
    response = browser.get(f"/users/confirm/{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_link")


def test_a_link_leads_to_its_own_account_only(browser: APIClient, viewer: User) -> None:
    post(browser, FORM)
    query = deliver_one().query
    response = browser.get("/users/confirm/", {"uid": "OTk5", "token": query["token"]})
    assert response.status_code == 400
    assert not User.objects.get(email=ADDRESS).is_active


def test_people_who_follow_a_used_link_get_a_page(browser: APIClient) -> None:
    response = browser.get("/users/confirm/?uid=MQ&token=x", HTTP_ACCEPT="text/html,application/xhtml+xml,*/*;q=0.8")
    assert response.status_code == 400
    assert "This link does not work" in response.content.decode()


# --- Taken addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["viewer@example.com", " VIEWER@Example.com", "ｖiewer@example.com"])
def test_a_taken_address_gets_the_same_answer_and_its_owner_a_notice(
    spelling: str, browser: APIClient, viewer: User
) -> None:
    response = post(browser, {**FORM, "email": spelling})
    assert (response.status_code, response.json()) == (201, {"email": viewer.email})
    received = deliver_one()
    assert (received.to, received.subject) == (viewer.email, "You already have an account")
    assert sign_in(browser, email=viewer.email) == 200, "the password is as it was"


def test_a_taken_address_costs_as_much_hashing_as_a_free_one(
    browser: APIClient, viewer: User, hashed: list[str]
) -> None:
    other = "another " + PASSWORD
    for email, password in ((ADDRESS, PASSWORD), (viewer.email, PASSWORD), (ADDRESS, PASSWORD), (ADDRESS, other)):
        hashed.clear()
        body = {"email": email, "password": password, "confirm_password": password}
        assert post(browser, body).status_code == 201
        assert len(hashed) == 2  # to store it, and to compare it with an earlier one


def test_registering_again_with_the_same_password_has_another_mail_sent(browser: APIClient) -> None:
    post(browser, FORM)
    first = deliver_one()
    assert post(browser, {**FORM, "name": "Second"}).status_code == 201
    assert browser.get(first.path).status_code == 400
    assert browser.get(deliver_one().path).status_code == 302
    assert sign_in(browser) == 200
    assert User.objects.get().name == "Second"


def test_when_two_register_one_address_its_owner_chooses_the_password(browser: APIClient) -> None:
    post(browser, FORM)
    mine = deliver_one()
    other = "another " + PASSWORD
    assert post(browser, {**FORM, "password": other, "confirm_password": other, "name": "Mallory"}).status_code == 201
    # The first mail is no longer valid, even before the second one is sent.
    wrong = post(browser, {"email": ADDRESS, "otp": mine.code}, "/api/v1/auth/verify-email/")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_code")
    assert browser.get(mine.path).status_code == 400

    received = deliver_one()
    assert received.subject == "Confirm your address and choose a password"
    assert "/reset-password/?uid=" in received.link
    post(browser, FORM)  # even with the first password again
    assert post(browser, {**received.query, "new_password": "mine alone, now"}, RESET).status_code == 400
    received = deliver_one()
    assert post(browser, {**received.query, "new_password": "mine alone, now"}, RESET).status_code == 200
    assert not deliver()
    assert [sign_in(browser, password) for password in (PASSWORD, other, "mine alone, now")] == [400, 400, 200]
    user = User.objects.get()
    assert (user.name, user.email_verified, user.awaits_confirmation) == ("", True, False)


def test_a_late_first_mail_confirms_no_account_without_a_password(browser: APIClient) -> None:
    post(browser, FORM)
    post(browser, {**FORM, "password": "another " + PASSWORD, "confirm_password": "another " + PASSWORD})
    letters = deliver()
    assert [received.subject for received in letters] == ["Confirm your address and choose a password"] * 2
    assert post(browser, {**letters[0].query, "new_password": "mine alone, now"}, RESET).status_code == 200
    assert sign_in(browser, "mine alone, now") == 200


def test_a_user_who_forgot_the_password_before_confirming_chooses_one(browser: APIClient) -> None:
    post(browser, FORM)
    post(browser, {**FORM, "password": "another " + PASSWORD, "confirm_password": "another " + PASSWORD})
    deliver()
    post(browser, {"email": ADDRESS}, "/users/forgot-password/")
    received = deliver_one()
    assert post(browser, {**received.query, "new_password": "mine alone, now"}, RESET).status_code == 200
    assert sign_in(browser, "mine alone, now") == 200


def test_a_link_does_not_confirm_a_later_registration(browser: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    post(browser, FORM)
    received = deliver_one()

    def too_late(*arguments: Any, **named: Any) -> tuple[User, str]:
        followed = follow(*arguments, **named)
        post(APIClient(), {**FORM, "password": "another " + PASSWORD, "confirm_password": "another " + PASSWORD})
        return followed

    monkeypatch.setattr("users_app.services.registration.follow", too_late)
    assert browser.get(received.path).status_code == 400
    assert not User.objects.get().is_active


def test_registering_again_starts_the_lifetime_anew(browser: APIClient) -> None:
    post(browser, FORM)
    User.objects.update(date_joined=timezone.now() - timedelta(days=6, hours=23))
    post(browser, FORM)
    assert timezone.now() - User.objects.get().date_joined < timedelta(minutes=1)


def test_an_account_that_staff_closed_is_not_opened_by_registering(browser: APIClient, viewer: User) -> None:
    User.objects.update(is_active=False)
    assert post(browser, {**FORM, "email": viewer.email}).status_code == 201
    assert [received.subject for received in deliver()] == ["You already have an account"]
    viewer.refresh_from_db()
    assert not viewer.is_active


@pytest.mark.parametrize("case", ["taken", "waiting", "closed", "free"])
def test_one_route_tells_whether_an_address_exists(case: str, browser: APIClient, viewer: User) -> None:
    response = browser.get("/users/email-exists/", {"email": ADDRESS if case == "free" else "VIEWER@example.com"})
    assert response.json() == {"exists": case != "free"}


@pytest.mark.django_db(transaction=True)
def test_parallel_registrations_of_one_address_make_one_account() -> None:
    start = Barrier(4)

    def register() -> int:
        try:
            start.wait()
            return int(post(APIClient(), FORM).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = [future.result() for future in [pool.submit(register) for _ in range(4)]]
    assert statuses == [201] * 4
    assert User.objects.count() == 1


# --- The code --------------------------------------------------------------------------------------------------------


def by_code(client: APIClient, code: str, email: str = ADDRESS) -> Any:
    return post(client, {"email": email, "otp": code}, "/api/v1/auth/verify-email/")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_wrong_code_is_refused_and_too_many_end_the_code(browser: APIClient) -> None:
    post(browser, FORM)
    received = deliver_one()
    for _ in range(5):
        response = by_code(browser, wrong(received.code))
        assert (response.status_code, response.json()["code"]) == (400, "invalid_code")
    assert by_code(browser, received.code).status_code == 400
    assert browser.get(received.path).status_code == 302, "the link works all the same"


def test_a_code_works_once_and_for_its_own_account(browser: APIClient, viewer: User) -> None:
    post(browser, FORM)
    code = deliver_one().code
    assert by_code(browser, code, viewer.email).status_code == 400
    assert by_code(browser, code, "nobody@example.com").status_code == 400
    assert by_code(browser, code).status_code == 200
    assert by_code(browser, code).status_code == 400


def test_a_code_expires(browser: APIClient) -> None:
    post(browser, FORM)
    code = deliver_one().code
    ConfirmationCode.objects.update(expires_at=timezone.now())
    assert by_code(browser, code).status_code == 400


def test_the_database_does_not_hold_the_code(browser: APIClient) -> None:
    post(browser, FORM)
    assert deliver_one().code not in ConfirmationCode.objects.get().digest


# --- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@example.com\x00"}, "email"),
        ({"email": "\ud800@example.com"}, "email"),
        ({"email": '"a b"@example.com'}, "email"),
        ({"email": "аdmin@example.com"}, "email"),
        ({"email": "i̇@example.com"}, "email"),
        ({"email": "a\u200b@example.com"}, "email"),
        ({"email": f"{'a' * 250}@example.com"}, "email"),
        ({"email": ["a@example.com"]}, "email"),
        ({"email": None}, "email"),
        ({"password": "short", "confirm_password": "short"}, "password"),
        ({"password": "password123", "confirm_password": "password123"}, "password"),
        ({"password": "74638291", "confirm_password": "74638291"}, "password"),
        ({"password": "new@example.com", "confirm_password": "new@example.com"}, "password"),
        ({"password": "x" * 2000, "confirm_password": "x" * 2000}, "password"),
        ({"password": f"{PASSWORD}\x00", "confirm_password": f"{PASSWORD}\x00"}, "password"),
        ({"confirm_password": "another"}, "confirm_password"),
        ({"confirm_password": None}, "confirm_password"),
        ({"name": "x" * 151}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"phone": {"number": 1}}, "phone"),
    ],
)
def test_bad_input_names_its_field_and_makes_no_account(change: Any, field: str, browser: APIClient) -> None:
    body = json.dumps({**FORM, **change})
    response = browser.generic("POST", REGISTER, body, content_type="application/json")
    assert response.status_code == 400
    assert {field, "code"} <= set(response.json()) <= {field, "code", "confirm_password"}
    assert not User.objects.exists()
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("New@BÜCHER.example", "new@xn--bcher-kva.example"),
        ("new@xn--bcher-kva.example", "new@xn--bcher-kva.example"),
        ("new@faß.example", "new@xn--fa-hia.example"),
        ("ｎｅｗ＠example.com", "new@example.com"),
    ],
)
def test_an_address_is_stored_normalized(typed: str, kept: str, browser: APIClient) -> None:
    assert post(browser, {**FORM, "email": typed}).json() == {"email": kept}
    assert User.objects.get().email == kept


def test_registering_sets_no_rights(browser: APIClient) -> None:
    post(browser, {**FORM, "role": "ADMIN", "is_staff": True, "is_active": True, "email_verified": True})
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_active, user.email_verified) == (Role.VIEWER, False, False, False)


def test_an_unconfirmed_account_is_deleted_after_a_week(browser: APIClient, viewer: User) -> None:
    post(browser, FORM)
    assert registration.drop_unconfirmed() == 0
    User.objects.update(date_joined=timezone.now() - timedelta(days=8))
    registration.drop_unconfirmed()
    assert list(User.objects.all()) == [viewer]


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("post", "/users/register/"),
        ("get", "/users/email-exists/"),
        ("get", "/users/confirm/"),
        ("get", "/users/email/confirm/"),
        ("post", "/users/forgot-password/"),
        ("post", "/users/reset-password/"),
        ("post", "/users/login/"),
        ("post", "/users/logout/"),
        ("post", "/api/v1/auth/register/"),
        ("post", "/api/v1/auth/verify-email/"),
        ("post", "/api/v1/auth/token/"),
        ("get", "/health/"),
    ],
)
@pytest.mark.parametrize("broken", ["garbage", "a.b.c", "", "\u00ff"])
def test_a_broken_cookie_or_header_does_not_hinder_the_open_routes(
    method: str, route: str, broken: str, browser: APIClient
) -> None:
    browser.cookies["vf_access"] = browser.cookies["vf_refresh"] = broken
    headers = {} if route == "/users/logout/" else {"HTTP_AUTHORIZATION": f"Bearer {broken}"}
    options = {"format": "json"} if method == "post" else {}
    response = getattr(browser, method)(route, {}, **options, **headers)
    assert response.status_code in {200, 400, 503}
