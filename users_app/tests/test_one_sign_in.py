"""One sign-in for the watch site and the admin site; what ends one session ends the other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as AdminSession
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import AuditEntry, Mail, MailKind, Session, User
from users_app.roles import Role
from users_app.services.accounts import assign_role, ensure_roles
from users_app.services.sessions import open_session
from users_app.tests.conftest import SignIn, is_in, post
from users_app.tests.mailbox import deliver_one

ADMIN_SITE = "/admin/"
NEW_PASSWORD = "another horse 1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _second_admin(make_user: Any) -> None:
    """Allows the first admin to be deactivated, demoted or deleted."""
    ensure_roles()
    make_user("deputy", role=Role.ADMIN, is_staff=True, is_superuser=True)


def gets_in(client: Client) -> bool:
    return client.get(ADMIN_SITE).status_code == 200


def may_upload_as_staff(client: APIClient) -> bool:
    """Send a request as the upload form of the admin site does, with its session and CSRF token only."""
    for name in ("vf_access", "vf_refresh"):
        client.cookies.pop(name, None)
    answer = client.post("/api/v1/upload/videos/metadata/", {}, format="json", HTTP_X_CSRFTOKEN="x" * 32)
    return bool(answer.status_code == 400)  # authenticated, but without the fields of a film


def by_watch_site(admin: User, sign_in: SignIn) -> APIClient:
    return sign_in(admin)


def by_form(admin: User, sign_in: SignIn) -> APIClient:
    client = APIClient(HTTP_ORIGIN="http://testserver")
    form = {"username": admin.email, "password": PASSWORD, "next": ADMIN_SITE}
    assert client.post("/admin/login/", form, format=None).status_code == 302
    return client


def from_before(admin: User, sign_in: SignIn) -> APIClient:
    """An admin session without a session of the watch site."""
    client = APIClient(HTTP_ORIGIN="http://testserver")
    client.login(username=admin.email, password=PASSWORD)
    return client


WAYS_IN = [by_watch_site, by_form, from_before]


# --- Getting in ------------------------------------------------------------------------------------------------------


def test_staff_signed_in_on_the_watch_site_get_into_the_admin_site(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert gets_in(client)
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"
    assert AuditEntry.objects.filter(action="admin_sign_in", actor=admin).count() == 1
    assert gets_in(client)
    assert AuditEntry.objects.filter(action="admin_sign_in").count() == 1


def test_a_page_deep_in_the_admin_site_and_the_queue_open_at_once(admin: User, sign_in: SignIn) -> None:
    assert sign_in(admin).get("/admin/users_app/user/").status_code == 200
    assert "/login/" not in sign_in(admin).get("/django-rq/").headers.get("Location", "")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CREATOR])
def test_users_who_are_not_staff_do_not_get_in(role: Role, make_user: Any, sign_in: SignIn) -> None:
    assert not gets_in(sign_in(make_user("somebody", role=role)))
    assert not AdminSession.objects.exists()


def test_signing_in_by_the_admins_form_signs_in_on_the_watch_site(admin: User, sign_in: SignIn) -> None:
    client = by_form(admin, sign_in)
    assert gets_in(client)
    assert is_in(client)
    for name in ("vf_access", "vf_refresh"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
    assert Session.objects.count() == 1


def test_the_cookies_have_the_flags_of_the_settings(admin: User, sign_in: SignIn, settings: Any) -> None:
    settings.JWT_COOKIE_SECURE, settings.JWT_COOKIE_SAMESITE = True, "Strict"
    client = by_form(admin, sign_in)
    assert client.cookies["vf_refresh"]["secure"]
    assert client.cookies["vf_refresh"]["samesite"] == "Strict"


def test_a_bearer_token_opens_no_session_of_the_admin_site(admin: User, client: Client) -> None:
    token = open_session(user=admin).access
    assert client.get(ADMIN_SITE, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 302
    assert not AdminSession.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_an_unsafe_request_begins_no_admin_session(method: str, admin: User, sign_in: SignIn, viewer: User) -> None:
    client = sign_in(admin)
    answer = getattr(client, method)(f"/admin/users_app/user/{viewer.pk}/delete/", {"post": "yes"}, format=None)
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
    assert User.objects.filter(pk=viewer.pk).exists()
    assert not AdminSession.objects.exists()


def test_a_request_of_a_script_begins_no_admin_session(admin: User, sign_in: SignIn) -> None:
    assert sign_in(admin).get(ADMIN_SITE, HTTP_SEC_FETCH_MODE="cors").status_code == 302
    assert sign_in(admin).get(ADMIN_SITE, HTTP_SEC_FETCH_MODE="no-cors").status_code == 302
    assert sign_in(admin).get(ADMIN_SITE, HTTP_SEC_FETCH_MODE="navigate").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"HTTP_SEC_FETCH_MODE": "cors"}])
def test_a_script_whose_form_was_refused_gets_the_sign_in_page(
    headers: dict[str, str], admin: User, sign_in: SignIn
) -> None:
    environ: Any = headers
    answer = sign_in(admin).post("/admin/users_app/user/add/", {"email": "x"}, format=None, follow=True, **environ)
    assert answer.request["PATH_INFO"] == "/admin/login/"
    assert answer.status_code == 200


def test_signed_in_staff_are_redirected_from_the_sign_in_page(admin: User, sign_in: SignIn) -> None:
    assert sign_in(admin).get("/admin/login/", HTTP_SEC_FETCH_MODE="navigate").status_code == 302


def test_the_csrf_check_of_the_admin_site_stays(admin: User, viewer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["vf_access"] = open_session(user=admin).access
    assert gets_in(client)
    assert client.post(f"/admin/users_app/user/{viewer.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post("/admin/logout/").status_code == 403
    assert gets_in(client)


def test_a_planted_session_key_is_not_adopted(admin: User, sign_in: SignIn) -> None:
    planted = Client()
    planted.get("/admin/login/")
    session = planted.session
    session["planted"] = "yes"
    session.save()
    assert session.session_key
    client = sign_in(admin)
    client.cookies["sessionid"] = session.session_key
    assert gets_in(client)
    assert client.cookies["sessionid"].value != session.session_key
    planted.cookies["sessionid"] = session.session_key
    assert not gets_in(planted)


def test_a_refresh_token_gets_in_without_being_used_up(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    del client.cookies["vf_access"]  # as browsers do after five minutes
    assert gets_in(client)
    assert is_in(client)  # with a new access token
    assert post(client, "/users/refresh/").status_code == 200


def test_a_used_refresh_token_neither_gets_in_nor_ends_the_session(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    used = client.cookies["vf_refresh"].value
    post(client, "/users/refresh/")
    Session.objects.update(rotated_at=timezone.now() - timedelta(minutes=1))
    other = Client()
    other.cookies["vf_refresh"] = used
    assert not gets_in(other)
    assert is_in(client)


@pytest.mark.parametrize("broken", ["garbage", "a.b.c", "\u00ff", "x" * 3000])
def test_broken_cookies_lead_to_the_sign_in_page(broken: str, admin: User) -> None:
    client = Client()
    client.cookies["vf_access"] = client.cookies["vf_refresh"] = broken
    assert client.get(ADMIN_SITE).status_code == 302
    assert client.get("/admin/login/").status_code == 200


# --- Getting out -----------------------------------------------------------------------------------------------------


def everywhere(admin: User, other: APIClient) -> None:
    assert other.delete("/users/sessions/").status_code == 200


def everywhere_else(admin: User, other: APIClient) -> None:
    assert other.delete("/users/sessions/?keep_current=1").status_code == 200


def new_password(admin: User, other: APIClient) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert post(other, "/users/password/change/", body).status_code == 200


def password_by_mail(admin: User, other: APIClient) -> None:
    post(other, "/users/forgot-password/", {"email": admin.email})
    body = {**deliver_one().query, "new_password": NEW_PASSWORD}
    assert post(other, "/users/reset-password/", body).status_code == 200


def leaving(admin: User, other: APIClient) -> None:
    assert other.delete("/users/me/", {"password": PASSWORD}, format="json").status_code == 200


def closing(admin: User, other: APIClient) -> None:
    change_by_staff(admin, is_active=None)


def demotion(admin: User, other: APIClient) -> None:
    assign_role(user=User.objects.get(pk=admin.pk), role=Role.CREATOR)


def demotion_by_staff(admin: User, other: APIClient) -> None:
    change_by_staff(admin, role="VIEWER")


def new_password_by_staff(admin: User, other: APIClient) -> None:
    form = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert deputy().post(f"/admin/users_app/user/{admin.pk}/password/", form).status_code == 302


def deputy() -> Client:
    client = Client()
    client.force_login(User.objects.get(email="deputy@example.com"))
    return client


def change_by_staff(admin: User, **fields: Any) -> None:
    form = {"email": admin.email, "name": admin.name, "role": admin.role, "is_active": "on", **fields}
    form = {name: value for name, value in form.items() if value is not None}
    assert deputy().post(f"/admin/users_app/user/{admin.pk}/change/", form).status_code == 302


ENDS = [
    *(everywhere, everywhere_else, new_password, password_by_mail, leaving),
    *(closing, demotion, demotion_by_staff, new_password_by_staff),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("way_in", WAYS_IN)
def test_everything_that_ends_sessions_ends_the_admin_session(
    way_in: Callable[[User, SignIn], APIClient], end: Callable[[User, APIClient], None], admin: User, sign_in: SignIn
) -> None:
    client = way_in(admin, sign_in)
    assert gets_in(client)
    end(admin, sign_in(admin))
    assert not may_upload_as_staff(client)
    assert not gets_in(client)


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_staff_can_upload_by_a_live_admin_session(
    way_in: Callable[[User, SignIn], APIClient], admin: User, sign_in: SignIn
) -> None:
    client = way_in(admin, sign_in)
    assert gets_in(client)
    assert may_upload_as_staff(client)


@pytest.mark.parametrize("way_in", [by_watch_site, by_form])
def test_ending_the_session_of_a_device_ends_both(
    way_in: Callable[[User, SignIn], APIClient], admin: User, sign_in: SignIn
) -> None:
    client = way_in(admin, sign_in)
    assert gets_in(client)
    device = Session.objects.get()
    assert sign_in(admin).delete(f"/users/sessions/{device.pk}/").status_code == 204
    assert not gets_in(client)
    assert not is_in(client)


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_signing_out_of_the_watch_site_signs_out_of_the_admin_site(
    way_in: Callable[[User, SignIn], APIClient], admin: User, sign_in: SignIn
) -> None:
    client = way_in(admin, sign_in)
    assert gets_in(client)
    assert post(client, "/users/logout/").status_code == 200
    assert not gets_in(client)


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_signing_out_of_the_admin_site_signs_out_of_the_watch_site(
    way_in: Callable[[User, SignIn], APIClient], admin: User, sign_in: SignIn
) -> None:
    client = way_in(admin, sign_in)
    assert gets_in(client)
    tokens = {name: client.cookies[name].value for name in ("vf_access", "vf_refresh") if name in client.cookies}
    client.post("/admin/logout/")
    assert not is_in(client)
    client.cookies.load(tokens)  # a client that has kept its cookies
    assert not is_in(client)
    assert not gets_in(client)


def test_a_get_of_the_sign_out_page_ends_nothing(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert client.get("/admin/logout/").status_code == 405
    assert is_in(client)


def test_the_device_that_stays_signed_in_stays_in_the_admin_site(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert gets_in(client)
    assert client.delete("/users/sessions/?keep_current=1").status_code == 200
    assert gets_in(client)


def test_another_user_of_the_same_browser_does_not_get_into_the_admin_site(
    admin: User, viewer: User, sign_in: SignIn
) -> None:
    client = by_form(admin, sign_in)
    assert post(client, "/users/login/", {"email": viewer.email, "password": PASSWORD}).status_code == 200
    assert not gets_in(client)
    assert not AdminSession.objects.exists()


# --- Staying ---------------------------------------------------------------------------------------------------------


def test_work_in_the_admin_site_prolongs_both_sessions(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert gets_in(client)
    Session.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    del client.cookies["vf_access"]
    assert gets_in(client)
    assert Session.objects.get().expires_at > timezone.now() + timedelta(minutes=55)
    assert is_in(client)


def test_an_expired_session_is_over_on_both_sites(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert gets_in(client)
    Session.objects.update(expires_at=timezone.now())
    assert not gets_in(client)
    assert not is_in(client)


def test_changing_ones_password_in_the_admin_site_ends_all_other_sessions(admin: User, sign_in: SignIn) -> None:
    client, other = by_form(admin, sign_in), by_watch_site(admin, sign_in)
    assert gets_in(other)
    form = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/admin/password_change/", {**form, "old_password": "wrong"}, format=None).status_code == 200
    assert gets_in(other)
    assert client.post("/admin/password_change/", form, format=None).status_code == 302
    assert (gets_in(client), is_in(client)) == (True, True)
    assert (gets_in(other), is_in(other)) == (False, False)
    assert Mail.objects.filter(kind=MailKind.PASSWORD_CHANGED, to=admin.email).count() == 1
