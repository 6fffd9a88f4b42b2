"""Tokens of sessions and of links in mails: SimpleJWT's tokens, each signed with the key of its own purpose."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt import tokens as simple_jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.utils import datetime_to_epoch

from users_app.models import Session, User
from users_app.signing_secrets import secrets_in_use

ALGORITHM: str = api_settings.ALGORITHM
MAX_TOKEN_LENGTH = 2048  # four times the length of a token of this site; a longer one is not decoded
MAX_ID = 2**63 - 1  # of the columns that hold ids
UUID_DIGITS, HEX_DIGITS = 32, frozenset("0123456789abcdef")

LinkPurpose = Literal["confirm", "reset", "new_address"]
TokenType = Literal["access", "refresh"] | LinkPurpose


class BadToken(AuthenticationFailed, TokenError):
    """Answers 401; `code` says whether refreshing can help.

    A TokenError as well, because that is what SimpleJWT's own classes expect a token to raise.
    """

    default_detail = "The token is not valid."
    default_code = "token_invalid"

    def __init__(self, detail: str | None = None, code: str | None = None) -> None:
        super().__init__(detail, code)
        self.args = (self.detail,)  # SimpleJWT's views and authentication take the sentence from here


class PurposeBackend(TokenBackend):
    """Signs tokens of one purpose, and reads those that any secret in use has signed.

    SimpleJWT's own backend has one key for every type of token, reads it at import and knows no former secrets.
    """

    def __init__(self, purpose: TokenType) -> None:
        super().__init__(ALGORITHM, leeway=api_settings.LEEWAY)
        self.purpose = purpose

    def encode(self, payload: dict[str, Any]) -> str:
        token = _backend_of_secret(self.purpose, settings.SECRET_KEY).encode(payload)
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError(f"A token of {len(token)} characters would not be read: leave claims out.")
        return token

    def decode(self, token: str | bytes, verify: bool = True) -> dict[str, Any]:  # type: ignore[override]  # it says Token
        """Return the claims of a token that has not expired. Raises BadToken."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadToken
        for secret in secrets_in_use():
            try:
                return _backend_of_secret(self.purpose, secret).decode(token, verify)  # type: ignore[arg-type]  # as above
            except TokenBackendExpiredToken as error:
                raise BadToken("The token has expired.", code="token_expired") from error
            except TokenBackendError as error:
                if not isinstance(error.__cause__, jwt.InvalidSignatureError):
                    raise BadToken from error
            # RecursionError: a header of nothing but brackets. ValueError: characters that have no UTF-8 form.
            except (jwt.PyJWTError, RecursionError, ValueError) as error:
                raise BadToken from error
        raise BadToken


@lru_cache(maxsize=64)
def _backend_of_secret(purpose: TokenType, secret: str) -> TokenBackend:
    key = _signing_key(purpose, secret)
    return TokenBackend(ALGORITHM, key, leeway=api_settings.LEEWAY)  # type: ignore[arg-type]  # HMAC takes bytes


def _signing_key(purpose: TokenType, secret: str) -> bytes:
    """Return a key as long as the digest of ALGORITHM, which is HS256, HS384 or HS512."""
    digest = f"sha{ALGORITHM[2:]}"
    return salted_hmac(f"users_app.tokens.{purpose}", "", secret=secret, algorithm=digest).digest()


_backend = lru_cache(PurposeBackend)


def is_account_id(value: object) -> bool:
    """True for the text of an id as this site writes it: no sign, no spaces, no leading zeros, not beyond a column."""
    if not (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(MAX_ID))):
        return False
    return str(int(value)) == value and int(value) <= MAX_ID


def is_uuid_hex(value: object) -> bool:
    """True for the 32 small hexadecimal digits of a UUID; uuid.UUID itself takes braces and `urn:` as well."""
    return isinstance(value, str) and len(value) == UUID_DIGITS and set(value) <= HEX_DIGITS


def is_plain_text(value: object) -> bool:
    """True for text without control characters and lone surrogates, which databases and UTF-8 refuse."""
    return isinstance(value, str) and value.isprintable()


class PurposeToken(simple_jwt.Token):
    """A token for one purpose, to which its key and its claim `token_type` bind it."""

    token_type: TokenType
    # The claims without which the token is refused, each with the form that its value has to have.
    required_claims: ClassVar[dict[str, Callable[[object], bool]]] = {"sub": is_account_id}

    def __init__(self, token: Any = None, verify: bool = True) -> None:
        """Make a new token, or read the one that `token` (text or bytes) encodes. Raises BadToken."""
        super().__init__(token, verify)

    @property
    def token_backend(self) -> TokenBackend:
        return _backend(self.token_type)

    def verify(self) -> None:
        # The backend has checked the expiry of a token that has one. SimpleJWT's own method wants a `jti`, which only
        # refresh tokens have.
        if self.get("token_type") != self.token_type or self.get("exp") is None:
            raise BadToken
        # A genuine signature is no proof of the form: a site's own code, or an earlier version, may have signed it.
        if not all(has_form(self.get(claim)) for claim, has_form in self.required_claims.items()):
            raise BadToken

    # Tabs that refresh together must get the same successor, so no claim holds a random value or the time of minting.

    def set_jti(self) -> None:
        """Set no `jti`: that of a refresh token comes from its session."""

    def set_iat(self, claim: str = "iat", at_time: Any = None) -> None:
        """Set no `iat`."""

    @property
    def user_id(self) -> int:
        return int(self["sub"])


