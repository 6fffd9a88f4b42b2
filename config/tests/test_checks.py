"""Settings that are unsafe or contradict each other: what each check says, and that all are told."""

import re
from typing import Any

import pytest
from django.core import checks as django_checks
from django.core.checks import Error
from django.core.management import get_commands, load_command_class

from config.checks import (
    TAG,
    cookie_problems,
    event_problems,
    mail_problems,
    s3_problems,
    safety_problems,
    startup_problems,
)
from config.env_file import BASE_DIR
from config.readers import DEVELOPMENT_SECRET
from media_pipeline.storage.buckets import Buckets, S3Connection
from users_app.http.service_signature import parse_service_keys

GOOD: dict[str, Any] = {
    "secret_key": "kX9-a-long-and-random-value-0123456789",
    "fallbacks": [],
    "allowed_hosts": ["videos.example.com"],
    "is_https": True,
    "cookies_secure": {"JWT_COOKIE_SECURE": True, "SESSION_COOKIE_SECURE": True},
    "samesite": "Lax",
}


def problems(**changes: Any) -> list[Error]:
    return [*safety_problems(**{**GOOD, **changes})]


def test_a_sound_site_starts() -> None:
    assert problems() == []
    assert problems(is_https=False, cookies_secure={"JWT_COOKIE_SECURE": False}) == []


@pytest.mark.parametrize("secret", ["", "change-me", "secret", DEVELOPMENT_SECRET, "x" * 31, "x" * 64, "abababab" * 8])
def test_a_secret_that_can_be_guessed_stops_the_start(secret: str) -> None:
    (problem,) = problems(secret_key=secret)
    assert problem.id == "videoflix.E001"
    assert problem.msg.startswith("SECRET_KEY is")
    assert str(problem.hint).startswith("Set it to a long random value")


def test_a_former_secret_that_can_be_guessed_stops_the_start() -> None:
    (problem,) = problems(fallbacks=["good enough, once: 8f3a1c9d7e5b", "change-me"])
    assert problem.msg.startswith("SECRET_KEY_FALLBACKS has a value that can be guessed")


@pytest.mark.parametrize("hosts", [["*"], ["videos.example.com", "*"]])
def test_a_wildcard_host_stops_the_start(hosts: list[str]) -> None:
    (problem,) = problems(allowed_hosts=hosts)
    assert problem.msg.startswith("ALLOWED_HOSTS is '*'")


def test_hosts_that_are_commas_only_stop_the_start() -> None:
    (problem,) = problems(allowed_hosts=[])
    assert (problem.id, problem.msg) == ("videoflix.E003", "ALLOWED_HOSTS has commas and no host.")


def on_cookies(**changes: str) -> list[Error]:
    given = {"access": "vf_access", "refresh": "vf_refresh", "domain": "", **changes}
    return [*cookie_problems(**given, others=("sessionid", "csrftoken", "messages"))]


@pytest.mark.parametrize("changes", [{}, {"access": "__Host-a.b!"}, {"domain": ".example.com"}, {"domain": "box_1"}])
def test_sound_names_of_cookies_pass(changes: dict[str, str]) -> None:
    assert on_cookies(**changes) == []


@pytest.mark.parametrize(
    ("changes", "number", "sentence"),
    [
        *(
            ({"access": name}, 6, f"JWT_ACCESS_COOKIE_NAME is {name!r}, which cannot be the name of a cookie.")
            for name in ("a b", "a=b", "a;b", "a,b", "a:b", "a/b", '"a"', "a\n", "café", "path", "Max-Age")
        ),
        (
            {"refresh": "x" * 9999},
            6,
            f"JWT_REFRESH_COOKIE_NAME is '{'x' * 100}…', which cannot be the name of a cookie.",
        ),
        ({"access": "a", "refresh": "a"}, 6, "JWT_ACCESS_COOKIE_NAME and JWT_REFRESH_COOKIE_NAME are the same."),
        ({"access": "sessionid"}, 6, "JWT_ACCESS_COOKIE_NAME is 'sessionid', which is the name of another cookie"),
        ({"refresh": "csrftoken"}, 6, "JWT_REFRESH_COOKIE_NAME is 'csrftoken', which is the name of another cookie"),
        ({"refresh": "messages"}, 6, "JWT_REFRESH_COOKIE_NAME is 'messages', which is the name of another cookie"),
        ({"domain": "a b"}, 7, "JWT_COOKIE_DOMAIN is 'a b'."),
        ({"domain": "ü.example"}, 7, "JWT_COOKIE_DOMAIN is 'ü.example'."),
        ({"domain": "a;b"}, 7, "JWT_COOKIE_DOMAIN is 'a;b'."),
        ({"domain": "https://a"}, 7, "JWT_COOKIE_DOMAIN is 'https://a'."),
    ],
)
def test_names_that_no_cookie_can_have_stop_the_start(changes: dict[str, str], number: int, sentence: str) -> None:
    (problem,) = on_cookies(**changes)
    assert problem.id == f"videoflix.E{number:03}"
    assert problem.msg.startswith(sentence)


