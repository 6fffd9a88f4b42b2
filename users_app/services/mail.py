"""Mails: a request adds a row, a worker sends it, and tries again until the mail is sent or given up.

The worker looks the recipient up and composes the text, so that a request takes equally long for an address without an
account.
"""

import logging
import math
import smtplib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from background.leases import LeaseLost
from background.queue import enqueue_lost
from background.refusals import Kind, Refusal
from background.retry import Retry
from users_app import queue
from users_app.limits.counters import counters
from users_app.limits.rates import mark_of, take_turn
from users_app.models import Mail, MailKind, User
from users_app.services.codes import make_code
from users_app.services.mail_links import confirm_link, forgot_page, new_address_link, reset_link, sign_in_page

log = logging.getLogger(__name__)

HOUR_S = 3600
MAX_ATTEMPTS = 6
PAUSE_FACTOR = 4  # pauses of 1, 4 and 16 minutes, then about 1 and 4 hours
KEPT_DAYS = 30  # a mail that was given up, for users who ask why nothing came
PERMANENT = range(500, 600)  # SMTP reply codes
SUBJECTS = {
    MailKind.CONFIRM_ADDRESS: "Confirm your address",
    MailKind.CHOOSE_PASSWORD: "Confirm your address and choose a password",
    MailKind.ADDRESS_TAKEN: "You already have an account",
    MailKind.RESET_PASSWORD: "Choose a new password",
    MailKind.PASSWORD_CHANGED: "Your password was changed",
    MailKind.CONFIRM_NEW_ADDRESS: "Confirm your new address",
    MailKind.ADDRESS_CHANGE_ASKED: "Your address is about to change",
    MailKind.ADDRESS_CHANGED: "Your address was changed",
    MailKind.ACCOUNT_DELETED: "Your account was deleted",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """The template of a mail and the values for it."""

    kind: MailKind
    context: dict[str, object] = field(default_factory=dict)


class TooManyMails(Refusal):
    kind = Kind.TOO_OFTEN
    sentence = "Several e-mails have been sent to this address already. Please look in the spam folder too."
    code = "too_many_mails"


def require_mail_quota(to: str) -> None:
    """Raise TooManyMails after MAILS_AN_HOUR requests for an address, whether or not it has an account."""
    limit: int = settings.MAILS_AN_HOUR
    wait_s = counters().ask(lambda store: take_turn(store, f"mail:{mark_of(to)}", limit, HOUR_S)) if limit else 0
    if wait_s:
        raise TooManyMails(wait_s=math.ceil(wait_s))


def post(*, kind: MailKind, to: str, user: User | None = None) -> None:
    """Add a mail, to be sent once the transaction is committed."""
    mail = Mail.objects.create(kind=kind, to=to, user=user)
    transaction.on_commit(lambda: queue.enqueue_mail(mail.pk))


def send(*, mail_id: int) -> None:
    """Send the mail; returns quietly when it is gone, given up, not due yet, or held by another worker."""
    waiting = Mail.objects.select_related("user").filter(pk=mail_id, given_up_at=None)
    failed = waiting.values_list("attempts", flat=True).first() or 0
    retry = Retry(first_s=settings.MAIL_RETRY_SECONDS, factor=PAUSE_FACTOR, tries=MAX_ATTEMPTS)
    # If this worker dies, another one sends the mail after the pause that would follow a failure. The pauses grow, so
    # that a mail which ends each worker that sends it is tried less and less often.
    mail: Mail | None = waiting.take(until=timezone.now() + timedelta(seconds=retry.wait_s(failed + 1)))
    if mail is None:
        return
    try:
        deliver(mail)
    except (OSError, smtplib.SMTPException) as error:
        is_over = _is_permanent(error) or retry.is_over(mail.attempts)
        reason = _without_address(error)
        log.warning("mail %s (%s) was not sent, attempt %s: %s", mail.pk, mail.kind, mail.attempts, reason)
        with suppress(LeaseLost):  # the account was deleted, and the mail with it
            mail.release(
                until=timezone.now() + timedelta(seconds=retry.wait_s(mail.attempts)),
                problem=str(error)[:300],
                given_up_at=timezone.now() if is_over else None,
            )
    else:
        # Also when the lease has ended meanwhile: the mail is sent.
        mail.delete()


def deliver(mail: Mail) -> None:
    """Compose the mail and hand it to EMAIL_BACKEND; sends nothing where `compose` returns None."""
    letter = compose(mail)
    if letter is None:
        return
    message = EmailMultiAlternatives(
        SUBJECTS[letter.kind], render_to_string(f"emails/{letter.kind}.txt", letter.context), to=[mail.to]
    )
    message.attach_alternative(render_to_string(f"emails/{letter.kind}.html", letter.context), "text/html")
    message.send()


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code in PERMANENT for code, _ in error.recipients.values())
    # The credentials in the settings are wrong, which the operator can correct.
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code in PERMANENT


