"""Choosing a new password by a link in a mail."""

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from users_app import audit
from users_app.limits.lockout import forgive
from users_app.models import MailKind, Session, User
from users_app.services import mail
from users_app.services.followed_links import InvalidLink, follow
from users_app.services.registration import CONFIRMED, require_strong_password
from users_app.services.sessions import revoke_all


def ask_for_reset(*, email: str) -> None:
    """Post a mail. The work is the same for every address, because the worker that sends the mail finds the account."""
    mail.require_mail_quota(email)
    mail.post(kind=MailKind.RESET_PASSWORD, to=email)


def reset_password(*, uid: str, token: str, new_password: str) -> User:
    """Set the password and end every session; raises InvalidLink, and Refusal for a weak password.

    The link proves that the user has the mailbox, so an account that waits for its confirmation is confirmed too.
    """
    user, _ = follow("reset", uid=uid, token=token)
    if not user.is_active and not user.awaits_confirmation:
        raise InvalidLink
    require_strong_password(password=new_password, user=user, field="new_password")
    audit.by(user.pk)
    if not replace_password(user=user, password=new_password, has_proved_mailbox=True):
        raise InvalidLink  # another request has followed it, or changed the account in another way
    forgive(user.email)
    return user


def replace_password(
    *, user: User, password: str, has_proved_mailbox: bool = False, but: Session | None = None
) -> bool:
    """Set the password, end every session `but` one, and post a notice to the user.

    Returns False, and does nothing, when another request has changed the account since `user` was read.
    """
    encoded = make_password(password)
    proved = CONFIRMED | {"let_in_at": timezone.now()} if has_proved_mailbox else {}
    as_read = ("pk", "password", "is_active", "awaits_confirmation")
    unchanged = User.objects.filter(**{name: getattr(user, name) for name in as_read})
    with transaction.atomic():
        if not unchanged.update(password=encoded, **proved):
            return False
        user.password = encoded
        revoke_all(user=user, but=but)
        if user.is_active:
            mail.post(kind=MailKind.PASSWORD_CHANGED, to=user.email, user=user)
    return True
