"""Six digits in the mail that confirm an address where following a link is awkward, as on a television."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from users_app.models import ConfirmationCode, User
from users_app.signing_secrets import secrets_in_use

MAX_ATTEMPTS = 5  # after these only the link in the mail is left
DIGITS = 6


def make_code(*, user: User) -> str:
    """Return a new code, which replaces the user's previous one."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    lifetime: timedelta = settings.CONFIRM_LIFETIME
    digest = _digest(user, code, settings.SECRET_KEY)
    fields = {"digest": digest, "expires_at": timezone.now() + lifetime, "attempts_left": MAX_ATTEMPTS}
    ConfirmationCode.objects.update_or_create(user=user, defaults=fields)
    return code


def take_code(*, user: User, code: str) -> bool:
    """True when this is the user's code; each call takes one of MAX_ATTEMPTS."""
    # Counted before the comparison, so that parallel requests get no extra attempts.
    alive = ConfirmationCode.objects.filter(user=user, attempts_left__gt=0, expires_at__gt=timezone.now())
    if not alive.update(attempts_left=F("attempts_left") - 1):
        return False
    digest = ConfirmationCode.objects.get(user=user).digest
    # A code that was mailed before the secret was changed stays valid until it expires.
    return any(constant_time_compare(digest, _digest(user, code, secret)) for secret in secrets_in_use())


def _digest(user: User, code: str, secret: str) -> str:
    # Keyed, because an attacker who sees the table could compute a million plain digests in a second. With the password
    # in it, because someone who registers the address again with another password has not confirmed it.
    value = f"{user.pk}:{user.password}:{code}"
    return salted_hmac("users_app.codes", value, secret=secret, algorithm="sha256").hexdigest()
