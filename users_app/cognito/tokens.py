"""Verifies the tokens of a user pool with its public keys, without asking the pool."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import jwt

from users_app.cognito.public_keys import ALGORITHM, keys_of
from users_app.cognito.user_pool import UserPool
from users_app.tokens import BadToken

MAX_TOKEN_LENGTH = 4000  # browsers accept no longer cookie, its name included
MAX_KEY_ID_LENGTH = 200
MAX_SUB_LENGTH = 64  # a UUID, except for people who come from another provider
MAX_USERNAME_LENGTH = 128
LEEWAY_S = 10  # the clocks of the pool and of this site may differ by this

Use = Literal["access", "id"]
REQUIRED_CLAIMS: dict[Use, tuple[str, ...]] = {
    # origin_jti: the same in the tokens of a sign-in and of all its renewals.
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
    """Who a person is to the pool; `email` and `name` may be empty."""

    sub: str
    email: str
    is_email_verified: bool
    name: str


def read_access(pool: UserPool, token: str) -> AccessClaims:
    """Raises BadToken, and PoolUnavailable while the keys of the pool cannot be fetched."""
    # The audience of an access token, where it has one, is a resource server; the app client has a claim of its own.
    claims = _verify(pool, token, "access", audience=None)
    if claims["client_id"] != pool.client_id:
        raise BadToken
    try:
        session_id = uuid.UUID(claims["origin_jti"])
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise BadToken from error
    return AccessClaims(
        sub=_text(claims, "sub", MAX_SUB_LENGTH),
        username=_text(claims, "username", MAX_USERNAME_LENGTH),
        session_id=session_id,
        expires_at=expires_at,
    )


def read_id(pool: UserPool, token: str) -> Identity:
    """Raises BadToken, and PoolUnavailable while the keys of the pool cannot be fetched."""
    claims = _verify(pool, token, "id", audience=pool.client_id)
    return Identity(
        sub=_text(claims, "sub", MAX_SUB_LENGTH),
        email=str(claims.get("email") or ""),
        # For people who come from another provider, Cognito sends a string instead of a boolean.
        is_email_verified=claims.get("email_verified") in (True, "true"),
        name=str(claims.get("name") or ""),
    )


def _verify(pool: UserPool, token: str, use: Use, *, audience: str | None) -> dict[str, Any]:
    """Return the claims of a token that the pool has signed for this use and that has not expired. Raises BadToken."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise BadToken
    try:
        # PyJWT's own way from a token to its key would fetch keys for tokens of other algorithms as well.
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_LENGTH:
            raise BadToken
        claims: dict[str, Any] = jwt.decode(
            token,
            keys_of(pool.keys_url, pool.timeout_s).get_signing_key(key_id),
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


def _text(claims: dict[str, Any], name: str, max_length: int) -> str:
    value = claims[name]
    if not isinstance(value, str) or not 0 < len(value) <= max_length:
        raise BadToken
    return value
