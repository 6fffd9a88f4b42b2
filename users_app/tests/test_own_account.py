"""What users do with their own account: profile, password, address, sessions, export and deletion."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.api import account_serializers
from users_app.models import Mail, Session, User
from users_app.roles import Role
from users_app.services import sessions
from users_app.services.own_account import PasswordChanged
from users_app.services.recovery import replace_password
from users_app.services.registration import require_strong_password
from users_app.services.sessions import SessionEnded
from users_app.tests.conftest import SignIn, is_in, post
from users_app.tests.mailbox import deliver, deliver_one
from users_app.tokens import AccessToken

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "an entirely new one"
PREFIXES = ["/users", "/api/v1/auth"]

pytestmark = pytest.mark.django_db


# --- Profile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["/users/profile/", "/users/profile"])
def test_a_profile_is_read_and_changed(route: str, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    expected = {
        "id": viewer.pk,
        "username": viewer.email,
        "email": viewer.email,
        "name": "viewer",
        "phone": "",
        "address": "",
        "role": "VIEWER",
        "email_verified": False,
        "favorite_videos": [],
    }
    assert client.get(route).json() == expected
    changed = client.patch(route, {"name": "V", "phone": "1", "address": "Here"}, format="json")
    assert changed.json() == {**expected, "name": "V", "phone": "1", "address": "Here"}
    assert client.get(f"{route.rstrip('/')}/{viewer.pk}/").json()["name"] == "V"


def test_a_profile_does_not_change_rights(viewer: User, sign_in: SignIn) -> None:
    body = {"role": "ADMIN", "email": "other@example.com", "email_verified": True, "is_staff": True, "id": 1}
    assert sign_in(viewer).patch("/users/profile/", body, format="json").status_code == 200
    viewer.refresh_from_db()
    assert (viewer.role, viewer.email, viewer.email_verified, viewer.is_staff) == (
        Role.VIEWER,
        "viewer@example.com",
        False,
        False,
    )


def test_a_profile_that_is_saved_late_overwrites_no_other_field(
    viewer: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a client that holds back the end of its request until the account is deactivated."""
    client = sign_in(viewer)
    is_valid = account_serializers.Profile.is_valid

    def late(form: account_serializers.Profile, **named: Any) -> bool:
        User.objects.filter(pk=viewer.pk).update(is_active=False, role=Role.CREATOR, password="another hash")
        return bool(is_valid(form, **named))

    monkeypatch.setattr(account_serializers.Profile, "is_valid", late)
    assert client.patch("/users/profile/", {"name": "V"}, format="json").status_code == 200
    viewer.refresh_from_db()
    assert (viewer.name, viewer.is_active, viewer.role) == ("V", False, Role.CREATOR)
    assert viewer.password == "another hash"


@pytest.mark.parametrize("body", ["[]", "{", '{"name": null}', '{"name": {}}', '{"phone": "' + "1" * 41 + '"}'])
def test_a_bad_profile_changes_nothing(body: str, viewer: User, sign_in: SignIn) -> None:
    response = sign_in(viewer).generic("PATCH", "/users/profile/", body, content_type="application/json")
    assert response.status_code == 400
    viewer.refresh_from_db()
    assert viewer.name == "viewer"


def test_profiles_of_others_are_for_admins(viewer: User, creator: User, admin: User, sign_in: SignIn) -> None:
    route = f"/users/profile/{creator.pk}/"
    assert sign_in(viewer).get(route).status_code == 404
    assert sign_in(viewer).patch(route, {"name": "x"}, format="json").status_code == 404
    assert sign_in(admin).get(route).json()["email"] == creator.email
    assert sign_in(admin).patch(route, {"name": "By staff"}, format="json").json()["name"] == "By staff"
    assert sign_in(admin).get("/users/profile/999999999999/").status_code == 404


# --- Password --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_changed_password_ends_every_other_session(prefix: str, viewer: User, sign_in: SignIn) -> None:
    here, elsewhere = sign_in(viewer), sign_in(viewer)
    old = here.cookies["vf_access"].value
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert post(here, f"{prefix}/password/change/", body).status_code == 200
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert post(elsewhere, "/users/refresh/", {}).status_code == 401
    assert post(here, "/users/refresh/", {}).status_code == 200
    assert not is_in(APIClient(HTTP_AUTHORIZATION=f"Bearer {old}"))
    assert deliver_one().subject == "Your password was changed"


