"""Users of a user pool, through the real server: the same routes and cookies as with accounts of the site."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import Client
from tests.cognito import Pool, make_pool, running_cognito
from tests.services import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, web_alone

EMAIL, PASSWORD = "ida@example.com", "A-long-Password-1"


@pytest.fixture
def pool() -> Iterator[Pool]:
    with running_cognito() as cognito:
        yield make_pool(cognito)


@pytest.fixture
def site(tmp_path: Path, prepared_database: Path, pool: Pool) -> Iterator[Platform]:
    with web_alone(tmp_path, prepared_database, **pool.environment) as platform:
        yield platform


def test_a_user_of_the_pool_registers_signs_in_refreshes_and_signs_out(site: Platform, pool: Pool) -> None:
    client = Client(site.origin)
    person = {"email": EMAIL.upper(), "password": PASSWORD, "name": "Ida"}
    assert client.post_json("/api/v1/auth/register/", person).status == 201
    assert client.post_json("/api/v1/auth/verify-email/", {"email": EMAIL, "otp": "123456"}).status == 200
    pool.verify(EMAIL)

    signed_in = client.post_json("/users/login/", {"email": EMAIL, "password": PASSWORD})
    assert (signed_in.status, signed_in.json()["email"], signed_in.json()["role"]) == (200, EMAIL, "VIEWER")
    first_access = client.cookies["vf_access"]
    asked = len(pool.cognito.asked)
    assert [client.get(path).status for path in ("/api/v1/auth/me/", "/content/", "/users/me/")] == [200] * 3
    # Each process of the web server fetches the key set once.
    assert {name for name, _ in pool.cognito.asked[asked:]} <= {"keys"}

    assert client.post_json("/users/refresh/", {}).status == 200
    assert client.cookies["vf_access"] != first_access
    assert client.post_json("/users/logout/", {}).status == 200
    stolen = Client(site.origin).get("/api/v1/auth/me/", {"Authorization": f"Bearer {first_access}"})
    assert stolen.status == 401


def test_refusals_of_the_pool_and_routes_that_it_manages_have_their_codes(site: Platform, pool: Pool) -> None:
    client = Client(site.origin)
    wrong = client.post_json("/users/login/", {"email": EMAIL, "password": "wrong"})
    assert (wrong.status, wrong.json()["code"]) == (400, "invalid_credentials")
    kept_there = client.post_json("/users/forgot-password/", {"email": EMAIL})
    assert (kept_there.status, kept_there.json()["code"]) == (409, "managed_elsewhere")
    # The first admin has a password of this site, for the admin site only, and is not in the pool.
    assert client.post_json("/users/login/", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).status == 400
    with pool.cognito.silent():
        away = client.post_json("/users/login/", {"email": EMAIL, "password": PASSWORD})
    assert (away.status, away.json()["code"]) == (503, "identity_provider_unavailable")
    assert away.headers["retry-after"]
    assert Client(site.origin).get("/health/").status == 200
