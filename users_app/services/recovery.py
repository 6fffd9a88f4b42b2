"""How somebody comes in again who has forgotten the password."""

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from users_app import audit
from users_app.limits.lockout import forgive
from users_app.models import MailKind, Session, User
from users_app.services import mail
from users_app.services.links import InvalidLink, follow
from users_app.services.registration import CONFIRMED, check_password
from users_app.services.sessions import revoke_all


def ask_for_reset(*, email: str) -> None:
    """Does the same for every address; whether anybody has it shows when the mail is made."""
    mail.require_mail_quota(email)
    mail.post(kind=MailKind.RESET_PASSWORD, to=email)


def reset_password(*, uid: str, token: str, new_password: str) -> User:
    """Set the password by the link in the mail, which proves the mailbox too; every session ends.

    An account that waits for its confirmation has it by that.
    """
    user = follow("reset", uid=uid, token=token)
    if not user.is_active and not user.awaits_confirmation:
        raise InvalidLink
    check_password(password=new_password, user=user, field="new_password")
    audit.by(user.pk)
    replace_password(user=user, password=new_password, has_proved_mailbox=True)
    forgive(user.email)
    return user


def replace_password(
    *, user: User, password: str, has_proved_mailbox: bool = False, but: Session | None = None
) -> None:
    """And tell its owner; every session ends `but` one. InvalidLink when somebody else replaced it a moment ago."""
    encoded = make_password(password)
    proved = CONFIRMED | {"let_in_at": timezone.now()} if has_proved_mailbox else {}
    as_read = ("pk", "password", "is_active", "awaits_confirmation")
    unchanged = User.objects.filter(**{name: getattr(user, name) for name in as_read})
    with transaction.atomic():
        if not unchanged.update(password=encoded, **proved):
            raise InvalidLink
        user.password = encoded
        revoke_all(user=user, but=but)
        if user.is_active:
            mail.post(kind=MailKind.PASSWORD_CHANGED, to=user.email, user=user)
