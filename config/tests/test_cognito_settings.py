"""The settings of a user pool: how they are read, and which are refused."""

from typing import Any

import pytest
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from config.checks import cognito_problems
from config.env import Env
from config.readers import read_user_pool
from users_app.cognito.user_pool import UserPool

GOOD: dict[str, Any] = {"id": "eu-central-1_AbCdEfGhI", "client_id": "client", "client_secret": "secret"}
OWN_KEYS = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI/.well-known/jwks.json"


def of_pool(**changes: Any) -> list[Error]:
    return [*cognito_problems(UserPool(**{**GOOD, **changes}))]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "us-gov-west-1_AbC"},
        {"jwks_url": OWN_KEYS},
        {"jwks_url": "https://keys.example.com/jwks.json", "endpoint_url": "https://cognito.example.com"},
        {"endpoint_url": "https://vpce-1.cognito-idp.eu-central-1.vpce.amazonaws.com"},
        {"jwks_url": "http://127.0.0.1:5000/keys", "endpoint_url": "http://localhost:5000"},
        {"endpoint_url": "http://[::1]:5000"},
    ],
    ids=str,
)
def test_a_sound_pool_starts(changes: dict[str, Any]) -> None:
    assert of_pool(**changes) == []


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        ({"id": ""}, "IDENTITY_PROVIDER is cognito, which needs COGNITO_USER_POOL_ID."),
        (
            {"client_id": "", "client_secret": ""},
            "IDENTITY_PROVIDER is cognito, which needs COGNITO_CLIENT_ID and COGNITO_CLIENT_SECRET.",
        ),
        ({"id": "AbCdEfGhI"}, "COGNITO_USER_POOL_ID is 'AbCdEfGhI'"),
        ({"id": "eu-central-1_A/b"}, "COGNITO_USER_POOL_ID is"),
        ({"jwks_url": "http://keys.example.com/jwks.json"}, "COGNITO_JWKS_URL is"),
        ({"jwks_url": "keys.example.com"}, "COGNITO_JWKS_URL is"),
        ({"jwks_url": "https://keys.example.com:99999/jwks.json"}, "COGNITO_JWKS_URL is"),
        ({"jwks_url": OWN_KEYS.replace("GhI", "XyZ")}, "COGNITO_JWKS_URL is"),
        ({"endpoint_url": "http://moto:5000"}, "COGNITO_ENDPOINT_URL is"),
        ({"endpoint_url": "http://10.0.0.1:5000"}, "COGNITO_ENDPOINT_URL is"),
        ({"endpoint_url": "https://[broken"}, "COGNITO_ENDPOINT_URL is"),
        ({"endpoint_url": "https://cognito.example.com/pool"}, "COGNITO_ENDPOINT_URL is"),
        ({"endpoint_url": "ftp://localhost"}, "COGNITO_ENDPOINT_URL is"),
    ],
    ids=str,
)
def test_each_missing_or_contradictory_setting_is_one_problem(changes: dict[str, Any], beginning: str) -> None:
    (problem,) = of_pool(**changes)
    assert problem.msg.startswith(beginning)
    assert problem.hint


def read(**values: str) -> UserPool | None:
    return read_user_pool(Env(values))


def test_accounts_are_local_unless_the_setting_says_otherwise() -> None:
    assert read() is None
    assert read(IDENTITY_PROVIDER="local", COGNITO_CLIENT_ID="c") is None
    with pytest.raises(ImproperlyConfigured, match="local, cognito"):
        read(IDENTITY_PROVIDER="okta")


def test_a_pool_is_read_and_an_incomplete_one_is_a_problem() -> None:
    values = {
        "IDENTITY_PROVIDER": "cognito",
        "COGNITO_USER_POOL_ID": GOOD["id"],
        "COGNITO_CLIENT_ID": "client",
        "COGNITO_CLIENT_SECRET": "secret",
    }
    assert read(**values) == UserPool(**GOOD)
    values |= {"COGNITO_ENDPOINT_URL": "http://localhost:1/", "COGNITO_TIMEOUT_SECONDS": "2"}
    changed = read(**values)
    assert changed is not None
    assert (changed.endpoint_url, changed.timeout_s) == ("http://localhost:1", 2)
    incomplete = read(**{**values, "COGNITO_CLIENT_SECRET": ""})
    assert incomplete is not None
    assert [problem.id for problem in cognito_problems(incomplete)] == ["videoflix.E041"]