class SessionToken(PurposeToken):
    """A token that ends with its session (`sid`), and when the password changes (`pwd`)."""

    required_claims = PurposeToken.required_claims | {"sid": is_uuid_hex, "pwd": is_plain_text}
    session: Session  # set where a request has been authenticated by this token

    @classmethod
    def for_user(cls, user: User) -> Self:  # type: ignore[override]  # accounts of this site only
        """Open a session, which lasts as long as one without “stay signed in”, and return its token."""
        return cls.for_session(Session.objects.open(user=user))

    @classmethod
    def for_session(cls, session: Session, *, after: "SessionToken | None" = None) -> Self:
        """Return the token of `session` in its present state, with the claims that a site has added to `after`."""
        token = cls()
        if after is not None:
            token.payload |= {name: value for name, value in after.payload.items() if name not in OWN_CLAIMS}
        token["sub"] = str(session.user_id)
        token["sid"] = session.pk.hex
        token["pwd"] = password_mark(session.user)
        return token

    @property
    def session_id(self) -> uuid.UUID:
        return uuid.UUID(self["sid"])

    @property
    def password_mark(self) -> str:
        return str(self["pwd"])


class AccessToken(SessionToken, simple_jwt.AccessToken):
    token_type = "access"  # noqa: S105 - a name of a type


class RefreshToken(SessionToken, simple_jwt.RefreshToken):  # type: ignore[misc]  # for_user is of this site's accounts
    """`access_token` is an access token of the same session, with the claims that a site has added."""

    token_type = "refresh"  # noqa: S105 - a name of a type
    required_claims = SessionToken.required_claims | {"jti": is_uuid_hex}
    access_token_class = AccessToken

    @classmethod
    def for_session(cls, session: Session, *, after: SessionToken | None = None) -> Self:
        """Return the same token for the same state of the session: tabs that refresh together get equal successors."""
        token = super().for_session(session, after=after)
        token["jti"] = session.current_jti.hex
        token["exp"] = datetime_to_epoch(session.expires_at)
        return token

    @property
    def jti(self) -> uuid.UUID:
        return uuid.UUID(self["jti"])


OWN_CLAIMS = frozenset({"token_type", "exp", *RefreshToken.required_claims})


class LinkToken(PurposeToken):
    """The token of a link in a mail, which works until the account changes (`mark`)."""

    lifetime = timedelta(0)  # each link has its own, see mint_link
    required_claims = PurposeToken.required_claims | {"mark": is_plain_text, "email": is_plain_text}

    @property
    def account_mark(self) -> str:
        return str(self["mark"])

    @property
    def email(self) -> str:
        return str(self["email"])


class ConfirmToken(LinkToken):
    token_type = "confirm"  # noqa: S105 - a name of a type


class ResetToken(LinkToken):
    token_type = "reset"  # noqa: S105 - a name of a type


class NewAddressToken(LinkToken):
    token_type = "new_address"  # noqa: S105 - a name of a type


LINK_TOKENS: dict[LinkPurpose, type[LinkToken]] = {
    "confirm": ConfirmToken,
    "reset": ResetToken,
    "new_address": NewAddressToken,
}


def password_mark(user: User) -> str:
    """Return a short digest of the stored hash, so that a token ends when the password changes."""
    # Not keyed, because SECRET_KEY may be rotated while people stay signed in; the hash is salted, so the digest
    # tells nothing about the password.
    return hashlib.blake2b(user.password.encode(), digest_size=8).hexdigest()


def account_mark(user: User) -> str:
    """Return a digest of what a link in a mail is bound to: following the link changes it, so that it works once."""
    state = (user.password, user.email, user.email_verified, user.awaits_confirmation, user.address_changed_at)
    return hashlib.blake2b("\0".join(map(str, state)).encode(), digest_size=16).hexdigest()


def mint_access(session: Session, *, after: SessionToken | None = None) -> str:
    return str(AccessToken.for_session(session, after=after))


def mint_refresh(session: Session, *, after: SessionToken | None = None) -> str:
    return str(RefreshToken.for_session(session, after=after))


def read_access(token: str) -> AccessToken:
    """Raises BadToken."""
    return AccessToken(token)


def read_refresh(token: str) -> RefreshToken:
    """Raises BadToken."""
    return RefreshToken(token)


def mint_link(purpose: LinkPurpose, user: User, *, lifetime: timedelta, email: str = "") -> str:
    """Return the token of a link. `email` is the address that it confirms, where that is not the account's."""
    token = LINK_TOKENS[purpose]()
    token.set_exp(lifetime=lifetime)
    token["sub"] = str(user.pk)
    token["mark"] = account_mark(user)
    token["email"] = email or user.email
    return str(token)


def read_link(purpose: LinkPurpose, token: str) -> LinkToken:
    """Raises BadToken."""
    return LINK_TOKENS[purpose](token)