def test_cookies_for_other_sites_need_https() -> None:
    assert problems(samesite="None") == []
    (problem,) = problems(samesite="None", is_https=False, cookies_secure={})
    assert problem.msg.startswith("JWT_COOKIE_SAMESITE is None")


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
        ({"pages": {"FRONTEND_URL": "http://a:99999/login"}}, "FRONTEND_URL is"),
        ({"pages": {"FRONTEND_URL": "http://a b/login"}}, "FRONTEND_URL is"),
        *(
            ({"backend": name}, f"EMAIL_BACKEND is '{name}', which cannot be imported as a mail backend.")
            for name in ("smtp", "no.such.Backend", "django.core.mail", ".x", "..x", "os.getcwd", "decimal.Decimal")
        ),
        ({"backend": "x" * 9999}, f"EMAIL_BACKEND is '{'x' * 100}…', which"),
    ],
)
def test_settings_of_mails_must_fit_each_other(changes: dict[str, Any], beginning: str) -> None:
    good = {"host": "smtp.example.com", "user": "videoflix", "is_starttls": True, "is_tls": False, "pages": PAGES}
    good["backend"] = "django.core.mail.backends.smtp.EmailBackend"
    found = mail_problems(**{**good, **changes})
    assert [problem.msg.startswith(beginning) for problem in found] == ([True] if beginning else [])


@pytest.mark.parametrize(("is_https", "scheme"), [(True, "https"), (False, "http")])
def test_cookies_must_fit_the_scheme(is_https: bool, scheme: str) -> None:
    (problem,) = problems(is_https=is_https, cookies_secure={"JWT_COOKIE_SECURE": not is_https})
    assert problem.msg == f"JWT_COOKIE_SECURE is {int(not is_https)} but BACKEND_ORIGIN is {scheme}."
    assert problem.hint == f"Set JWT_COOKIE_SECURE={int(is_https)}."


def test_all_problems_are_reported_at_once() -> None:
    found = problems(secret_key="", allowed_hosts=["*"], cookies_secure={"A": False, "B": False})
    assert len(found) == 4


def on_s3(**changes: Any) -> list[Error]:
    given: dict[str, Any] = {"buckets": Buckets("films", "films", "films"), "region": "eu-central-1"}
    return [*s3_problems(S3Connection(**{**given, **changes}))]


def test_a_role_or_both_keys_are_accepted_and_so_is_another_vendor() -> None:
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
        ({"endpoint_url": "https://user@s3.example.com"}, "AWS_S3_ENDPOINT_URL is"),
        ({"attempts": 9}, "S3_ATTEMPTS is 9"),
        *(
            ({"region": region}, f"AWS_S3_REGION_NAME is {region!r}")
            for region in ("a b", "", "-a", "a-", "eu.central", "a_b", "a/b", "a@b", "é")
        ),
        ({"region": "a" * 64}, "AWS_S3_REGION_NAME is"),
        *(
            ({"buckets": Buckets("films", name, "films")}, f"{name!r} cannot be the name of a bucket")
            for name in ("a b", "ab", "films/raw", "-films", "films.", "arn:aws:s3:::films", "fïlms")
        ),
        ({"buckets": Buckets(*["a" * 999] * 3)}, "S3_RAW_VIDEOS_BUCKET"),
        ({"public_endpoint_url": "http://s3"}, "S3_PUBLIC_ENDPOINT_URL is set without"),
    ],
)
def test_each_missing_or_contradictory_setting_is_one_problem(changes: dict[str, Any], name: str) -> None:
    (problem,) = on_s3(**changes)
    assert name in f"{problem.msg} {problem.hint}"


