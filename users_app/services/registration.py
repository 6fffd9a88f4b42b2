"""How accounts begin: anyone may register an address, and its owner confirms it once."""

from contextlib import suppress

from django.conf import settings
from django.contrib.auth.hashers import check_password as check_hash
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet
from django.utils import timezone

from background.refusals import Refusal
from users_app import audit
from users_app.models import ConfirmationCode, Mail, MailKind, User
from users_app.services import mail
from users_app.services.accounts import note_registration
from users_app.services.codes import take_code
from users_app.services.followed_links import InvalidLink, follow

CONFIRMED = {"is_active": True, "email_verified": True, "awaits_confirmation": False}
# Rows that come with a registration; any other row makes it an account that is kept.
OWN_ROWS = (ConfirmationCode, Mail)


class InvalidCode(Refusal):
    sentence = "This code is wrong or has expired. Follow the link in the e-mail, or request a new e-mail."
    code = "invalid_code"


def register_account(*, email: str, password: str, name: str = "", phone: str = "", address: str = "") -> None:
    """Make an account that waits for its confirmation, and post a mail; `email` in its normalized spelling.

    For a taken address the answer is the same, and its owner gets a notice. Registering again before confirming, with
    the same password, sends a new link that replaces the old one. With another password it is unknown who was first:
    the earlier data is dropped, and the owner of the mailbox chooses a password by the link.
    """
    mail.require_mail_quota(email)
    fields = {"password": make_password(password), "name": name, "phone": phone, "address": address}
    earlier = _registrations().filter(email=email).values_list("password", flat=True).first()
    # Checked for a free address too, so that the time of the answer tells nothing.
    is_same_password = check_hash(password, earlier or fields["password"])
    note_registration(email=email, password=password)
    with transaction.atomic():
        if _save_registration(email, fields, earlier if is_same_password else None):
            mail.post(kind=MailKind.CONFIRM_ADDRESS, to=email, user=User.objects.get(email=email))
        else:
            mail.post(kind=MailKind.ADDRESS_TAKEN, to=email)


def _save_registration(email: str, fields: dict[str, str], earlier: str | None) -> bool:
    """Make a registration, or renew the one of this address; returns False for the address of any other account.

    `earlier` is the stored hash of an earlier registration with the same password.
    """
    again = {"date_joined": timezone.now()}
    if earlier is not None:
        if _registrations().filter(email=email, password=earlier).update(**fields, **again):
            return True
    elif not User.objects.filter(email=email).exists():
        # IntegrityError: another request registered the address a moment ago.
        with suppress(IntegrityError), transaction.atomic():
            User.objects.create(email=email, is_active=False, awaits_confirmation=True, **fields)
            return True
    # Registered with another password, or by another request at this moment: it is unknown whose data are the owner's.
    dropped = {"password": make_password(None), "name": "", "phone": "", "address": ""}
    return bool(_registrations().filter(email=email).update(**dropped, **again))


def require_strong_password(*, password: str, user: User, field: str = "password") -> None:
    """Raise Refusal for `field` unless the password meets AUTH_PASSWORD_VALIDATORS."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refusal(fields={field: error.messages}) from error


def confirm(*, uid: str, token: str) -> None:
    """Activate an account by the link in the mail; raises InvalidLink for a wrong, used or expired one."""
    user, _ = follow("confirm", uid=uid, token=token)
    if not _activate(user):
        raise InvalidLink


def confirm_by_code(*, email: str, code: str) -> None:
    """Activate an account by the digits in the mail; raises InvalidCode, also for an address without a registration."""
    user = _unconfirmed().filter(email=email).first()
    if user is None or not take_code(user=user, code=code) or not _activate(user):
        raise InvalidCode


def _activate(user: User) -> bool:
    """Return False when the address was registered with another password since `user` was read."""
    audit.by(user.pk)
    same = User.objects.filter(pk=user.pk, password=user.password)
    done = same.filter(awaits_confirmation=True, is_active=False).update(**CONFIRMED, let_in_at=timezone.now())
    # The second of two requests at the same moment finds the account active, which confirms it as well.
    return bool(done) or same.filter(is_active=True).exists()


def _unconfirmed() -> QuerySet[User]:
    return User.objects.filter(awaits_confirmation=True, is_active=False)


def _registrations() -> QuerySet[User]:
    """Return the accounts that were never confirmed, without older ones that staff set back to unconfirmed."""
    return _unconfirmed().filter(let_in_at=None, email_verified=False, last_login=None)


def drop_unconfirmed() -> int:
    """Delete registrations older than UNCONFIRMED_LIFETIME, which frees their addresses; returns their number.

    An account is kept while it has rows of any app besides OWN_ROWS.
    """
    late = _registrations().filter(date_joined__lt=timezone.now() - settings.UNCONFIRMED_LIFETIME)
    for relation in User._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            model = relation.related_model
            if not (issubclass(model, OWN_ROWS) or model._meta.auto_created):
                late = late.filter(~Exists(model._base_manager.filter(**{relation.field.name: OuterRef("pk")})))
    with transaction.atomic():
        # Locked, so that no user confirms an account that is being deleted.
        ids = list(late.select_for_update().values_list("pk", flat=True))
        User.objects.filter(pk__in=ids).delete()
    return len(ids)
