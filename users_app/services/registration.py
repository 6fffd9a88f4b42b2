"""How accounts begin: registered by anybody, confirmed once by whoever has the mailbox."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.hashers import check_password as check_hash
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, ForeignObjectRel, Model, OuterRef, QuerySet
from django.utils import timezone

from background.refusals import Refusal
from users_app import audit
from users_app.models import ConfirmationCode, Mail, MailKind, User
from users_app.services import mail
from users_app.services.accounts import note_registration
from users_app.services.codes import take_code
from users_app.services.links import InvalidLink, follow

CONFIRMED = {"is_active": True, "email_verified": True, "awaits_confirmation": False}
# Rows that a registration has by itself; any other that belongs to an account makes it more than one.
OWN_ROWS = (ConfirmationCode, Mail)


class InvalidCode(Refusal):
    sentence = "This code is wrong or has expired. Follow the link in the mail, or have another mail sent."
    code = "invalid_code"


def register_account(*, email: str, password: str, name: str = "", phone: str = "", address: str = "") -> None:
    """An account that waits for its confirmation; `email` in its one spelling.

    Whether there is one already shows in the mail alone: its owner learns of it. Registering again with the same
    password before confirming has another mail sent, of which alone the link works. With another password nobody knows
    who was first: what was given is dropped, and whoever has the mailbox chooses the password by the mail.
    """
    mail.require_mail_quota(email)
    fields = {"password": make_password(password), "name": name, "phone": phone, "address": address}
    before = _never_let_in().filter(email=email).values_list("password", flat=True).first()
    # As much work for an address that nobody has.
    is_known = check_hash(password, before or fields["password"])
    note_registration(email=email, password=password)
    with transaction.atomic():
        if _begin(email, fields, before if is_known else None):
            mail.post(kind=MailKind.CONFIRM_ADDRESS, to=email, user=User.objects.get(email=email))
        else:
            mail.post(kind=MailKind.ADDRESS_TAKEN, to=email)


def _begin(email: str, fields: dict[str, str], before: str | None) -> bool:
    """False when the address belongs to an account that was confirmed, or that staff made or closed.

    `before`: the stored hash that whoever registers knows the password of.
    """
    if before is None and _create(email, fields):
        return True
    again = {"date_joined": timezone.now()}
    if before is not None and _never_let_in().filter(email=email, password=before).update(**fields, **again):
        return True
    dropped = {"password": make_password(None), "name": "", "phone": "", "address": ""}
    return bool(_never_let_in().filter(email=email).update(**dropped, **again))


def _create(email: str, fields: dict[str, str]) -> bool:
    if User.objects.filter(email=email).exists():
        return False
    try:
        with transaction.atomic():
            User.objects.create(email=email, is_active=False, awaits_confirmation=True, **fields)
    except IntegrityError:  # somebody registered it a moment ago
        return False
    return True


def check_password(*, password: str, user: User, field: str = "password") -> None:
    """As the site's rules have it; Refusal names the field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refusal(fields={field: error.messages}) from error


def confirm(*, uid: str, token: str) -> None:
    """By the link in the mail; InvalidLink for one that is wrong, used or too old."""
    if not _activate(follow("confirm", uid=uid, token=token)):
        raise InvalidLink


def confirm_by_code(*, email: str, code: str) -> None:
    """By the digits in the mail; for an address that nobody is registering the code is as wrong as any."""
    user = _waiting().filter(email=email).first()
    if user is None or not take_code(user=user, code=code) or not _activate(user):
        raise InvalidCode


def _activate(user: User) -> bool:
    """Two who do it at once both find it done; False when it was registered with another password meanwhile."""
    audit.by(user.pk)
    same = User.objects.filter(pk=user.pk, password=user.password)
    done = same.filter(awaits_confirmation=True, is_active=False).update(**CONFIRMED, let_in_at=timezone.now())
    return bool(done) or same.filter(is_active=True).exists()


def _waiting() -> QuerySet[User]:
    return User.objects.filter(awaits_confirmation=True, is_active=False)


def _never_let_in() -> QuerySet[User]:
    """Those that wait and were never more than registered: staff may have an older account confirmed anew."""
    return _waiting().filter(let_in_at=None, email_verified=False, last_login=None)


def drop_unconfirmed() -> int:
    """Remove what nobody has confirmed for long, so that its address is free again; how many accounts."""
    late = _never_let_in().filter(date_joined__lt=timezone.now() - settings.UNCONFIRMED_LIFETIME)
    for rows in _holdings():
        late = late.filter(~Exists(rows))
    with transaction.atomic():
        # Held, so that nobody confirms what is being removed.
        ids = list(late.select_for_update().values_list("pk", flat=True))
        User.objects.filter(pk__in=ids).delete()
    return len(ids)


def _holdings() -> Iterator[QuerySet[Model]]:
    """For each model of any app that points to a person: the rows that point to the one who is asked about."""
    for relation in User._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            model = relation.related_model
            if not (issubclass(model, OWN_ROWS) or model._meta.auto_created):
                yield model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
