"""What people do with their own account: password, address, export, and leaving."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from background.refusals import Refusal
from users_app import audit
from users_app.clients import Client
from users_app.models import MailKind, Session, User
from users_app.registry import account_erasure, account_export
from users_app.services import mail
from users_app.services.accounts import LastAdmin, require_another_admin, require_password
from users_app.services.links import InvalidLink, follow_to
from users_app.services.recovery import replace_password
from users_app.services.registration import check_password
from users_app.services.sessions import Tokens, live_sessions, open_session, renew, revoke_all

ERASED = "erased.invalid"  # a domain that no mail reaches; what stands before it nobody can register first


def change_own_password(
    *, user: User, session: Session | None, current_password: str, new_password: str, client: Client
) -> Tokens:
    """Every other session ends; the one that asks goes on, with new tokens."""
    require_password(user=user, password=current_password, client=client, field="current_password")
    check_password(password=new_password, user=user, field="new_password")
    with transaction.atomic():
        replace_password(user=user, password=new_password, but=session)
        if session is None:
            return open_session(user=user, client=client)
        session.user = user
        return renew(session=session, client=client)


def ask_for_new_address(*, user: User, new_email: str, password: str, client: Client) -> None:
    """It changes when the link is followed that goes there; the address of now is told that somebody asked."""
    require_password(user=user, password=password, client=client)
    if new_email == user.email:
        raise Refusal(fields={"new_email": ["This is your address already."]})
    mail.require_mail_quota(new_email)
    with transaction.atomic():
        mail.post(kind=MailKind.CONFIRM_NEW_ADDRESS, to=new_email, user=user)
        mail.post(kind=MailKind.ADDRESS_CHANGE_ASKED, to=user.email, user=user)


def confirm_new_address(*, uid: str, token: str) -> None:
    """InvalidLink also when somebody else has the address by now."""
    user, new_email = follow_to("new_address", uid=uid, token=token)
    audit.by(user.pk)
    waiting = User.objects.filter(pk=user.pk, email=user.email, password=user.password, is_active=True)
    try:
        with transaction.atomic():
            if not waiting.update(email=new_email, email_verified=True, address_changed_at=timezone.now()):
                raise InvalidLink
            mail.post(kind=MailKind.ADDRESS_CHANGED, to=user.email, user=user)
    except IntegrityError as error:
        raise InvalidLink from error


def export(*, user: User) -> dict[str, Any]:
    """Everything that is kept about a person, as JSON has it."""
    return {
        "exported_at": timezone.now(),
        "account": {
            name: getattr(user, name)
            for name in ("id", "email", "name", "phone", "address", "role", "email_verified", "date_joined")
        },
        "sessions": list(
            live_sessions(user=user).values("created_at", "rotated_at", "expires_at", "address", "user_agent")
        ),
        **({"identity_provider": {"sub": user.cognito_sub}} if user.cognito_sub else {}),
        **account_export.collect(user),
    }


def delete(*, user: User, password: str, client: Client) -> None:
    """For good. What belongs to the books stays, and no longer says whose it was."""
    require_password(user=user, password=password, client=client)
    with transaction.atomic():
        try:
            require_another_admin(user=user)
        except LastAdmin as error:
            raise LastAdmin("You are the last admin: make somebody else an admin first.") from error
        mail.post(kind=MailKind.ACCOUNT_DELETED, to=user.email)
        account_erasure.run(user)
        erase(user)


def erase(user: User) -> None:
    revoke_all(user=user)
    user.sessions.all().delete()
    user.groups.clear()
    user.email, user.name, user.phone, user.address = f"{user.pk}-{uuid.uuid4().hex}@{ERASED}", "", "", ""
    user.is_active = user.is_staff = user.is_superuser = user.email_verified = user.awaits_confirmation = False
    user.cognito_sub, user.erased_at = None, timezone.now()
    user.set_unusable_password()
    user.save()