def test_a_program_gets_its_new_tokens_in_the_body(viewer: User) -> None:
    tokens = post(APIClient(), "/api/v1/auth/token/", {"email": viewer.email, "password": PASSWORD}).json()
    program = APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    answer = post(program, "/api/v1/auth/password/change/", {"current_password": PASSWORD, "new_password": NEW})
    assert not answer.cookies
    assert is_in(APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"current_password": "wrong", "new_password": NEW}, "current_password"),
        ({"current_password": PASSWORD, "new_password": "12345678"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "viewer@example.com"}, "new_password"),
        ({"new_password": NEW}, "current_password"),
    ],
)
def test_a_refused_change_leaves_everything_as_it_is(body: Any, field: str, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    response = post(client, "/users/password/change/", body)
    assert (response.status_code, set(response.json())) == (400, {field, "code"})
    assert is_in(client)
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("quicker", "status", "expected"),
    [
        ("same session", 400, {"code": "password_changed", "current_password": [PasswordChanged.sentence]}),
        ("other session", 401, {"code": "session_ended", "detail": SessionEnded.default_detail}),
        ("reset by mail", 401, {"code": "session_ended", "detail": SessionEnded.default_detail}),
        ("closed account", 401, {"code": "session_ended", "detail": SessionEnded.default_detail}),
    ],
)
def test_a_change_of_the_password_that_comes_too_late_says_so(
    quicker: str, status: int, expected: Any, viewer: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = sign_in(viewer), sign_in(viewer)
    own_session, other_session = Session.objects.order_by("created_at")
    kept = {"same session": own_session, "other session": other_session}.get(quicker)

    def late(**named: Any) -> None:
        require_strong_password(**named)
        if quicker == "closed account":
            User.objects.update(is_active=False)
        else:
            replace_password(user=User.objects.get(), password="quicker than you", but=kept)

    monkeypatch.setattr("users_app.services.own_account.require_strong_password", late)
    answer = post(client, "/users/password/change/", {"current_password": PASSWORD, "new_password": NEW})
    assert (answer.status_code, answer.json()) == (status, expected)
    viewer.refresh_from_db()
    assert not viewer.check_password(NEW)


# --- Address ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_address_changes_when_the_new_one_is_confirmed(
    prefix: str, viewer: User, browser: APIClient, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    body = {"new_email": "New@Example.com", "password": PASSWORD}
    assert post(client, f"{prefix}/email/change/", body).status_code == 200
    confirmation, notice = deliver()
    assert (confirmation.to, confirmation.subject) == ("new@example.com", "Confirm your new address")
    assert (notice.to, notice.subject) == ("viewer@example.com", "Your address is about to change")
    viewer.refresh_from_db()
    assert viewer.email == "viewer@example.com"
    followed = browser.get(confirmation.path)
    assert (followed.status_code, followed["Location"]) == (302, "/login/?email_changed=1")
    viewer.refresh_from_db()
    assert (viewer.email, viewer.email_verified) == ("new@example.com", True)
    last = deliver_one()
    assert (last.to, last.subject) == ("viewer@example.com", "Your address was changed")
    assert is_in(client)
    assert browser.get(confirmation.path).status_code == 400


def test_a_taken_address_gets_the_same_answer_and_its_owner_a_notice(
    viewer: User, creator: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    answers = [
        post(client, "/users/email/change/", {"new_email": email, "password": PASSWORD})
        for email in (creator.email, "free@example.com")
    ]
    assert answers[0].content == answers[1].content
    subjects = {received.to: received.subject for received in deliver()}
    assert subjects[creator.email] == "You already have an account"
    assert subjects["free@example.com"] == "Confirm your new address"


def test_an_address_that_another_account_takes_meanwhile_is_refused(
    viewer: User, browser: APIClient, make_user: Any, sign_in: SignIn
) -> None:
    post(sign_in(viewer), "/users/email/change/", {"new_email": "new@example.com", "password": PASSWORD})
    path = deliver()[0].path
    make_user("quicker", email="new@example.com")
    response = browser.get(path)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_link")
    viewer.refresh_from_db()
    assert viewer.email == "viewer@example.com"


def test_a_link_to_a_new_address_works_once_even_when_the_old_one_is_back(
    viewer: User, browser: APIClient, sign_in: SignIn
) -> None:
    old, new = viewer.email, "new@example.com"
    paths = []
    for address in (new, old):
        ask = {"new_email": address, "password": PASSWORD}
        assert post(sign_in(viewer), "/users/email/change/", ask).status_code == 200
        (link,) = [mail for mail in deliver() if mail.to == address and "token=" in mail.text]
        paths.append(link.path)
        assert browser.get(link.path).status_code == 302
        viewer.refresh_from_db()
        assert viewer.email == address
    assert [browser.get(path).status_code for path in paths] == [400, 400]
    viewer.refresh_from_db()
    assert viewer.email == old


def test_a_changed_password_stops_a_change_of_address(viewer: User, browser: APIClient, sign_in: SignIn) -> None:
    post(sign_in(viewer), "/users/email/change/", {"new_email": "thief@example.com", "password": PASSWORD})
    path = deliver()[0].path
    viewer.set_password(NEW)
    viewer.save()
    assert browser.get(path).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"new_email": "new@example.com", "password": "wrong"}, "password"),
        ({"new_email": "viewer@example.com", "password": PASSWORD}, "new_email"),
        ({"new_email": "nobody", "password": PASSWORD}, "new_email"),
        ({"password": PASSWORD}, "new_email"),
    ],
)
def test_a_refused_address_sends_nothing(body: Any, field: str, viewer: User, sign_in: SignIn) -> None:
    response = post(sign_in(viewer), "/users/email/change/", body)
    assert (response.status_code, set(response.json())) == (400, {field, "code"})
    assert not Mail.objects.exists()


