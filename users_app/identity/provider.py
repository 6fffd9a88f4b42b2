"""What signing in, staying signed in and signing out ask of whoever keeps the accounts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from background.refusals import Kind, Refusal
from users_app.clients import Client
from users_app.models import Session, User


class ManagedElsewhere(Refusal):
    """Passwords, addresses and accounts as such are the identity provider's."""

    kind = Kind.CONFLICT
    sentence = "Accounts of this site are kept by an identity provider: this is done there."
    code = "managed_elsewhere"


@dataclass(frozen=True, slots=True)
class Issued:
    """The tokens of one sign-in, and for how long a browser is to keep each."""

    access: str
    refresh: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta


class Provider(Protocol):
    @property
    def keeps_accounts_here(self) -> bool:
        """Whether passwords are changed, addresses confirmed by link and accounts deleted on this site."""

    def register(self, *, email: str, password: str, name: str, phone: str, address: str) -> None:
        """Does the same for a taken address as for a free one. ValidationError names the field that will not do."""

    def confirm_by_code(self, *, email: str, code: str) -> None:
        """Raises InvalidCode."""

    def sign_in(self, *, email: str, password: str, is_remembered: bool, client: Client) -> tuple[User, Issued]:
        """Raises InvalidCredentials, whatever of the two is wrong, and TooManyAttempts."""

    def refresh(self, *, refresh_token: str, client: Client) -> Issued:
        """Raises BadToken."""

    def sign_out(self, *, refresh_token: str | None, access_token: str | None) -> None:
        """Whatever either token names; tokens that name nothing are nothing to end."""

    def person_behind(self, *, access_token: str) -> tuple[User, Session | None]:
        """By one query, with the session where it is one of ours. Raises BadToken."""

    def device_behind(self, *, access_token: str) -> Session:
        """The row of the sign-in that this token comes from, with its person. Raises BadToken."""

    def device_to_renew(self, *, refresh_token: str) -> Session:
        """The same by a refresh token, which is not used up. Raises BadToken, also where only the pool could tell."""

    def tokens_again(self, session: Session) -> Issued | None:
        """The tokens that the browser has, with the end of now; None where they are not made here."""
