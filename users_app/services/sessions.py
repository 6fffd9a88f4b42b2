"""Signed-in devices: opened by a sign-in, kept alive by rotation, ended by sign-out, reuse or revocation."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from users_app import audit
from users_app.clients import NO_CLIENT, Client
from users_app.models import Session, User
from users_app.tokens import (
    BadToken,
    Claims,
    RefreshClaims,
    mint_access,
    mint_refresh,
    password_mark,
    read_access,
    read_refresh,
)


class SessionEnded(BadToken):
    """The token is genuine, but its session is over: signing in again is the only way on."""

    default_detail = "This session has ended. Please sign in again."
    default_code = "session_ended"


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str
    is_remembered: bool


def lifetime_of(*, is_remembered: bool) -> timedelta:
    lifetime: timedelta = settings.REMEMBERED_SESSION_LIFETIME if is_remembered else settings.SESSION_LIFETIME
    return lifetime


def open_session(*, user: User, is_remembered: bool = False, client: Client = NO_CLIENT) -> Tokens:
    return tokens_of(create_session(user=user, is_remembered=is_remembered, client=client))


@transaction.atomic
def create_session(*, user: User, is_remembered: bool = False, client: Client = NO_CLIENT) -> Session:
    """A new session; the person's expired ones are dropped, so the table holds no more than what is alive."""
    now = timezone.now()
    user.sessions.filter(expires_at__lte=now).delete()
    session = Session.objects.create(
        user=user,
        is_remembered=is_remembered,
        expires_at=now + lifetime_of(is_remembered=is_remembered),
        address=client.address,
        user_agent=client.user_agent,
    )
    update_last_login(User, user)
    return session


def live_session(*, access_token: str) -> Session:
    """The session, with its user, that this access token belongs to: one query."""
    return _live(read_access(access_token))


def session_to_renew(*, refresh_token: str) -> Session:
    """The session, with its user, whose turn it is with this refresh token, which is not used up. Raises BadToken."""
    claims = read_refresh(refresh_token)
    session = _live(claims)
    if claims.jti != session.current_jti and not _is_within_grace(session, claims, timezone.now()):
        raise SessionEnded
    return session


def find_alive(*, session_id: uuid.UUID, user: User) -> Session | None:
    """A session of this person, unless it has ended."""
    session = live_sessions(user=user).filter(pk=session_id).first()
    if session is not None:
        session.user = user
    return session


def extend_session(session: Session) -> None:
    """As its use on the watch site does, but without new tokens; at most once in the lifetime of an access token."""
    ends_at = timezone.now() + lifetime_of(is_remembered=session.is_remembered)
    if session.expires_at < ends_at - settings.ACCESS_TOKEN_LIFETIME:
        Session.objects.filter(pk=session.pk, revoked_at=None).update(expires_at=ends_at)
        session.expires_at = ends_at


def rotate(*, refresh_token: str, client: Client = NO_CLIENT) -> Tokens:
    """Exchange a refresh token for its successor.

    Within REFRESH_GRACE of a rotation the old token and the new one both give that same successor: parallel tabs, a
    reload that lost the answer and a retry all end up with one token. After it, an old token is taken for a stolen
    one and ends the session.
    """
    claims = read_refresh(refresh_token)
    session = _live(claims)
    now = timezone.now()
    if _advance(session, claims, now, client):
        return tokens_of(session)
    session = _live(claims)
    if _is_within_grace(session, claims, now):
        return tokens_of(session)
    revoke(session_id=session.pk)
    raise SessionEnded


def end_session(*, refresh_token: str | None, access_token: str | None) -> None:
    """End the session that either token names; tokens that name none are nothing to end."""
    for token, read in ((refresh_token, read_refresh), (access_token, read_access)):
        if token is None:
            continue
        try:
            claims = read(token)
        except BadToken:
            continue
        if revoke(session_id=claims.session_id):
            audit.by(claims.user_id)


def revoke(*, session_id: uuid.UUID) -> bool:
    """End a session with every token of its family; False when it had ended before."""
    alive = Session.objects.filter(pk=session_id, revoked_at=None)
    return alive.update(revoked_at=timezone.now()) == 1


def revoke_all(*, user: User, but: Session | None = None) -> int:
    """Sign a person out everywhere, perhaps but for one device; how many sessions that ended.

    With every session of the admin site; the one device gets into that again by its own session.
    """
    user.admin_sessions_ended_at = timezone.now()
    User.objects.filter(pk=user.pk).update(admin_sessions_ended_at=user.admin_sessions_ended_at)
    ended = live_sessions(user=user)
    if but is not None:
        ended = ended.exclude(pk=but.pk)
    return ended.update(revoked_at=timezone.now())


def live_sessions(*, user: User) -> QuerySet[Session]:
    return user.sessions.filter(revoked_at=None, expires_at__gt=timezone.now())


def renew(*, session: Session, client: Client = NO_CLIENT) -> Tokens:
    """New tokens for a session whose person has just proved to be there by the password, whatever they were before.

    SessionEnded when it was ended a moment ago.
    """
    now = timezone.now()
    fields = {
        "current_jti": uuid.uuid4(),
        "previous_jti": None,
        "rotated_at": now,
        "expires_at": now + lifetime_of(is_remembered=session.is_remembered),
        "address": client.address,
        "user_agent": client.user_agent,
    }
    if not Session.objects.filter(pk=session.pk, revoked_at=None).update(**fields):
        raise SessionEnded
    return tokens_of(_with(session, fields))


def _live(claims: Claims) -> Session:
    """The session of these claims with its user, unless it has ended in one of the ways a session can."""
    session = Session.objects.select_related("user").filter(pk=claims.session_id, user_id=claims.user_id).first()
    if session is None or session.revoked_at is not None or session.expires_at <= timezone.now():
        raise SessionEnded
    if not session.user.is_active or password_mark(session.user) != claims.password_mark:
        raise SessionEnded
    return session


def _advance(session: Session, claims: RefreshClaims, now: datetime, client: Client) -> bool:
    """Make the successor the current token; False when it is not this token's turn, or was a moment ago."""
    settled = Q(rotated_at=None) | Q(rotated_at__lte=now - settings.REFRESH_GRACE)
    fields = {
        "current_jti": uuid.uuid4(),
        "previous_jti": claims.jti,
        "rotated_at": now,
        "expires_at": now + lifetime_of(is_remembered=session.is_remembered),
        "address": client.address,
        "user_agent": client.user_agent,
    }
    rows = Session.objects.filter(settled, pk=session.pk, current_jti=claims.jti, revoked_at=None).update(**fields)
    _with(session, fields)
    return rows == 1


def _with(session: Session, fields: Mapping[str, object]) -> Session:
    for name, value in fields.items():
        setattr(session, name, value)
    return session


def _is_within_grace(session: Session, claims: RefreshClaims, now: datetime) -> bool:
    is_recent = session.rotated_at is not None and session.rotated_at > now - settings.REFRESH_GRACE
    return is_recent and claims.jti in {session.current_jti, session.previous_jti}


def tokens_of(session: Session) -> Tokens:
    return Tokens(mint_access(session), mint_refresh(session), session.is_remembered)
