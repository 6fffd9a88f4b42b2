"""How accounts begin: registered by anybody, confirmed once by whoever has the mailbox."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import ValidationError as BadRequest

from users_app import audit
from users_app.models import MailKind, User
from users_app.services import mail
from users_app.services.codes import take_code
from users_app.services.links import follow


class InvalidCode(BadRequest):
    default_detail = "This code is wrong or has expired. Follow the link in the mail, or have another mail sent."
    default_code = "invalid_code"


def register(*, email: str, password: str, name: str = "", phone: str = "", address: str = "") -> None:
    """An account that waits for its confirmation; `email` in its one spelling.

    Whether there is one already shows in the mail alone: its owner learns of it. Whoever registers again before
    confirming replaces what was given first, so that only the latest mail's link works.
    """
    mail.require_room(email)
    fields = {"password": make_password(password), "name": name, "phone": phone, "address": address}
    with transaction.atomic():
        if _start(email, fields):
            mail.post(kind=MailKind.CONFIRM_ADDRESS, to=email, user=User.objects.get(email=email))
        else:
            mail.post(kind=MailKind.ADDRESS_TAKEN, to=email)


def _start(email: str, fields: dict[str, str]) -> bool:
    """False when the address belongs to an account that was confirmed, or that staff made or closed."""
    if not User.objects.filter(email=email).exists():
        try:
            with transaction.atomic():
                User.objects.create(email=email, is_active=False, awaits_confirmation=True, **fields)
        except IntegrityError:
            pass  # somebody registered it a moment ago
        else:
            return True
    return _waiting().filter(email=email).update(**fields) == 1


def check_password(*, password: str, user: User, field: str = "password") -> None:
    """As the site's rules have it; BadRequest names the field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadRequest({field: error.messages}) from error


def confirm(*, uid: str, token: str) -> None:
    """By the link in the mail; InvalidLink for one that is wrong, used or too old."""
    user = follow("confirm", uid=uid, token=token)
    _activate(user)


def confirm_by_code(*, email: str, code: str) -> None:
    """By the digits in the mail; for an address that nobody is registering the code is as wrong as any."""
    user = _waiting().filter(email=email).first()
    if user is None or not take_code(user=user, code=code):
        raise InvalidCode
    _activate(user)


def _activate(user: User) -> None:
    """Two who do it at once both find it done."""
    audit.by(user.pk)
    _waiting().filter(pk=user.pk).update(is_active=True, email_verified=True, awaits_confirmation=False)


def _waiting() -> QuerySet[User]:
    return User.objects.filter(awaits_confirmation=True, is_active=False)


def drop_unconfirmed() -> int:
    """Remove what nobody has confirmed for long, so that its address is free again; how many accounts."""
    count, _ = _waiting().filter(date_joined__lt=timezone.now() - settings.UNCONFIRMED_LIFETIME).delete()
    return count
