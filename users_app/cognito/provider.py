"""Accounts that a user pool of Amazon Cognito keeps."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.utils import timezone

from background.refusals import Refusal
from users_app import audit
from users_app.clients import Client
from users_app.cognito import people, pool_api, sessions
from users_app.cognito.faults import PoolBusy, PoolUnavailable
from users_app.cognito.pool_api import PoolRefused
from users_app.cognito.refresh_token import Renewal, unwrap, wrap
from users_app.cognito.tokens import AccessClaims, read_access, read_id
from users_app.cognito.user_pool import UserPool
from users_app.identity.provider import Issued
from users_app.limits.lockout import Attempt
from users_app.models import MailKind, Session, User
from users_app.services import mail
from users_app.services.accounts import InvalidCredentials, note_attempt
from users_app.services.registration import InvalidCode
from users_app.services.sessions import SessionEnded, revoke
from users_app.tokens import BadToken

log = logging.getLogger(__name__)

T = TypeVar("T")
TAKEN = frozenset({"UsernameExistsException", "AliasExistsException"})
WRONG_CODE = "This code is wrong or has expired. Register again to get a new one."


class PoolAccounts:
    keeps_accounts_here = False

    def __init__(self, pool: UserPool) -> None:
        self.pool = pool

    def register(self, *, email: str, password: str, name: str, phone: str, address: str) -> None:
        mail.require_mail_quota(email)  # the pool sends one
        try:
            sub = pool_api.sign_up(self.pool, email=email, password=password, name=name)
        except PoolRefused as refused:
            if refused.code not in TAKEN:
                raise refusal_of_registration(refused) from refused
            # People who have lost the first mail register again. For a confirmed account the pool refuses to send a
            # code, and a mail of this site tells the owner. Nothing of this shows in the answer.
            with suppress(PoolBusy, PoolUnavailable):
                try:
                    pool_api.resend_code(self.pool, email=email)
                except PoolRefused:
                    mail.post(kind=MailKind.ADDRESS_TAKEN, to=email)
        else:
            people.keep_until_first_sign_in(sub=sub, email=email, name=name, phone=phone, address=address)

    def confirm_by_code(self, *, email: str, code: str) -> None:
        note_attempt(email)
        try:
            pool_api.confirm_sign_up(self.pool, email=email, code=code)
        except PoolRefused as refused:
            raise InvalidCode(WRONG_CODE) from refused

    def sign_in(self, *, email: str, password: str, is_remembered: bool, client: Client) -> tuple[User, Issued]:
        attempt = Attempt(User.normalize_username(email), client)
        attempt.check()
        try:
            granted = pool_api.sign_in(self.pool, email=attempt.email, password=password)
        except PoolRefused as refused:
            attempt.note_failure()
            note_attempt(attempt.email)
            raise InvalidCredentials from refused
        attempt.note_success()
        claims = self._fresh(read_access, granted.access)
        identity = self._fresh(read_id, granted.id)
        if identity.sub != claims.sub:
            raise PoolUnavailable
        user = people.mirror(identity)
        audit.by(user.pk)
        session = sessions.create_session_of_token(user=user, claims=claims, is_remembered=is_remembered, client=client)
        return user, self._issued(session, claims, granted.access, granted.refresh)

    def refresh(self, *, refresh_token: str, client: Client) -> Issued:
        renewal = unwrap(self.pool, refresh_token)
        session = sessions.alive(renewal.session_id)
        try:
            granted = pool_api.refresh(self.pool, username=renewal.username, refresh_token=renewal.token)
        except PoolRefused as refused:
            revoke(session_id=session.pk)
            raise SessionEnded from refused
        claims = self._fresh(read_access, granted.access)
        session = sessions.renewed(session=session, claims=claims, client=client)
        return self._issued(session, claims, granted.access, granted.refresh or renewal.token)

    def sign_out(self, *, refresh_token: str | None, access_token: str | None) -> None:
        """End the session here at once, even while the pool cannot be reached.

        The pool's own token may then stay valid, but this site renews no token of an ended session.
        """
        renewal = claims = None
        with suppress(BadToken):
            renewal = unwrap(self.pool, refresh_token or "")
        with suppress(BadToken, PoolUnavailable):
            claims = read_access(self.pool, access_token or "")
        if renewal is not None:
            sessions.end_by_id(renewal.session_id)
            with suppress(PoolRefused, PoolBusy, PoolUnavailable):
                pool_api.revoke_refresh_token(self.pool, refresh_token=renewal.token)
        if claims is not None and (renewal is None or renewal.session_id != claims.session_id):
            sessions.end_session_of_token(claims)

    def validate(self, *, access_token: str) -> AccessClaims:
        return read_access(self.pool, access_token)

    def person_behind(self, validated_token: AccessClaims) -> User:
        return sessions.person_behind(validated_token)

    def device_behind(self, *, access_token: str) -> Session:
        claims = read_access(self.pool, access_token)
        sessions.person_behind(claims)
        return sessions.alive(claims.session_id)

    def device_to_renew(self, *, refresh_token: str) -> Session:
        raise BadToken  # only the pool knows whether the token is still valid

    def tokens_again(self, session: Session) -> Issued | None:
        return None

    def _fresh(self, read: Callable[[UserPool, str], T], token: str) -> T:
        """Read a token that the pool has just issued. One that cannot be read is a wrong set-up: PoolUnavailable."""
        try:
            return read(self.pool, token)
        except BadToken as error:
            log.exception("tokens of the user pool cannot be used: see docs/cognito.md on how the app client is made")
            raise PoolUnavailable from error

    def _issued(self, session: Session, claims: AccessClaims, access: str, refresh: str) -> Issued:
        now = timezone.now()
        renewal = Renewal(session.pk, claims.username, refresh)
        return Issued(access, wrap(self.pool, renewal), claims.expires_at - now, session.expires_at - now)


def refusal_of_registration(refused: PoolRefused) -> Refusal:
    """Return a refusal for the field that the pool's message names; for a weak password in the pool's own words."""
    if refused.code == "InvalidPasswordException":
        sentence = refused.message.removeprefix("Password did not conform with policy: ")
        return Refusal(fields={"password": [sentence or "The identity provider does not take this password."]})
    for field, word, thing in (("password", "password", "password"), ("email", "username", "address")):
        if word in refused.message.lower():
            return Refusal(fields={field: [f"The identity provider does not take this {thing}."]})
    log.warning("the user pool refuses a registration: %s", refused)
    return Refusal("The identity provider does not take this registration.", code="registration_refused")
