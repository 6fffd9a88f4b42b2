"""What admins see of users, and the roles that they give them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from users_app.models import User
from users_app.roles import Role
from users_app.tests.conftest import SignIn


def give(client: APIClient, user: User, role: Any) -> Any:
    return client.patch(f"/api/v1/users/{user.pk}/role/", {"role_name": role}, format="json")


def test_admins_list_all_users_by_a_constant_number_of_queries(
    admin: User, make_user: Any, sign_in: SignIn, django_assert_num_queries: Any
) -> None:
    client = sign_in(admin)
    for number in range(30):
        make_user(f"person{number}")
    with django_assert_num_queries(2):
        page = client.get("/api/v1/users/").json()
    assert len(page["results"]) == 24
    assert page["results"][0]["email"] == "person29@example.com"
    assert len(client.get(page["next"]).json()["results"]) == 7


@pytest.mark.parametrize("role", ["ADMIN", "CREATOR", "VIEWER"])
def test_a_role_that_an_admin_gives_counts_at_once(role: str, admin: User, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    response = give(sign_in(admin), viewer, role)
    assert (response.status_code, response.json()["role"]) == (200, role)
    assert client.get("/api/v1/auth/me/").json()["role"] == role
    upload = client.post("/api/v1/videos/", {"title": "Film"}, format="json")
    assert upload.status_code == (403 if role == "VIEWER" else 201)


def test_a_role_that_cannot_be_encoded_is_refused(admin: User, viewer: User, sign_in: SignIn) -> None:
    body = '{"role_name": "\\ud800"}'
    route = f"/api/v1/users/{viewer.pk}/role/"
    assert sign_in(admin).generic("PATCH", route, body, content_type="application/json").status_code == 400


def test_the_last_admin_cannot_be_demoted(admin: User, make_user: Any, sign_in: SignIn) -> None:
    client = sign_in(admin)
    response = give(client, admin, "VIEWER")
    assert (response.status_code, response.json()["code"]) == (409, "last_admin")
    make_user("second", role=Role.ADMIN)
    assert give(client, admin, "VIEWER").status_code == 200
    assert client.get("/api/v1/users/").status_code == 403


@pytest.mark.parametrize("role", ["", "admin", "ROOT", None, 1, ["ADMIN"]])
def test_an_unknown_role_is_refused(role: Any, admin: User, viewer: User, sign_in: SignIn) -> None:
    response = give(sign_in(admin), viewer, role)
    assert (response.status_code, set(response.json())) == (400, {"role_name", "code"})


@pytest.mark.parametrize("name", ["viewer", "creator"])
def test_only_admins_see_users_and_give_roles(name: str, make_user: Any, sign_in: SignIn) -> None:
    person = make_user("asker", role=Role[name.upper()])
    client = sign_in(person)
    assert client.get("/api/v1/users/").status_code == 403
    assert give(client, person, "ADMIN").status_code == 403


def test_an_unknown_user_is_a_404(admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    for user_id in ("0", "999999999999999999", "abc"):
        body = {"role_name": "VIEWER"}
        assert client.patch(f"/api/v1/users/{user_id}/role/", body, format="json").status_code == 404
