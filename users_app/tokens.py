"""Tokens of sessions and of links in mails: JWTs signed with HS256, each bound to its purpose by claim and by key."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import AuthenticationFailed

from users_app.models import Session, User
from users_app.signing_secrets import secrets_in_use

ALGORITHM = "HS256"
LONGEST_TOKEN = 2048  # ours are a quarter of that; a longer one is not decoded at all

LinkPurpose = Literal["confirm", "reset", "new_address"]
TokenType = Literal["access", "refresh"] | LinkPurpose
IDENTITY_CLAIMS = ("token_type", "sub", "sid", "pwd")
LINK_CLAIMS = ("token_type", "sub", "mark", "email")
REQUIRED_CLAIMS: dict[TokenType, tuple[str, ...]] = {
    "access": IDENTITY_CLAIMS,
    "refresh": (*IDENTITY_CLAIMS, "jti"),
    "confirm": LINK_CLAIMS,
    "reset": LINK_CLAIMS,
    "new_address": LINK_CLAIMS,
}


class BadToken(AuthenticationFailed):
    """Answers 401; `code` says whether refreshing can help."""

    default_detail = "The token is not valid."
    default_code = "token_invalid"


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: int
    session_id: uuid.UUID
    password_mark: str


@dataclass(frozen=True, slots=True)
class RefreshClaims(Claims):
    jti: uuid.UUID


@dataclass(frozen=True, slots=True)
class LinkClaims:
    user_id: int
    account_mark: str
    email: str


def password_mark(user: User) -> str:
    """A short digest of the stored hash, so that a token ends when the password changes.

    Not keyed, because SECRET_KEY may be rotated while people stay signed in; the hash is salted, so the digest
    tells nothing about the password.
    """
    return hashlib.blake2b(user.password.encode(), digest_size=8).hexdigest()


def account_mark(user: User) -> str:
    """What a link in a mail is bound to: following it changes the mark, so that it works once."""
    state = (user.password, user.email, user.email_verified, user.awaits_confirmation, user.address_changed_at)
    return hashlib.blake2b("\0".join(map(str, state)).encode(), digest_size=16).hexdigest()


def mint_access(session: Session) -> str:
    return _encode("access", _identity(session), expires_at=timezone.now() + settings.ACCESS_TOKEN_LIFETIME)


def mint_refresh(session: Session) -> str:
    """The same state of a session gives the same token: tabs that refresh together get equal successors."""
    return _encode("refresh", {**_identity(session), "jti": session.current_jti.hex}, expires_at=session.expires_at)


def read_access(token: str) -> Claims:
    claims = _decode("access", token)
    return Claims(int(claims["sub"]), uuid.UUID(claims["sid"]), claims["pwd"])


def read_refresh(token: str) -> RefreshClaims:
    claims = _decode("refresh", token)
    return RefreshClaims(int(claims["sub"]), uuid.UUID(claims["sid"]), claims["pwd"], uuid.UUID(claims["jti"]))


def mint_link(purpose: LinkPurpose, user: User, *, lifetime: timedelta, email: str = "") -> str:
    """`email`: the address that the link leads to, where it is not the account's."""
    claims = {"sub": str(user.pk), "mark": account_mark(user), "email": email or user.email}
    return _encode(purpose, claims, expires_at=timezone.now() + lifetime)


def read_link(purpose: LinkPurpose, token: str) -> LinkClaims:
    claims = _decode(purpose, token)
    return LinkClaims(int(claims["sub"]), claims["mark"], claims["email"])


def _identity(session: Session) -> dict[str, str]:
    return {"sub": str(session.user_id), "sid": session.pk.hex, "pwd": password_mark(session.user)}


def _encode(token_type: TokenType, claims: dict[str, str], *, expires_at: datetime) -> str:
    payload = {"token_type": token_type, **claims, "exp": int(expires_at.timestamp())}
    return jwt.encode(payload, _signing_key(token_type, settings.SECRET_KEY), algorithm=ALGORITHM)


def _decode(token_type: TokenType, token: str) -> dict[str, Any]:
    """The claims of a token that we signed for this purpose and that has not expired."""
    if len(token) > LONGEST_TOKEN:
        raise BadToken
    for secret in secrets_in_use():
        try:
            return _verify(token_type, token, secret)
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError as error:
            raise BadToken("The token has expired.", code="token_expired") from error
        # RecursionError: a header of nothing but brackets. ValueError: characters that have no UTF-8 form.
        except (jwt.PyJWTError, RecursionError, ValueError) as error:
            raise BadToken from error
    raise BadToken


def _verify(token_type: TokenType, token: str, secret: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        _signing_key(token_type, secret),
        algorithms=[ALGORITHM],
        options={"require": ["exp", *REQUIRED_CLAIMS[token_type]]},
    )
    if claims["token_type"] != token_type:
        raise BadToken
    return claims


@lru_cache(maxsize=16)
def _signing_key(token_type: TokenType, secret: str) -> bytes:
    return salted_hmac(f"users_app.tokens.{token_type}", "", secret=secret, algorithm="sha256").digest()
