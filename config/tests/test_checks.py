from typing import Any

import pytest

from config.checks import DEVELOPMENT_SECRET, unsafe_start

GOOD: dict[str, Any] = {
    "debug": False,
    "secret_key": "kX9-a-long-and-random-value-0123456789",
    "allowed_hosts": ["videos.example.com"],
    "is_https": True,
    "cookies_secure": {"JWT_COOKIE_SECURE": True, "SESSION_COOKIE_SECURE": True},
}


def problems(**changes: Any) -> list[str]:
    return unsafe_start(**{**GOOD, **changes})


def test_a_sound_site_starts() -> None:
    assert problems() == []
    assert problems(is_https=False, cookies_secure={"JWT_COOKIE_SECURE": False}) == []


@pytest.mark.parametrize("secret", ["", "change-me", "secret", DEVELOPMENT_SECRET, "x" * 31, "x" * 64, "abababab" * 8])
def test_a_secret_that_can_be_guessed_stops_the_start(secret: str) -> None:
    (problem,) = problems(secret_key=secret)
    assert problem.startswith("SECRET_KEY is")
    assert "set it to a long random value" in problem


@pytest.mark.parametrize("hosts", [["*"], ["videos.example.com", "*"]])
def test_a_wildcard_host_stops_the_start(hosts: list[str]) -> None:
    (problem,) = problems(allowed_hosts=hosts)
    assert problem.startswith("ALLOWED_HOSTS is '*'")


@pytest.mark.parametrize(("is_https", "scheme"), [(True, "https"), (False, "http")])
def test_cookies_must_fit_the_scheme(is_https: bool, scheme: str) -> None:
    (problem,) = problems(is_https=is_https, cookies_secure={"JWT_COOKIE_SECURE": not is_https})
    assert problem.startswith(f"JWT_COOKIE_SECURE is {int(not is_https)} but BACKEND_ORIGIN is {scheme}: ")
    assert problem.endswith(f"set JWT_COOKIE_SECURE={int(is_https)}.")


def test_all_problems_are_told_at_once() -> None:
    found = problems(secret_key="", allowed_hosts=["*"], cookies_secure={"A": False, "B": False})
    assert len(found) == 4


def test_with_debug_nothing_stops_the_start() -> None:
    assert problems(debug=True, secret_key="", allowed_hosts=["*"], cookies_secure={"A": False}) == []