# --- Sessions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", PREFIXES)
def test_sessions_are_listed_with_device_address_and_last_use(
    prefix: str, viewer: User, creator: User, sign_in: SignIn
) -> None:
    sign_in(creator)
    client = sign_in(viewer)
    login = {"email": viewer.email, "password": PASSWORD, "remember": True}
    other = APIClient(HTTP_ORIGIN="http://testserver", HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="2001:db8::7")
    post(other, "/users/login/", login)
    Session.objects.create(user=viewer, expires_at=timezone.now())
    Session.objects.create(user=viewer, expires_at=timezone.now() + timedelta(days=1), revoked_at=timezone.now())
    newer, older = client.get(f"{prefix}/sessions/").json()["results"]
    assert (newer["device"], newer["address"]) == ("Firefox on Linux", "2001:db8::7")
    assert (newer["is_current"], newer["is_remembered"]) == (False, True)
    assert (older["device"], older["address"], older["is_current"]) == ("Unknown device", "127.0.0.1", True)
    assert newer["last_used_at"] == newer["created_at"]
    other.credentials(HTTP_USER_AGENT="VLC/3.0")
    post(other, "/users/refresh/", {})
    newer = client.get(f"{prefix}/sessions/").json()["results"][0]
    assert newer["device"] == "VLC"
    assert newer["last_used_at"] > newer["created_at"]


def test_the_list_of_sessions_has_pages_and_a_constant_number_of_queries(
    viewer: User, sign_in: SignIn, django_assert_num_queries: Any
) -> None:
    client = sign_in(viewer)
    for _ in range(30):
        Session.objects.create(user=viewer, expires_at=timezone.now() + timedelta(days=1))
    with django_assert_num_queries(2):
        page = client.get("/api/v1/auth/sessions/").json()
    assert len(page["results"]) == 24
    assert len(client.get(page["next"]).json()["results"]) == 7


@pytest.mark.parametrize("prefix", PREFIXES)
def test_one_session_is_ended(prefix: str, viewer: User, sign_in: SignIn) -> None:
    here, elsewhere = sign_in(viewer), sign_in(viewer)
    (other,) = (one for one in here.get(f"{prefix}/sessions/").json()["results"] if not one["is_current"])
    assert here.delete(f"{prefix}/sessions/{other['id']}/").status_code == 204
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert here.delete(f"{prefix}/sessions/{other['id']}/").status_code == 404


