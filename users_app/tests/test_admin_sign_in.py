"""The sign-in form of the admin site: what counts as a wrong password, and what resets the count."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import PASSWORD
from users_app.limits.lockout import PAIR
from users_app.models import AuditEntry, User

SIGN_IN = "/admin/login/"
ADMIN = "admin@example.com"
HUGE = "x" * 200_000
WAIT = "Too many wrong passwords"


def send(client: Client, username: Any = ADMIN, password: Any = PASSWORD) -> str:
    """Return the page of the answer, or "" after a successful sign-in."""
    fields = {"username": username, "password": password, "next": "/admin/"}
    answer = client.post(SIGN_IN, {name: value for name, value in fields.items() if value is not None})
    assert answer.status_code in {200, 302}
    return "" if answer.status_code == 302 else answer.content.decode()


# Forms without a password for an account, so that there is nothing to check.
NO_GUESS = {
    "an empty password": {"password": ""},
    "no password": {"password": None},
    "a password with a null byte": {"password": f"{PASSWORD}\0"},
    "a password longer than any": {"password": HUGE},
    "a file for a password": {"password": SimpleUploadedFile("password", PASSWORD.encode())},
    "an empty address": {"username": ""},
    "an address of blanks": {"username": "   "},
    "no address": {"username": None},
    "an address with a null byte": {"username": f"{ADMIN}\0"},
    "an address longer than any": {"username": f"{HUGE}@example.com"},
    "neither": {"username": None, "password": None},
}
# Forms with one.
GUESSES = {
    "a wrong password": {"password": "wrong"},
    "a password of blanks": {"password": "   "},
    "bytes that are no text": {"password": b"\xff\xfe\x80"},
    "half a surrogate pair": {"password": "\\ud800"},
    "the right password between blanks": {"password": f" {PASSWORD} "},
}


@pytest.mark.parametrize("fields", NO_GUESS.values(), ids=NO_GUESS)
def test_a_form_without_a_password_neither_counts_nor_resets_the_count(
    fields: dict[str, Any], admin: User, client: Client, hashed: list[str]
) -> None:
    for _ in range(PAIR.free - 1):
        assert WAIT not in send(client, password="wrong")
    before = len(hashed)
    for _ in range(PAIR.free):
        assert WAIT not in send(client, **fields)
    assert len(hashed) == before
    assert WAIT not in send(client, password="wrong")  # the last free one, because the forms were not counted
    assert WAIT in send(client)  # and because they did not reset the count


@pytest.mark.parametrize("fields", GUESSES.values(), ids=GUESSES)
def test_each_guess_counts(fields: dict[str, Any], admin: User, client: Client) -> None:
    for _ in range(PAIR.free):
        assert WAIT not in send(client, **fields)
    assert WAIT in send(client)


def test_a_right_password_resets_the_count(admin: User, client: Client) -> None:
    for _ in range(2):
        for _ in range(PAIR.free - 1):
            assert WAIT not in send(client, password="wrong")
        assert send(client) == ""
        client.logout()


def test_the_password_of_a_user_who_is_not_staff_does_not_reset_the_count(viewer: User, client: Client) -> None:
    for _ in range(PAIR.free):
        assert WAIT not in send(client, username=viewer.email)
    assert WAIT in send(client, username=viewer.email)


@pytest.mark.parametrize("body", [b"", b"{}", b"username", b"%00=%00", b"username=%ff%fe&password=%ff"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png"])
def test_any_malformed_body_gets_the_form_again(body: bytes, kind: str, admin: User, client: Client) -> None:
    assert client.post(SIGN_IN, body, content_type=kind).status_code == 200


def test_the_audit_trail_has_guesses_but_no_empty_forms(admin: User, client: Client) -> None:
    send(client, password="")
    send(client, password="wrong")
    assert [entry.action for entry in AuditEntry.objects.all()] == ["admin_sign_in_failed"]
