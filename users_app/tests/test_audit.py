"""The audit trail: who did what and how it was answered, without secrets."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.audit import trail
from users_app.models import AuditEntry, User
from users_app.services.accounts import ensure_roles
from users_app.tests.conftest import SignIn, post
from users_app.tests.mailbox import deliver_one

AUDIT = "/api/v1/audit/"

pytestmark = pytest.mark.django_db


def entries(**lookups: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**lookups).order_by("pk"))


def latest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


@pytest.mark.parametrize("route", ["/users/login/", "/users/login", "/api/v1/auth/login/", "/api/v1/auth/token/"])
def test_a_sign_in_is_recorded_with_user_address_and_status(route: str, viewer: User) -> None:
    client = APIClient(HTTP_ORIGIN="http://testserver", REMOTE_ADDR="203.0.113.7", HTTP_X_REQUEST_ID="of-the-test")
    assert post(client, route, {"email": viewer.email, "password": PASSWORD}).status_code == 200
    (entry,) = entries()
    assert (entry.action, entry.actor, entry.status, entry.address) == ("sign_in", viewer, 200, "203.0.113.7")
    assert (entry.method, entry.route.rstrip("/"), entry.request_id) == ("POST", route.strip("/"), "of-the-test")


def test_a_failed_sign_in_is_recorded_with_the_account_but_nothing_that_was_typed(
    browser: APIClient, viewer: User
) -> None:
    post(browser, "/users/login/", {"email": viewer.email, "password": "not-my-password"})
    post(browser, "/users/login/", {"email": "my-password-by-mistake@example.com", "password": PASSWORD})
    known, unknown = entries()
    assert (known.action, known.status, known.actor, known.target) == ("sign_in", 400, None, f"user:{viewer.pk}")
    assert (unknown.action, unknown.status, unknown.target) == ("sign_in", 400, "")
    assert "password" not in str([vars(entry) for entry in entries()])


def test_every_step_in_the_life_of_an_account_is_recorded(browser: APIClient, admin: User, sign_in: SignIn) -> None:
    form = {"email": "new@example.com", "password": PASSWORD, "confirm_password": PASSWORD}
    post(browser, "/users/register/", form)
    browser.get(deliver_one().path)
    user = User.objects.get(email="new@example.com")
    client = sign_in(user)
    client.patch("/users/profile/", {"name": "New"}, format="json")
    client.get("/users/export/")
    post(client, "/users/password/change/", {"current_password": "wrong", "new_password": PASSWORD})
    post(client, "/users/logout/")
    sign_in(admin).patch(f"/api/v1/users/{user.pk}/role/", {"role_name": "CREATOR"}, format="json")
    assert [(entry.action, entry.actor_id, entry.status) for entry in entries()] == [
        ("registered", None, 201),
        ("confirmed", user.pk, 302),
        ("sign_in", user.pk, 200),
        ("profile_changed", user.pk, 200),
        ("data_exported", user.pk, 200),
        ("password_changed", user.pk, 400),
        ("sign_out", user.pk, 200),
        ("sign_in", admin.pk, 200),
        ("role_changed", admin.pk, 200),
    ]
    assert (latest().target, latest().detail) == (f"user:{user.pk}", {"role": "CREATOR"})


def test_a_refused_action_is_recorded_too(viewer: User, admin: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    assert client.patch(f"/api/v1/users/{admin.pk}/role/", {"role_name": "VIEWER"}, format="json").status_code == 403
    assert (latest().action, latest().status, latest().actor, latest().target) == (
        "role_changed",
        403,
        viewer,
        f"user:{admin.pk}",
    )


def test_the_trail_holds_no_link_token_or_password(browser: APIClient, viewer: User, sign_in: SignIn) -> None:
    post(browser, "/users/forgot-password/", {"email": viewer.email})
    query = deliver_one().query
    post(browser, "/users/reset-password/", {**query, "new_password": "another one for this"})
    browser.get("/users/confirm/", query)
    written = str([vars(entry) for entry in entries()])
    assert "password_reset" in written
    for secret in (query["token"], "another one for this", PASSWORD):
        assert secret not in written


def test_a_read_writes_no_entry_and_a_change_writes_one(
    viewer: User, sign_in: SignIn, django_assert_num_queries: Any
) -> None:
    client = sign_in(viewer)
    with django_assert_num_queries(1):
        client.get("/api/v1/auth/me/")
    with django_assert_num_queries(2):
        post(client, "/users/refresh/")
    with django_assert_num_queries(4):  # the session, the profile, the favourites and one entry
        client.patch("/users/profile/", {"name": "V"}, format="json")


def test_a_request_succeeds_when_the_trail_cannot_be_written(
    browser: APIClient, viewer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr("users_app.models.AuditEntry.objects.bulk_create", fail)
    assert post(browser, "/users/login/", {"email": viewer.email, "password": PASSWORD}).status_code == 200
    assert "not in the audit trail: sign_in" in caplog.text


def test_changes_in_the_admin_site_are_recorded_with_field_names_only(
    client: Client, admin: User, viewer: User
) -> None:
    ensure_roles()
    client.force_login(admin)
    form = {"email": viewer.email, "name": "A secret name", "role": "CREATOR", "is_active": "on"}
    assert client.post(f"/admin/users_app/user/{viewer.pk}/change/", form).status_code == 302
    (entry,) = entries(action="admin_changed")
    assert (entry.actor, entry.target, entry.status) == (admin, f"user:{viewer.pk}", 302)
    assert set(entry.detail["fields"]) == {"Name", "Role"}
    assert "A secret name" not in str(vars(entry))


def test_the_trail_is_read_only_in_the_admin_site(
    client: Client, admin: User, browser: APIClient, viewer: User
) -> None:
    post(browser, "/users/login/", {"email": viewer.email, "password": "wrong"})
    ensure_roles()
    client.force_login(admin)
    page = "/admin/users_app/auditentry/"
    assert "sign_in" in client.get(page, {"action": "sign_in", "q": "user:"}).content.decode()
    entry = latest()
    assert client.get(f"{page}{entry.pk}/change/").status_code == 200
    assert client.post(f"{page}{entry.pk}/change/", {"action": "nothing"}).status_code == 403
    assert client.post(f"{page}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{page}add/").status_code == 403
    entry.refresh_from_db()
    assert entry.action == "sign_in"


# --- The list --------------------------------------------------------------------------------------------------------


@pytest.fixture
def written(viewer: User) -> list[AuditEntry]:
    now = timezone.now()
    rows = [
        AuditEntry(action="sign_in", actor=viewer, status=200, address="203.0.113.7", at=now - timedelta(hours=3)),
        AuditEntry(action="sign_in", status=400, target=f"user:{viewer.pk}", at=now - timedelta(hours=2)),
        AuditEntry(action="video_deleted", target="video:7", status=204, request_id="abc", at=now - timedelta(hours=1)),
    ]
    return AuditEntry.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 1, 0]),
        ({"action": "sign_in"}, [1, 0]),
        ({"status": "400"}, [1]),
        ({"target": "video:7"}, [2]),
        ({"request_id": "abc"}, [2]),
        ({"address": "203.0.113.7"}, [0]),
        ({"actor": "viewer"}, [0]),
        ({"since": "-2.5"}, [2, 1]),
        ({"until": "-2.5"}, [0]),
        ({"since": "-2.5", "until": "-1.5"}, [1]),
        ({"action": "nothing"}, []),
    ],
)
def test_the_list_is_filtered_by_each_field(
    query: dict[str, str], found: list[int], written: list[AuditEntry], viewer: User, admin: User, as_user: Any
) -> None:
    if "actor" in query:
        query = {"actor": str(viewer.pk)}
    for name in {"since", "until"} & query.keys():
        query = {**query, name: (timezone.now() + timedelta(hours=float(query[name]))).isoformat()}
    results = as_user(admin).get(AUDIT, query).json()["results"]
    assert [entry["id"] for entry in results] == [written[index].pk for index in found]


def test_an_entry_is_listed_with_its_actor(written: list[AuditEntry], viewer: User, admin: User, as_user: Any) -> None:
    oldest = as_user(admin).get(AUDIT).json()["results"][-1]
    assert oldest["actor"] == {"id": viewer.pk, "email": viewer.email}
    assert set(oldest) == {
        *("id", "at", "action", "actor", "target", "method", "route", "status", "address", "request_id", "detail"),
    }


def test_the_list_has_pages_and_takes_one_query(
    admin: User, make_user: Any, as_user: Any, django_assert_num_queries: Any
) -> None:
    people = [make_user(f"person{number}") for number in range(5)]
    AuditEntry.objects.bulk_create(AuditEntry(action="sign_in", actor=people[n % 5]) for n in range(30))
    client = as_user(admin)
    with django_assert_num_queries(1):
        page = client.get(AUDIT).json()
    assert len(page["results"]) == 24
    assert len(client.get(page["next"]).json()["results"]) == 6


@pytest.mark.parametrize(
    "query",
    [
        {"status": "abc"},
        {"actor": "0"},
        {"actor": "9" * 30},
        {"since": "yesterday"},
        {"address": "nowhere"},
        {"action": "x" * 50},
        {"target": "\0"},
    ],
)
def test_a_bad_filter_is_the_clients_mistake(query: dict[str, str], admin: User, as_user: Any) -> None:
    assert as_user(admin).get(AUDIT, query).status_code == 400


def test_the_list_is_for_admins(viewer: User, creator: User, as_user: Any) -> None:
    assert APIClient().get(AUDIT).status_code == 401
    assert [as_user(person).get(AUDIT).status_code for person in (viewer, creator)] == [403, 403]


def test_entries_are_kept_for_audit_days(settings: Any) -> None:
    settings.AUDIT_DAYS = 10
    now = timezone.now()
    for days in (9, 11, 12):
        AuditEntry.objects.create(action="sign_in", at=now - timedelta(days=days))
    assert trail.drop_old() == 2
    assert AuditEntry.objects.count() == 1


def test_a_deleted_user_is_listed_without_name_and_address(
    viewer: User, admin: User, sign_in: SignIn, as_user: Any
) -> None:
    sign_in(viewer).delete("/users/me/", {"password": PASSWORD}, format="json")
    entry = as_user(admin).get(AUDIT, {"action": "account_deleted"}).json()["results"][0]
    assert entry["actor"]["id"] == viewer.pk
    assert entry["actor"]["email"].startswith(f"{viewer.pk}-")
    assert entry["actor"]["email"].endswith("@erased.invalid")


def test_sign_ins_to_the_admin_site_are_recorded(admin: User, client: Any) -> None:
    form = {"username": admin.email, "password": PASSWORD, "next": "/admin/"}
    client.post("/admin/login/", {**form, "password": "wrong"})
    client.post("/admin/login/", {**form, "username": "my password by mistake"})
    assert client.post("/admin/login/", form).status_code == 302
    found = list(AuditEntry.objects.order_by("pk").values_list("action", "actor", "target"))
    assert found == [
        ("admin_sign_in_failed", None, f"user:{admin.pk}"),
        ("admin_sign_in_failed", None, ""),
        ("admin_sign_in", admin.pk, ""),
    ]
