from typing import Any

import pytest

from config.checks import DEVELOPMENT_SECRET, event_problems, mail_problems, s3_problems, unsafe_start
from media_pipeline.storage.buckets import Buckets, S3Connection

GOOD: dict[str, Any] = {
    "debug": False,
    "secret_key": "kX9-a-long-and-random-value-0123456789",
    "fallbacks": [],
    "allowed_hosts": ["videos.example.com"],
    "is_https": True,
    "cookies_secure": {"JWT_COOKIE_SECURE": True, "SESSION_COOKIE_SECURE": True},
    "samesite": "Lax",
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


def test_a_former_secret_that_can_be_guessed_stops_the_start() -> None:
    (problem,) = problems(fallbacks=["good enough, once: 8f3a1c9d7e5b", "change-me"])
    assert problem.startswith("SECRET_KEY_FALLBACKS has a value that can be guessed")


@pytest.mark.parametrize("hosts", [["*"], ["videos.example.com", "*"]])
def test_a_wildcard_host_stops_the_start(hosts: list[str]) -> None:
    (problem,) = problems(allowed_hosts=hosts)
    assert problem.startswith("ALLOWED_HOSTS is '*'")


def test_cookies_for_other_sites_need_https() -> None:
    assert problems(samesite="None") == []
    (problem,) = problems(samesite="None", is_https=False, cookies_secure={})
    assert problem.startswith("JWT_COOKIE_SAMESITE is None")


PAGES = {"FRONTEND_URL": "http://localhost:4200/login", "RESET_PASSWORD_URL": ""}


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        ({}, ""),
        ({"host": "", "user": ""}, ""),
        ({"is_starttls": False, "is_tls": True}, ""),
        ({"is_tls": True}, "EMAIL_PORT is 465"),
        ({"host": ""}, "EMAIL_HOST_USER is set"),
        ({"pages": {"FRONTEND_URL": "/login"}}, "FRONTEND_URL is '/login'"),
        ({"pages": {"RESET_PASSWORD_URL": "http://[x"}}, "RESET_PASSWORD_URL is"),
        ({"pages": {"FRONTEND_CONFIRM_URL": "javascript:alert(1)"}}, "FRONTEND_CONFIRM_URL is"),
    ],
)
def test_settings_of_mails_must_fit_each_other(changes: dict[str, Any], beginning: str) -> None:
    good = {"host": "smtp.example.com", "user": "videoflix", "is_starttls": True, "is_tls": False, "pages": PAGES}
    found = mail_problems(**{**good, **changes})
    assert [problem.startswith(beginning) for problem in found] == ([True] if beginning else [])


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


def on_s3(**changes: Any) -> list[str]:
    given: dict[str, Any] = {"buckets": Buckets("films", "films", "films"), "region": "eu-central-1"}
    return s3_problems(S3Connection(**{**given, **changes}))


def test_a_role_or_both_keys_will_do_and_so_will_another_vendor() -> None:
    assert on_s3() == []
    assert on_s3(access_key_id="a", secret_access_key="b", session_token="c") == []
    assert on_s3(endpoint_url="http://s3:9000", public_endpoint_url="http://localhost:9000") == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"buckets": Buckets("", "", "")}, "AWS_STORAGE_BUCKET_NAME"),
        ({"buckets": Buckets("raw", "", "pictures")}, "S3_PROCESSED_VIDEOS_BUCKET"),
        ({"access_key_id": "a"}, "AWS_SECRET_ACCESS_KEY is missing"),
        ({"secret_access_key": "b"}, "AWS_ACCESS_KEY_ID is missing"),
        ({"session_token": "c"}, "AWS_SESSION_TOKEN is set without"),
        ({"endpoint_url": "s3.example.com"}, "AWS_S3_ENDPOINT_URL is 's3.example.com'"),
        ({"endpoint_url": "https://s3.example.com/films"}, "AWS_S3_ENDPOINT_URL is"),
        ({"endpoint_url": "http://s3:none"}, "AWS_S3_ENDPOINT_URL is"),
        ({"endpoint_url": "http://s3", "public_endpoint_url": "ftp://x"}, "S3_PUBLIC_ENDPOINT_URL is"),
        ({"attempts": 9}, "S3_ATTEMPTS is 9"),
        ({"public_endpoint_url": "http://s3"}, "S3_PUBLIC_ENDPOINT_URL is set without"),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_one_sentence(changes: dict[str, Any], name: str) -> None:
    (problem,) = on_s3(**changes)
    assert name in problem


def test_events_and_outside_transcoders_need_a_bucket() -> None:
    assert event_problems(queue_url="https://sqs.example/1/q", is_external=True, has_bucket=True) == []
    (problem,) = event_problems(queue_url="", is_external=True, has_bucket=False)
    assert "USE_S3_MEDIA" in problem
    (problem,) = event_problems(queue_url="films", is_external=False, has_bucket=True)
    assert "SQS_QUEUE_URL is 'films'" in problem


def test_a_connection_never_shows_its_secrets() -> None:
    shown = repr(S3Connection(Buckets("a", "b", "c"), "r", secret_access_key="hidden", session_token="hidden"))
    assert "hidden" not in shown
