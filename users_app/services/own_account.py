"""What users do with their own account: changing password and address, exporting it, deleting it."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from background.refusals import Refusal
from users_app import audit
from users_app.clients import Client
from users_app.hooks import account_erasure, account_export
from users_app.models import MailKind, Session, User
from users_app.services import mail
from users_app.services.accounts import require_another_admin, require_password
from users_app.services.followed_links import InvalidLink, follow
from users_app.services.recovery import replace_password
from users_app.services.registration import require_strong_password
from users_app.services.sessions import SessionEnded, Tokens, live_sessions, renew, revoke_all

ERASED_DOMAIN = "erased.invalid"  # reserved, so that no mail reaches it


class PasswordChanged(Refusal):
    """The current password was right when it was checked, and another request has changed it since."""

    code = "password_changed"
    sentence = "This is no longer your password: it was changed a moment ago."

    def __init__(self) -> None:
        super().__init__(fields={"current_password": [self.sentence]})


def change_own_password(
    *, user: User, session: Session, current_password: str, new_password: str, client: Client
) -> Tokens:
    """Change the password, end every other session and return new tokens for this one.

    Raises Refusal for either field, PasswordChanged when another request was quicker, and SessionEnded when the session
    has been ended meanwhile.
    """
    require_password(user=user, password=current_password, client=client, field="current_password")
    require_strong_password(password=new_password, user=user, field="new_password")
    with transaction.atomic():
        if replace_password(user=user, password=new_password, but=session):
            session.user = user
            return renew(session=session, client=client)
    # Another request has changed the account. A change of the password leaves the session that it came from alive.
    if live_sessions(user=user).filter(pk=session.pk, user__is_active=True).exists():
        raise PasswordChanged
    raise SessionEnded


def ask_for_new_address(*, user: User, new_email: str, password: str, client: Client) -> None:
    """Send a link to the new address, which changes it when it is followed, and a notice to the present one."""
    require_password(user=user, password=password, client=client)
    if new_email == user.email:
        raise Refusal(fields={"new_email": ["This is already your address."]})
    mail.require_mail_quota(new_email)
    with transaction.atomic():
        mail.post(kind=MailKind.CONFIRM_NEW_ADDRESS, to=new_email, user=user)
        mail.post(kind=MailKind.ADDRESS_CHANGE_ASKED, to=user.email, user=user)


def confirm_new_address(*, uid: str, token: str) -> None:
    """Change the address by the link in the mail; raises InvalidLink, also when another account has taken it."""
    user, new_email = follow("new_address", uid=uid, token=token)
    audit.by(user.pk)
    # Compared once more in the update, because another request may change either after `follow` has read the account.
    unchanged = User.objects.filter(pk=user.pk, email=user.email, password=user.password, is_active=True)
    try:
        with transaction.atomic():
            if not unchanged.update(email=new_email, email_verified=True, address_changed_at=timezone.now()):
                raise InvalidLink
            mail.post(kind=MailKind.ADDRESS_CHANGED, to=user.email, user=user)
    except IntegrityError as error:
        raise InvalidLink from error


def export(*, user: User) -> dict[str, Any]:
    """Return everything that is kept about the user, as values that JSON can hold."""
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
    """Delete the account for good: its row stays for the purchases, without anything that identifies the user."""
    require_password(user=user, password=password, client=client)
    with transaction.atomic():
        require_another_admin(user=user)
        mail.post(kind=MailKind.ACCOUNT_DELETED, to=user.email)
        account_erasure.run(user)
        revoke_all(user=user)
        user.sessions.all().delete()
        user.groups.clear()
        # Unique, and not to be guessed, so that nobody can register the address first and block the deletion.
        user.email = f"{user.pk}-{uuid.uuid4().hex}@{ERASED_DOMAIN}"
        user.name = user.phone = user.address = ""
        user.is_active = user.is_staff = user.is_superuser = user.email_verified = user.awaits_confirmation = False
        user.cognito_sub, user.erased_at = None, timezone.now()
        user.set_unusable_password()
        user.save()
