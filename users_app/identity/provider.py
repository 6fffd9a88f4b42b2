"""The interface of the accounts: registering, signing in, staying signed in and signing out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from background.refusals import Kind, Refusal
from users_app.clients import Client
from users_app.models import Session, User

T = TypeVar("T")


class ManagedElsewhere(Refusal):
    """Passwords, e-mail addresses and the accounts themselves are changed at the identity provider."""

    kind = Kind.CONFLICT
    sentence = "Accounts on this site are kept by an identity provider. Please do this there."
    code = "managed_elsewhere"


@dataclass(frozen=True, slots=True)
class Issued:
    """The tokens of a sign-in, and how long a browser keeps each of them."""

    access: str
    refresh: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta


class Provider(Protocol[T]):
    """Keeps the accounts: this site (identity.local), or a user pool (cognito.provider).

    `T` is what the provider makes of an access token that it has validated.
    """

    @property
    def keeps_accounts_here(self) -> bool:
        """True when passwords are changed, addresses confirmed by link and accounts deleted on this site."""

    def register(self, *, email: str, password: str, name: str, phone: str, address: str) -> None:
        """Treat a taken address like a free one. Raises Refusal with the fields that cannot be used."""

    def confirm_by_code(self, *, email: str, code: str) -> None:
        """Activate a registered account. Raises InvalidCode."""

    def sign_in(self, *, email: str, password: str, is_remembered: bool, client: Client) -> tuple[User, Issued]:
        """Raises InvalidCredentials, whether the address or the password is wrong, and TooManyAttempts."""

    def refresh(self, *, refresh_token: str, client: Client) -> Issued:
        """Exchange a refresh token for new tokens. Raises BadToken."""

    def sign_out(self, *, refresh_token: str | None, access_token: str | None) -> None:
        """End the session that either token names; an invalid token is ignored."""

    def validate(self, *, access_token: str) -> T:
        """Check signature, purpose and expiry without the database. Raises BadToken."""

    def person_behind(self, validated_token: T) -> User:
        """Return the user by one query. Raises BadToken where the account is closed or the sign-in is over."""

    def device_behind(self, *, access_token: str) -> Session:
        """Return the session that an access token comes from, with its user. Raises BadToken."""

    def device_to_renew(self, *, refresh_token: str) -> Session:
        """Return the session that a refresh token may renew, without using the token up.

        Raises BadToken, also where only a pool can tell.
        """

    def tokens_again(self, session: Session) -> Issued | None:
        """Return the tokens of a session in its present state, or None where this site does not mint them."""
