"""Clients that sign in by the routes of the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import User

SignIn = Callable[..., APIClient]


@pytest.fixture
def browser() -> APIClient:
    """A browser on a page of this site: it keeps cookies and sends Origin."""
    return APIClient(HTTP_ORIGIN="http://testserver")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that are hashed from now on."""
    passwords: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        passwords.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return passwords


def post(client: APIClient, route: str, body: Any = None) -> Any:
    return client.post(route, {} if body is None else body, format="json")


def is_in(client: APIClient) -> bool:
    return bool(client.get("/api/v1/auth/me/").status_code == 200)


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(user: User, *, remember: bool = False) -> APIClient:
        client = APIClient(HTTP_ORIGIN="http://testserver")
        body = {"email": user.email, "password": PASSWORD, "remember": remember}
        assert client.post("/users/login/", body, format="json").status_code == 200
        return client

    return sign_in
