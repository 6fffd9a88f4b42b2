"""Browsers and programs that are really signed in."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app.models import User

SignIn = Callable[..., APIClient]


@pytest.fixture
def browser() -> APIClient:
    """A browser on one of our own pages: it keeps cookies and says where its requests come from."""
    return APIClient(HTTP_ORIGIN="http://testserver")


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(user: User, *, remember: bool = False) -> APIClient:
        client = APIClient(HTTP_ORIGIN="http://testserver")
        body = {"email": user.email, "password": PASSWORD, "remember": remember}
        assert client.post("/users/login/", body, format="json").status_code == 200
        return client

    return sign_in