def test_events_and_external_transcoders_need_a_bucket() -> None:
    assert [*event_problems(queue_url="https://sqs.example/1/q", is_external=True, has_bucket=True)] == []
    (problem,) = event_problems(queue_url="", is_external=True, has_bucket=False)
    assert "USE_S3_MEDIA" in str(problem.hint)
    (problem,) = event_problems(queue_url="https://", is_external=False, has_bucket=True)
    assert "SQS_QUEUE_URL is 'https://'" in problem.msg
    (problem,) = event_problems(queue_url="films", is_external=False, has_bucket=True)
    assert "SQS_QUEUE_URL is 'films'" in problem.msg


def test_a_connection_never_shows_its_secrets() -> None:
    shown = repr(S3Connection(Buckets("a", "b", "c"), "r", secret_access_key="hidden", session_token="hidden"))
    assert "hidden" not in shown


# --- As Django runs them ---------------------------------------------------------------------------------------------


def ids() -> list[str | None]:
    return [error.id for error in django_checks.run_checks(tags=[TAG])]


def test_the_settings_of_tests_are_sound() -> None:
    assert ids() == []
    assert startup_problems() == ""


def test_problems_of_every_group_are_reported_at_once(settings: Any) -> None:
    settings.SECRET_KEY = "short"
    settings.S3_CONNECTION = S3Connection(Buckets("", "", ""), "eu-central-1")
    settings.SQS_QUEUE_URL = "films"
    settings.EMAIL_HOST_USER = "videoflix"
    settings.VIDEO_LADDER = ["8k"]
    settings.GATEWAY_SHARED_SECRET = "too short"
    settings.JWT_ACCESS_COOKIE_NAME = "an access token"
    settings.SERVICE_KEYS, settings.SERVICE_REGION = parse_service_keys("encoder:id:0123456789abcdef"), "eu/central"
    numbers = ("001", "006", "011", "021", "033", "051", "052", "053")
    assert sorted(map(str, ids())) == [f"videoflix.E{number}" for number in numbers]
    shown = startup_problems()
    assert shown.startswith("(videoflix.E001) SECRET_KEY is")
    assert "\n(videoflix.E051) VIDEO_LADDER names '8k'" in shown
    assert shown.count("\tHINT: ") == len(numbers)
    assert "too short" not in shown


def test_with_debug_an_unsafe_site_starts_but_a_contradiction_does_not(settings: Any) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.ALLOWED_HOSTS = True, DEVELOPMENT_SECRET, ["*"]
    assert ids() == []
    settings.EMAIL_HOST_USER = "videoflix"
    assert ids() == ["videoflix.E033"]


@pytest.mark.parametrize("crf", [None, 52])
def test_a_ladder_that_cannot_be_read_is_a_problem(settings: Any, crf: int | None) -> None:
    settings.VIDEO_LADDER, settings.VIDEO_CRF = [] if crf is None else ["360p"], crf
    assert ids() == ["videoflix.E051"]


TROUBLESHOOTING = BASE_DIR / "docs" / "troubleshooting.md"
OUR_APPS = ("config", "content_app", "users_app", "django_rq")
OUR_COMMANDS = sorted(name for name, app in get_commands().items() if app in OUR_APPS)


@pytest.mark.parametrize("name", OUR_COMMANDS)
def test_no_command_of_the_platform_skips_these_checks(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert command.requires_system_checks == "__all__" or TAG in command.requires_system_checks


def test_each_problem_is_in_the_documents() -> None:
    numbers = re.findall(r"problem\(\s*([0-9]+),", (BASE_DIR / "config" / "checks.py").read_text())
    assert len(numbers) > 20
    documented = set()
    for first, last in re.findall(r"E([0-9]{3})(?:–E([0-9]{3}))?", TROUBLESHOOTING.read_text()):
        documented |= set(range(int(first), int(last or first) + 1))
    assert {int(number) for number in numbers} <= documented
