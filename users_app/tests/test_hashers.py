"""Password hashing, and what happens when many people sign in at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher
from django.contrib.auth.hashers import identify_hasher, make_password
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from rest_framework.test import APIClient

from conftest import PASSWORD
from users_app import hashers
from users_app.hashers import Busy, HashingTurns
from users_app.models import User

OTHERS = "argon2$argon2id$v=19$m=102400,t=2,p=8$"


@pytest.fixture
def argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["users_app.hashers.Argon2"]


@pytest.mark.usefixtures("argon2")
def test_passwords_are_hashed_with_the_parameters_of_this_site(viewer: User) -> None:
    encoded = make_password(PASSWORD)
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert not identify_hasher(encoded).must_update(encoded)
    assert identify_hasher(OTHERS).must_update(f"{OTHERS}c2FsdHNhbHQ$aGFzaGhhc2g")


@pytest.mark.usefixtures("argon2")
def test_a_hash_with_other_parameters_is_renewed_at_the_next_sign_in(browser: APIClient, viewer: User) -> None:
    viewer.password = "argon2" + PasswordHasher(time_cost=1, memory_cost=1024, parallelism=2).hash(PASSWORD)
    viewer.save()
    assert (
        browser.post("/users/login/", {"email": viewer.email, "password": PASSWORD}, format="json").status_code == 200
    )
    viewer.refresh_from_db()
    assert "$m=19456,t=2,p=1$" in viewer.password
    assert browser.get("/api/v1/auth/me/").status_code == 200, "the new hash must not end the session"


def test_it_refuses_a_hash_when_the_queue_is_full() -> None:
    turns, is_open = HashingTurns(max_running=1, max_waiting=2), threading.Event()

    def hash_slowly() -> str:
        try:
            with turns.one():
                is_open.wait(30)
                return "done"
        except Busy:
            is_open.set()  # the waiting threads go on only now
            return "busy"

    with ThreadPoolExecutor(4) as pool:
        outcomes = [future.result() for future in [pool.submit(hash_slowly) for _ in range(4)]]
    assert sorted(outcomes) == ["busy", "done", "done", "done"]
    with turns.one():
        pass


@pytest.mark.usefixtures("argon2")
@pytest.mark.parametrize("path", ["/users/login/", "/admin/login/"])
def test_a_sign_in_with_a_full_queue_is_a_503_with_retry_after(
    path: str, viewer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = HashingTurns(max_running=1, max_waiting=0)
    monkeypatch.setattr(hashers, "TURNS", full)
    client.raise_request_exception = False
    form = {"email": viewer.email, "username": viewer.email, "password": PASSWORD}
    content_type = "application/json" if path.startswith("/users") else MULTIPART_CONTENT
    with full.one():
        answer = client.post(path, form, content_type=content_type, HTTP_ORIGIN="http://testserver")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "Please try again" in answer.content.decode()
