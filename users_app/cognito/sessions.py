"""Sessions of people of a user pool: each has a row, by which signing out ends its tokens here at once.

The id of the row is the `origin_jti` that the pool puts into the tokens of a sign-in and of its renewals.
"""

import uuid
from datetime import datetime

from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from users_app import audit
from users_app.clients import Client
from users_app.cognito.tokens import AccessClaims
from users_app.models import Session, User, session_lifetime
from users_app.services.sessions import SessionEnded, revoke


def person_behind(claims: AccessClaims) -> User:
    """Return the account of the token, by one query.

    Raises SessionEnded when the account is closed, the person has none here, or the session has been ended.
    """
    ended = Session.objects.filter(pk=claims.session_id, revoked_at__isnull=False)
    user = User.objects.filter(~Exists(ended), cognito_sub=claims.sub, is_active=True).first()
    if user is None:
        raise SessionEnded
    return user


@transaction.atomic
def create_session_of_token(*, user: User, claims: AccessClaims, is_remembered: bool, client: Client) -> Session:
    user.sessions.filter(expires_at__lte=timezone.now()).delete()
    session = Session.objects.create(
        pk=claims.session_id,
        user=user,
        is_remembered=is_remembered,
        expires_at=end_of(claims.expires_at, is_remembered=is_remembered),
        address=client.address,
        user_agent=client.user_agent,
    )
    update_last_login(User, user)
    return session


def end_of(access_expires_at: datetime, *, is_remembered: bool) -> datetime:
    # A client has no reason to renew before the access token ends, however long that is by the pool's settings.
    return access_expires_at + session_lifetime(is_remembered=is_remembered)


def alive(session_id: uuid.UUID) -> Session:
    """Return the session, with its user. Raises SessionEnded unless it may be renewed."""
    session = Session.objects.select_related("user").filter(pk=session_id, revoked_at=None).first()
    if session is None or session.expires_at <= timezone.now() or not session.user.is_active:
        raise SessionEnded
    return session


def renewed(*, session: Session, claims: AccessClaims, client: Client) -> Session:
    """Update the session to its new tokens and return it. Raises SessionEnded when it is over or another person's."""
    if claims.sub != session.user.cognito_sub:
        raise SessionEnded
    fields = {
        "id": claims.session_id,  # a pool that rotates refresh tokens may give each renewal another id
        "rotated_at": timezone.now(),
        "expires_at": end_of(claims.expires_at, is_remembered=session.is_remembered),
        "address": client.address,
        "user_agent": client.user_agent,
    }
    if not Session.objects.filter(pk=session.pk, revoked_at=None).update(**fields):
        raise SessionEnded
    for name, value in fields.items():
        setattr(session, name, value)
    return session


def end_session_of_token(claims: AccessClaims) -> None:
    """End the session and note its user for the audit trail; does nothing for a person without an account here."""
    user = User.objects.filter(cognito_sub=claims.sub).first()
    if user is None:
        return
    # A sign-in at the pool's own page has no row yet, and only a row can hold that it has ended.
    Session.objects.get_or_create(pk=claims.session_id, defaults={"user": user, "expires_at": claims.expires_at})
    if revoke(session_id=claims.session_id):
        audit.by(user.pk)


def end_by_id(session_id: uuid.UUID) -> None:
    """End the session and note its user for the audit trail, unless it had ended before."""
    if not revoke(session_id=session_id):
        return
    user_id = Session.objects.filter(pk=session_id).values_list("user_id", flat=True).first()
    if user_id is not None:  # else the session has been deleted since
        audit.by(user_id)
