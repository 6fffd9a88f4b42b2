from typing import Any

import pytest
from django.test import Client

from conftest import PASSWORD
from users_app.models import AuditEntry, Session, User
from users_app.roles import Role
from users_app.services.accounts import ensure_roles
from users_app.services.sessions import open_session

PEOPLE = "/admin/users_app/user/"


@pytest.fixture
def office(client: Client, admin: User) -> Client:
    """A client that is signed in to the admin site as an admin."""
    ensure_roles()
    client.force_login(admin)
    return client


def change(office: Client, user: User, **fields: Any) -> Any:
    form = {"email": user.email, "name": user.name, "role": user.role, "is_active": "on", **fields}
    return office.post(f"{PEOPLE}{user.pk}/change/", {name: value for name, value in form.items() if value is not None})


def test_users_are_listed_searched_and_filtered(office: Client, viewer: User) -> None:
    page = office.get(PEOPLE, {"q": "viewer", "role": "VIEWER", "is_active": "1"})
    assert page.status_code == 200
    assert viewer.email in page.content.decode()


def test_a_user_is_added_with_a_password_and_a_role(office: Client) -> None:
    form = {"email": "New@Example.com", "name": "New", "role": "CREATOR", "usable_password": "true"}
    response = office.post(f"{PEOPLE}add/", {**form, "password1": PASSWORD, "password2": PASSWORD})
    assert response.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert user.check_password(PASSWORD)
    assert [group.name for group in user.groups.all()] == ["CREATOR"]


def test_it_refuses_an_address_that_differs_by_case_only(office: Client, viewer: User) -> None:
    form = {"email": "VIEWER@example.com", "role": "VIEWER", "usable_password": "false"}
    assert office.post(f"{PEOPLE}add/", form).status_code == 200
    assert User.objects.filter(email__iexact=viewer.email).count() == 1


def test_changing_a_role_sets_staff_access_and_group(office: Client, viewer: User) -> None:
    assert change(office, viewer, role="ADMIN").status_code == 302
    viewer.refresh_from_db()
    assert (viewer.role, viewer.is_staff) == (Role.ADMIN, True)
    assert [group.name for group in viewer.groups.all()] == ["ADMIN"]


@pytest.mark.parametrize("fields", [{"role": "VIEWER"}, {"is_active": None}])
def test_the_last_admin_can_be_neither_demoted_nor_deactivated(
    fields: dict[str, Any], office: Client, admin: User
) -> None:
    response = change(office, admin, **fields)
    assert "last active admin" in response.content.decode()
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


@pytest.mark.parametrize("fields", [{"role": "VIEWER"}, {"is_active": None}])
def test_of_two_admins_who_deactivate_each_other_one_remains(
    fields: dict[str, Any], office: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the form passes, as if there were another admin at that moment; the service then refuses."""
    monkeypatch.setattr("users_app.admin.is_last_admin", lambda user: False)
    assert change(office, admin, **fields).status_code == 403
    assert office.post(f"{PEOPLE}{admin.pk}/delete/", {"post": "yes"}).status_code == 403
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


def test_the_last_admin_cannot_be_deleted_but_others_can(office: Client, admin: User, viewer: User) -> None:
    assert office.post(f"{PEOPLE}{admin.pk}/delete/", {"post": "yes"}).status_code == 403
    assert office.post(f"{PEOPLE}{viewer.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(User.objects.all()) == [admin]


def test_deactivating_a_user_ends_their_sessions(office: Client, viewer: User) -> None:
    open_session(user=viewer)
    change(office, viewer, is_active=None)
    assert Session.objects.get().revoked_at is not None


def test_an_admin_can_set_a_password(office: Client, viewer: User) -> None:
    form = {"usable_password": "true", "password1": "another horse 1", "password2": "another horse 1"}
    response = office.post(f"{PEOPLE}{viewer.pk}/password/", form)
    assert response.status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("another horse 1")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CREATOR])
def test_the_admin_site_is_for_admins(role: Role, client: Client, make_user: Any) -> None:
    client.force_login(make_user("somebody", role=role))
    assert client.get(PEOPLE).status_code == 302


def test_a_user_whom_staff_activate_need_not_confirm(office: Client, make_user: Any) -> None:
    waiting = make_user("waiting", is_active=False, awaits_confirmation=True)
    assert change(office, waiting, is_active=None, awaits_confirmation="on", name="Still").status_code == 302
    assert User.objects.get(pk=waiting.pk).awaits_confirmation
    assert change(office, waiting, awaits_confirmation="on").status_code == 302
    waiting.refresh_from_db()
    assert (waiting.is_active, waiting.awaits_confirmation) == (True, False)


@pytest.mark.parametrize("name", ["Admin", ""])
def test_the_signed_in_users_address_is_in_the_menu_once(name: str, office: Client, admin: User) -> None:
    User.objects.update(name=name)
    assert office.get("/admin/").content.decode().count(admin.email) == 1


def test_a_postal_and_a_network_address_are_not_both_called_address(office: Client, viewer: User) -> None:
    assert "Postal address" in office.get(f"{PEOPLE}{viewer.pk}/change/").content.decode()
    AuditEntry.objects.create(action="sign_in")
    assert "network address" in office.get("/admin/users_app/auditentry/").content.decode().lower()