def _without_address(error: Exception) -> str:
    """Return the error for the log, which holds no e-mail addresses."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused with {', '.join(str(code) for code, _ in error.recipients.values())}"
    return f"{type(error).__name__}: {error}"


# --- Composing -------------------------------------------------------------------------------------------------------


def compose(mail: Mail) -> Letter | None:
    """Return what to send, or None when the mail has become pointless or there is no account to write to."""
    kind = MailKind(mail.kind)
    letter = _COMPOSERS[kind](mail) if kind in _COMPOSERS else Letter(kind, {"link": sign_in_page()})
    if letter is None:
        return None
    user = mail.user
    common = {
        # Only for an address that is known to be the user's: otherwise anyone could register with a text for a name and
        # have this site send it to a stranger.
        "name": user.name if user and user.email_verified and user.email == mail.to else "",
        "subject": SUBJECTS[letter.kind],
        "site": settings.BACKEND_ORIGIN,
        "forgot_link": forgot_page(),
    }
    return Letter(letter.kind, {**common, **letter.context})


def _confirmation(mail: Mail) -> Letter | None:
    user = mail.user
    if user is None or not user.awaits_confirmation:
        return None
    hours = _hours(settings.CONFIRM_LIFETIME)
    if not user.has_usable_password():  # registered more than once, with different passwords
        return Letter(MailKind.CHOOSE_PASSWORD, {"link": reset_link(user, settings.CONFIRM_LIFETIME), "hours": hours})
    return Letter(MailKind.CONFIRM_ADDRESS, {"link": confirm_link(user), "code": make_code(user=user), "hours": hours})


def _reset(mail: Mail) -> Letter | None:
    """A user who has not confirmed the address yet gets the confirmation link again."""
    mail.user = user = User.objects.filter(email=mail.to).first()
    if user is None:
        return None
    if user.awaits_confirmation:
        return _confirmation(mail)
    if not user.is_active or not user.has_usable_password():
        return None
    minutes = int(settings.RESET_LIFETIME.total_seconds() // 60)
    link = reset_link(user, settings.RESET_LIFETIME)
    return Letter(MailKind.RESET_PASSWORD, {"link": link, "minutes": minutes})


def _new_address(mail: Mail) -> Letter | None:
    """If another account has the address, its owner gets a notice instead."""
    if mail.user is None or not mail.user.is_active:
        return None
    if User.objects.filter(email=mail.to).exclude(pk=mail.user.pk).exists():
        mail.user = None
        return Letter(MailKind.ADDRESS_TAKEN, {"link": sign_in_page()})
    hours = _hours(settings.CONFIRM_LIFETIME)
    return Letter(MailKind.CONFIRM_NEW_ADDRESS, {"link": new_address_link(mail.user, mail.to), "hours": hours})


def _hours(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds() // 3600)


_COMPOSERS: dict[MailKind, Callable[[Mail], Letter | None]] = {
    MailKind.CONFIRM_ADDRESS: _confirmation,
    MailKind.RESET_PASSWORD: _reset,
    MailKind.CONFIRM_NEW_ADDRESS: _new_address,
}


# --- For operators ---------------------------------------------------------------------------------------------------


def try_mail_server() -> str:
    """Connect to the mail server without sending; returns how mails are sent. Raises OSError or SMTPException."""
    backend = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if backend == "filebased":
        return f"written to {settings.EMAIL_FILE_PATH}: set EMAIL_HOST to have them sent"
    with get_connection():
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} takes them" if backend == "smtp" else backend


def given_up_count() -> int:
    return Mail.objects.exclude(given_up_at=None).count()


# --- The chore -------------------------------------------------------------------------------------------------------


def requeue_and_expire_mails() -> None:
    """Put due mails that are not on the queue there again, and delete mails given up more than KEPT_DAYS ago."""
    now = timezone.now()
    Mail.objects.filter(given_up_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    due = Mail.objects.filter(given_up_at=None, free_at__lte=now).values_list("pk", flat=True)
    enqueue_lost(due, queued=queue.mails_waiting, enqueue_one=queue.enqueue_mail, what="mails")
