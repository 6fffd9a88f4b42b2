from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.core.checks import Tags, run_checks

from users_app.checks import BLACKLIST, check_simple_jwt


def ids(settings: Any, **changes: Any) -> list[str | None]:
    """What is wrong with the settings of this site when these are added to SIMPLE_JWT."""
    settings.SIMPLE_JWT = {**site.SIMPLE_JWT, **changes}
    problems = check_simple_jwt()
    assert all(problem.hint for problem in problems)
    return [problem.id for problem in problems]


def test_the_settings_of_this_site_are_fine() -> None:
    assert check_simple_jwt() == []


def test_wrong_settings_are_refused_with_the_checks_of_django(settings: Any) -> None:
    settings.SIMPLE_JWT = {**site.SIMPLE_JWT, "SIGNING_KEY": "one for all"}
    assert "users_app.E001" in [problem.id for problem in run_checks(tags=[Tags.security])]


@pytest.mark.parametrize("name", ["SIGNING_KEY", "VERIFYING_KEY", "JWK_URL"])
def test_a_key_for_all_purposes_is_refused(name: str, settings: Any) -> None:
    assert ids(settings, **{name: "https://keys.example.com"}) == ["users_app.E001"]


@pytest.mark.parametrize("algorithm", ["none", "RS256", "ES256", "PS512", "hs256", "", None])
def test_an_algorithm_with_another_kind_of_key_is_refused(algorithm: Any, settings: Any) -> None:
    assert ids(settings, ALGORITHM=algorithm) == ["users_app.E002"]


def test_a_longer_digest_is_accepted(settings: Any) -> None:
    assert ids(settings, ALGORITHM="HS512") == []


def test_the_blacklist_is_refused(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    # Not by the fixture, which would load the app.
    monkeypatch.setattr(site, "INSTALLED_APPS", [*site.INSTALLED_APPS, BLACKLIST])
    assert ids(settings) == ["users_app.E003"]


@pytest.mark.parametrize(
    "change",
    [
        {"USER_ID_CLAIM": "user_id"},
        {"USER_ID_FIELD": "email"},
        {"TOKEN_TYPE_CLAIM": None},
        {"JTI_CLAIM": None},
        {"AUDIENCE": "videoflix"},
        {"ISSUER": "videoflix"},
        {"CHECK_USER_IS_ACTIVE": False},
        {"CHECK_REVOKE_TOKEN": True},
        {"ROTATE_REFRESH_TOKENS": True},
        {"BLACKLIST_AFTER_ROTATION": True},
        {"AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",)},
        {"AUTH_HEADER_NAME": "HTTP_X_TOKEN"},
        {"ACCESS_TOKEN_LIFETIME": timedelta(days=30)},
        {"REFRESH_TOKEN_LIFETIME": timedelta(days=30)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_setting_that_sessions_do_not_follow_is_refused(change: dict[str, Any], settings: Any) -> None:
    assert ids(settings, **change) == ["users_app.E004"]


def test_without_settings_the_lifetimes_and_the_claim_of_the_user_are_missing(settings: Any) -> None:
    settings.SIMPLE_JWT = None
    assert {problem.id for problem in check_simple_jwt()} == {"users_app.E004"}


@pytest.mark.parametrize("leeway", [-1, 61, timedelta(days=1), "10", None])
def test_clocks_may_not_differ_by_more_than_a_minute(leeway: Any, settings: Any) -> None:
    assert ids(settings, LEEWAY=leeway) == ["users_app.E005"]


@pytest.mark.parametrize("leeway", [0, 10, 2.5, timedelta(seconds=60)])
def test_clocks_may_differ_by_a_minute(leeway: Any, settings: Any) -> None:
    assert ids(settings, LEEWAY=leeway) == []
