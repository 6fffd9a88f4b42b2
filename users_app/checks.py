"""System checks: values of `SIMPLE_JWT` that would weaken the tokens and sessions of this site, or change nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

ALGORITHMS = ("HS256", "HS384", "HS512")
KEYS = ("SIGNING_KEY", "VERIFYING_KEY", "JWK_URL")
BLACKLIST = "rest_framework_simplejwt.token_blacklist"
MAX_LEEWAY_S = 60
# SimpleJWT's defaults that a site must not change: the form of a token, and what decides about a session.
DEFAULTS: dict[str, Any] = {
    "AUDIENCE": None,
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.AccessToken",),
    "BLACKLIST_AFTER_ROTATION": False,
    "CHECK_REVOKE_TOKEN": False,
    "CHECK_USER_IS_ACTIVE": True,
    "ISSUER": None,
    "JSON_ENCODER": None,
    "JTI_CLAIM": "jti",
    "ROTATE_REFRESH_TOKENS": False,
    "TOKEN_TYPE_CLAIM": "token_type",
    "USER_ID_FIELD": "id",
}


def check_simple_jwt(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    simple_jwt: dict[str, Any] = {"ALGORITHM": ALGORITHMS[0], "LEEWAY": 0, **DEFAULTS}
    simple_jwt |= getattr(settings, "SIMPLE_JWT", None) or {}
    problems: list[CheckMessage] = [
        Error(
            f"SIMPLE_JWT has {name}, but each purpose of a token has a key of its own, derived from SECRET_KEY.",
            hint=f"Remove {name}. For new keys, change SECRET_KEY and put the old one into SECRET_KEY_FALLBACKS.",
            id="users_app.E001",
        )
        for name in KEYS
        if simple_jwt.get(name)
    ]
    if simple_jwt["ALGORITHM"] not in ALGORITHMS:
        problems.append(
            Error(
                f"ALGORITHM of SIMPLE_JWT is {simple_jwt['ALGORITHM']!r}, which takes another kind of key.",
                hint=f"Set it to one of {', '.join(ALGORITHMS)}.",
                id="users_app.E002",
            )
        )
    if BLACKLIST in settings.INSTALLED_APPS:
        problems.append(
            Error(
                f"INSTALLED_APPS has {BLACKLIST}, which no token of this site is in: tokens end with their session.",
                hint="Remove it. users_app.services.sessions.revoke ends a session.",
                id="users_app.E003",
            )
        )
    needed = {
        **DEFAULTS,
        "USER_ID_CLAIM": "sub",
        "ACCESS_TOKEN_LIFETIME": settings.ACCESS_TOKEN_LIFETIME,
        "REFRESH_TOKEN_LIFETIME": settings.SESSION_LIFETIME,
    }
    problems += [
        Error(
            f"{name} of SIMPLE_JWT is {simple_jwt.get(name)!r}, which the sessions of this site cannot follow.",
            hint=f"Set it to {value!r}.",
            id="users_app.E004",
        )
        for name, value in needed.items()
        if simple_jwt.get(name) != value
    ]
    leeway = simple_jwt["LEEWAY"]
    leeway_s = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    if not isinstance(leeway_s, int | float) or not 0 <= leeway_s <= MAX_LEEWAY_S:
        problems.append(
            Error(
                f"LEEWAY of SIMPLE_JWT is {leeway!r}: tokens would be accepted for that long after they have expired.",
                hint=f"Set it to {MAX_LEEWAY_S} seconds or less, by which the clocks of servers may differ.",
                id="users_app.E005",
            )
        )
    return problems
