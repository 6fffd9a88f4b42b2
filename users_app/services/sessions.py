"""Sessions of signed-in devices: opened by a sign-in, renewed by rotation, ended by sign-out, reuse or revocation."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from users_app import audit
from users_app.clients import NO_CLIENT, Client
from users_app.models import Session, User, session_lifetime
from users_app.tokens import (
    BadToken,
    RefreshToken,
    SessionToken,
    mint_access,
    mint_refresh,
    password_mark,
    read_access,
    read_refresh,
)


class SessionEnded(BadToken):
    """The token is genuine, but its session has ended: the user has to sign in again."""

    default_detail = "This session has ended. Please sign in again."
    default_code = "session_ended"


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str
    is_remembered: bool


def open_session(*, user: User, is_remembered: bool = False, client: Client = NO_CLIENT) -> Tokens:
    return tokens_of(create_session(user=user, is_remembered=is_remembered, client=client))


def create_session(*, user: User, is_remembered: bool = False, client: Client = NO_CLIENT) -> Session:
    return Session.objects.open(
        user=user, is_remembered=is_remembered, address=client.address, user_agent=client.user_agent
    )


def live_session(*, access_token: str) -> Session:
    """Return the session of this access token, with its user, by one query. Raises BadToken or SessionEnded."""
    return session_behind(read_access(access_token))


def session_to_renew(*, refresh_token: str) -> Session:
    """Return the session, with its user, that this token may refresh; does not use it up. Raises BadToken."""
    token = read_refresh(refresh_token)
    session = session_behind(token)
    if token.jti != session.current_jti and not _is_within_grace(session, token, timezone.now()):
        raise SessionEnded
    return session


def find_alive(*, session_id: uuid.UUID, user: User) -> Session | None:
    """Return this session of the user, or None when it has ended."""
    session = live_sessions(user=user).filter(pk=session_id).first()
    if session is not None:
        session.user = user
    return session


def extend_session(session: Session) -> None:
    """Prolong the session without new tokens; writes at most once in the lifetime of an access token."""
    ends_at = timezone.now() + session_lifetime(is_remembered=session.is_remembered)
    if session.expires_at < ends_at - settings.ACCESS_TOKEN_LIFETIME:
        Session.objects.filter(pk=session.pk, revoked_at=None).update(expires_at=ends_at)
        session.expires_at = ends_at


def rotate(*, refresh_token: str, client: Client = NO_CLIENT) -> Tokens:
    """Exchange a refresh token for its successor.

    Within REFRESH_GRACE of a rotation the old token and the new one both give that same successor, so that parallel
    tabs, a reload that lost the answer and a retry all end up with one token. After that, the old token ends the
    session. Raises BadToken or SessionEnded.
    """
    token = read_refresh(refresh_token)
    session = session_behind(token)
    now = timezone.now()
    # A second rotation within the grace would push out the token that a slow tab still holds.
    is_settled = Q(rotated_at=None) | Q(rotated_at__lte=now - settings.REFRESH_GRACE)
    fields = {
        "current_jti": uuid.uuid4(),
        "previous_jti": token.jti,
        "rotated_at": now,
        "expires_at": now + session_lifetime(is_remembered=session.is_remembered),
        "address": client.address,
        "user_agent": client.user_agent,
    }
    if Session.objects.filter(is_settled, pk=session.pk, current_jti=token.jti, revoked_at=None).update(**fields):
        return tokens_of(_set_fields(session, fields), after=token)
    # Read again: a parallel request may have rotated the token a moment ago.
    session = session_behind(token)
    if _is_within_grace(session, token, now):
        return tokens_of(session, after=token)
    # The token was exchanged earlier and is used again, so one of its holders may have stolen it.
    revoke(session_id=session.pk)
    raise SessionEnded


def end_session(*, refresh_token: str | None, access_token: str | None) -> None:
    """End the session that either token names; an invalid token is ignored."""
    for text, read in ((refresh_token, read_refresh), (access_token, read_access)):
        if text is None:
            continue
        try:
            token: SessionToken = read(text)
        except BadToken:
            continue
        if revoke(session_id=token.session_id):
            audit.by(token.user_id)


def revoke(*, session_id: uuid.UUID) -> bool:
    """End a session with every token of its family; returns False when it had ended before."""
    alive = Session.objects.filter(pk=session_id, revoked_at=None)
    return alive.update(revoked_at=timezone.now()) == 1


def revoke_all(*, user: User, but: Session | None = None) -> int:
    """End every session of the user except `but`, and every admin session; returns the number of the former."""
    # Staff whose device stays signed in get into the admin site again by the session that is left.
    user.admin_sessions_ended_at = timezone.now()
    User.objects.filter(pk=user.pk).update(admin_sessions_ended_at=user.admin_sessions_ended_at)
    ended = live_sessions(user=user)
    if but is not None:
        ended = ended.exclude(pk=but.pk)
    return ended.update(revoked_at=timezone.now())


def live_sessions(*, user: User) -> QuerySet[Session]:
    return user.sessions.filter(revoked_at=None, expires_at__gt=timezone.now())


def renew(*, session: Session, client: Client = NO_CLIENT) -> Tokens:
    """Return new tokens for a session whose user has just given the password; the old tokens are no longer valid.

    Raises SessionEnded when the session has been ended meanwhile.
    """
    now = timezone.now()
    fields = {
        "current_jti": uuid.uuid4(),
        "previous_jti": None,
        "rotated_at": now,
        "expires_at": now + session_lifetime(is_remembered=session.is_remembered),
        "address": client.address,
        "user_agent": client.user_agent,
    }
    if not Session.objects.filter(pk=session.pk, revoked_at=None).update(**fields):
        raise SessionEnded
    return tokens_of(_set_fields(session, fields))


def session_behind(token: SessionToken) -> Session:
    """Return the session of this token, with its user.

    Raises SessionEnded when it is over, its user is not active, or the password has changed since the token was made.
    """
    session = Session.objects.select_related("user").filter(pk=token.session_id, user_id=token.user_id).first()
    if session is None or session.revoked_at is not None or session.expires_at <= timezone.now():
        raise SessionEnded
    if not session.user.is_active or password_mark(session.user) != token.password_mark:
        raise SessionEnded
    return session


def _set_fields(session: Session, fields: Mapping[str, object]) -> Session:
    for name, value in fields.items():
        setattr(session, name, value)
    return session


def _is_within_grace(session: Session, token: RefreshToken, now: datetime) -> bool:
    is_recent = session.rotated_at is not None and session.rotated_at > now - settings.REFRESH_GRACE
    return is_recent and token.jti in {session.current_jti, session.previous_jti}


def tokens_of(session: Session, *, after: RefreshToken | None = None) -> Tokens:
    """Return both tokens of the session in its present state.

    `after` is the refresh token that was exchanged: claims that a site has added to it are copied into both.
    """
    return Tokens(mint_access(session, after=after), mint_refresh(session, after=after), session.is_remembered)
