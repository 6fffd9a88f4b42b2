"""The six digits in a mail that confirm an address where following its link is awkward, as on a television."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from users_app.models import ConfirmationCode, User
from users_app.signing_secrets import secrets_in_use

ATTEMPTS = 5
DIGITS = 6


def make_code(*, user: User) -> str:
    """A new one; the one before it is worth nothing any more."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    lifetime: timedelta = settings.CONFIRM_LIFETIME
    digest = _digest(user, code, settings.SECRET_KEY)
    fields = {"digest": digest, "expires_at": timezone.now() + lifetime, "attempts_left": ATTEMPTS}
    ConfirmationCode.objects.update_or_create(user=user, defaults=fields)
    return code


def take_code(*, user: User, code: str) -> bool:
    """Whether this is the person's code; each question is counted before it is answered."""
    alive = ConfirmationCode.objects.filter(user=user, attempts_left__gt=0, expires_at__gt=timezone.now())
    if not alive.update(attempts_left=F("attempts_left") - 1):
        return False
    digest = ConfirmationCode.objects.get(user=user).digest
    # A code that was mailed before the secret was changed is good for as long as it was to be.
    return any(constant_time_compare(digest, _digest(user, code, secret)) for secret in secrets_in_use())


def _digest(user: User, code: str, secret: str) -> str:
    """Keyed: a million digests are computed in a second by whoever sees the table.

    Of the password too: whoever registers the address again with another one has not confirmed it.
    """
    value = f"{user.pk}:{user.password}:{code}"
    return salted_hmac("users_app.codes", value, secret=secret, algorithm="sha256").hexdigest()