def test_sessions_of_other_users_are_a_404(viewer: User, creator: User, sign_in: SignIn) -> None:
    victim = sign_in(creator)
    session_id = Session.objects.get(user=creator).pk
    client = sign_in(viewer)
    assert client.delete(f"/users/sessions/{session_id}/").status_code == 404
    assert client.delete(f"/users/sessions/{uuid.uuid4()}/").status_code == 404
    assert is_in(victim)


@pytest.mark.parametrize(("query", "ended", "stays"), [("", 2, False), ("?keep_current=1", 1, True)])
def test_all_sessions_or_all_other_sessions_are_ended(
    query: str, ended: int, stays: bool, viewer: User, sign_in: SignIn
) -> None:
    here, elsewhere = sign_in(viewer), sign_in(viewer)
    assert here.delete(f"/api/v1/auth/sessions/{query}").json() == {"ended": ended}
    assert (is_in(here), is_in(elsewhere)) == (stays, False)


@pytest.mark.parametrize("route", ["/users/sessions/", "/users/sessions/{}/", "/users/me/"])
def test_a_bearer_token_from_a_strangers_page_takes_no_cookies_from_the_browser(
    route: str, viewer: User, creator: User, sign_in: SignIn
) -> None:
    victim = sign_in(viewer)
    token = AccessToken.for_user(creator)
    stranger: dict[str, Any] = {"HTTP_ORIGIN": "https://evil.example", "HTTP_AUTHORIZATION": f"Bearer {token}"}
    answer = victim.delete(route.format(token.session_id), {"password": PASSWORD}, format="json", **stranger)
    assert (answer.status_code // 100, dict(answer.cookies)) == (2, {})
    assert is_in(victim)


# --- Deletion --------------------------------------------------------------------------------------------------------


def test_a_session_that_is_ended_while_its_password_changes_stays_ended(
    viewer: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in(viewer)

    def late(**named: Any) -> None:
        sessions.revoke_all(user=viewer)
        require_strong_password(**named)

    monkeypatch.setattr("users_app.services.own_account.require_strong_password", late)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert post(client, "/users/password/change/", body).status_code == 401
    assert not is_in(client)
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


def test_a_registration_cannot_block_the_deletion_of_an_account(viewer: User, sign_in: SignIn) -> None:
    body = {"email": f"{viewer.pk}@erased.invalid", "password": PASSWORD, "confirm_password": PASSWORD}
    post(APIClient(), "/users/register/", body)
    assert sign_in(viewer).delete("/users/me/", {"password": PASSWORD}, format="json").status_code == 200
    viewer.refresh_from_db()
    assert viewer.erased_at


def test_deleting_an_account_needs_the_password(viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    for body in ({}, {"password": "wrong"}, {"password": None}):
        response = client.delete("/api/v1/auth/me/", body, format="json")
        assert (response.status_code, set(response.json())) == (400, {"password", "code"})
    assert is_in(client)


def test_the_last_admin_cannot_delete_the_account(admin: User, make_user: Any, sign_in: SignIn) -> None:
    client = sign_in(admin)
    response = client.delete("/users/me/", {"password": PASSWORD}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "last_admin")
    assert is_in(client)
    make_user("second", role=Role.ADMIN)
    assert client.delete("/users/me/", {"password": PASSWORD}, format="json").status_code == 200


def test_links_are_invalid_after_the_account_is_deleted(viewer: User, browser: APIClient, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    post(browser, "/users/forgot-password/", {"email": viewer.email})
    post(client, "/users/email/change/", {"new_email": "new@example.com", "password": PASSWORD})
    reset, change, _ = deliver()
    client.delete("/users/me/", {"password": PASSWORD}, format="json")
    assert post(browser, "/users/reset-password/", {**reset.query, "new_password": NEW}).status_code == 400
    assert browser.get(change.path).status_code == 400


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("get", "/users/profile/"),
        ("patch", "/users/profile/"),
        ("get", "/users/profiles/"),
        ("post", "/users/password/change/"),
        ("post", "/users/email/change/"),
        ("get", "/users/sessions/"),
        ("delete", "/users/sessions/"),
        ("get", "/users/export/"),
        ("delete", "/users/me/"),
        ("get", "/api/v1/users/"),
        ("patch", "/api/v1/users/1/role/"),
    ],
)
def test_strangers_get_a_401(method: str, route: str) -> None:
    assert getattr(APIClient(), method)(route).status_code == 401
