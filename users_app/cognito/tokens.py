"""Tokens of a user pool, verified here with its public keys: the pool is not asked about any of them."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import jwt

from users_app.cognito.public_keys import keys_of
from users_app.cognito.user_pool import UserPool
from users_app.tokens import BadToken

ALGORITHM = "RS256"
LONGEST_TOKEN = 4000  # no cookie holds more, with its name
LONGEST_KEY_ID = 200
LONGEST_SUB = 64  # a UUID, but for people from elsewhere
LONGEST_USERNAME = 128
LEEWAY_S = 10  # what two clocks may differ by

Use = Literal["access", "id"]
REQUIRED_CLAIMS: dict[Use, tuple[str, ...]] = {
    # origin_jti: what one sign-in and everything renewed from it have in common.
    "access": ("exp", "iss", "token_use", "sub", "client_id", "username", "origin_jti"),
    "id": ("exp", "iss", "token_use", "sub", "aud"),
}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    sub: str
    username: str
    session_id: uuid.UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to the pool; `email` and `name` may be empty."""

    sub: str
    email: str
    is_email_verified: bool
    name: str


def read_access(pool: UserPool, token: str) -> AccessClaims:
    """Raises BadToken, and PoolUnavailable while the keys of the pool cannot be had."""
    # Its audience, where there is one, is a resource server; the app client has a claim of its own.
    claims = _verify(pool, token, "access", audience=None)
    if claims["client_id"] != pool.client_id:
        raise BadToken
    return AccessClaims(
        sub=_text(claims, "sub", LONGEST_SUB),
        username=_text(claims, "username", LONGEST_USERNAME),
        session_id=_uuid(claims, "origin_jti"),
        expires_at=_moment(claims, "exp"),
    )


def read_id(pool: UserPool, token: str) -> Identity:
    """Raises as read_access does."""
    claims = _verify(pool, token, "id", audience=pool.client_id)
    return Identity(
        sub=_text(claims, "sub", LONGEST_SUB),
        email=str(claims.get("email") or ""),
        # People from other providers come with the word instead of the value.
        is_email_verified=claims.get("email_verified") in (True, "true"),
        name=str(claims.get("name") or ""),
    )


def _verify(pool: UserPool, token: str, use: Use, *, audience: str | None) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise BadToken
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(pool, token),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=pool.issuer,
            leeway=LEEWAY_S,
            options={"require": [*REQUIRED_CLAIMS[use]], "verify_aud": audience is not None},
        )
    except jwt.ExpiredSignatureError as error:
        raise BadToken("The token has expired.", code="token_expired") from error
    # RecursionError: a header of nothing but brackets. ValueError: characters that have no UTF-8 form.
    except (jwt.PyJWTError, RecursionError, ValueError, OverflowError) as error:
        raise BadToken from error
    if claims["token_use"] != use:
        raise BadToken
    return claims


def _key_of(pool: UserPool, token: str) -> Any:
    """Nothing is fetched for a token that another algorithm has signed, or none."""
    header = jwt.get_unverified_header(token)
    key_id = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(key_id, str) or len(key_id) > LONGEST_KEY_ID:
        raise BadToken
    key = keys_of(pool.keys_url, pool.timeout_s).find(key_id)
    if key is None:
        raise BadToken
    return key


def _text(claims: dict[str, Any], name: str, longest: int) -> str:
    value = claims[name]
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise BadToken
    return value


def _uuid(claims: dict[str, Any], name: str) -> uuid.UUID:
    try:
        return uuid.UUID(claims[name])
    except (ValueError, TypeError, AttributeError) as error:
        raise BadToken from error


def _moment(claims: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(claims[name]), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadToken from error
