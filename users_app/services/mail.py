"""Mails: written down with what led to them, sent by a worker, tried again until they are through or given up.

The request only adds a row. Whom a mail is for and what it says is worked out when it is sent, so that asking for one
takes as long for an address that nobody has.
"""

import logging
import math
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from background.queue import enqueue_lost
from background.refusals import Kind, Refusal
from users_app import queue
from users_app.limits.counters import counters
from users_app.limits.rates import mark_of, take_turn
from users_app.models import Mail, MailKind, User
from users_app.services.codes import make_code
from users_app.services.mail_links import confirm_link, forgot_page, new_address_link, reset_link, sign_in_page

log = logging.getLogger(__name__)

HOUR_S = 3600
MOST_ATTEMPTS = 6
SLOWER_EACH_TIME = 4  # a minute, 4, 16, about 1 hour, 4 and 17
KEPT_DAYS = 30  # of what was given up, for whoever asks why nothing came
PERMANENT = range(500, 600)  # of SMTP
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
    """What a mail has become."""

    kind: MailKind
    context: dict[str, object] = field(default_factory=dict)


class TooManyMails(Refusal):
    kind = Kind.TOO_OFTEN
    sentence = "Several mails have been sent to this address already. Look among the unwanted ones too."
    code = "too_many_mails"


def require_mail_quota(to: str) -> None:
    """Raises TooManyMails where strangers have had mail sent to an address too often, whether anybody has it or not."""
    limit: int = settings.MAILS_AN_HOUR
    wait_s = counters().ask(lambda store: take_turn(store, f"mail:{mark_of(to)}", limit, HOUR_S)) if limit else 0
    if wait_s:
        raise TooManyMails(wait_s=math.ceil(wait_s))


def post(*, kind: MailKind, to: str, user: User | None = None) -> None:
    """Have a mail sent once what led to it is committed."""
    mail = Mail.objects.create(kind=kind, to=to, user=user)
    transaction.on_commit(lambda: queue.enqueue_mail(mail.pk))


def send(*, mail_id: int) -> None:
    """Leaves quietly when the mail is gone, given up, or was taken up by somebody else a moment ago."""
    mail = _take_up(mail_id)
    if mail is None:
        return
    try:
        deliver(mail)
    except (OSError, smtplib.SMTPException) as error:
        _note_failure(mail, error)
    else:
        mail.delete()


def _take_up(mail_id: int) -> Mail | None:
    """Its next attempt is later than this one can last, so that whoever dies on it leaves it to another worker."""
    mail = Mail.objects.select_related("user").filter(pk=mail_id, given_up_at=None, try_at__lte=timezone.now()).first()
    if mail is None:
        return None
    pause = timedelta(seconds=settings.MAIL_RETRY_SECONDS * SLOWER_EACH_TIME**mail.attempts)
    waiting = Mail.objects.filter(pk=mail_id, attempts=mail.attempts)
    taken = waiting.update(attempts=F("attempts") + 1, try_at=timezone.now() + pause)
    mail.attempts += 1
    return mail if taken else None


def deliver(mail: Mail) -> None:
    """Over whatever EMAIL_BACKEND is."""
    letter = compose(mail)
    if letter is None:
        return
    message = EmailMultiAlternatives(
        SUBJECTS[letter.kind], render_to_string(f"emails/{letter.kind}.txt", letter.context), to=[mail.to]
    )
    message.attach_alternative(render_to_string(f"emails/{letter.kind}.html", letter.context), "text/html")
    message.send()


def _note_failure(mail: Mail, error: Exception) -> None:
    mail.problem = str(error)[:300]
    if _is_permanent(error) or mail.attempts >= MOST_ATTEMPTS:
        mail.given_up_at = timezone.now()
    log.warning("mail %s (%s) was not sent, attempt %s: %s", mail.pk, mail.kind, mail.attempts, _without_address(error))
    mail.save(update_fields=["problem", "given_up_at"])


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code in PERMANENT for code, _ in error.recipients.values())
    # A server that refuses us may have been told wrong credentials, which the operator mends.
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code in PERMANENT


def _without_address(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused with {', '.join(str(code) for code, _ in error.recipients.values())}"
    return f"{type(error).__name__}: {error}"


# --- What they say ---------------------------------------------------------------------------------------------------


def compose(mail: Mail) -> Letter | None:
    """None for what has become pointless, or was for nobody from the beginning."""
    kind = MailKind(mail.kind)
    letter = _COMPOSERS[kind](mail) if kind in _COMPOSERS else Letter(kind, {"link": sign_in_page()})
    if letter is None:
        return None
    return Letter(letter.kind, {"name": _name(mail), "subject": SUBJECTS[letter.kind], **_site(), **letter.context})


def _name(mail: Mail) -> str:
    """Only to who is known to have the address: else anybody could have us send any text to anybody."""
    user = mail.user
    return user.name if user and user.email_verified and user.email == mail.to else ""


def _site() -> dict[str, object]:
    return {"site": settings.BACKEND_ORIGIN, "forgot_link": forgot_page()}


def _confirmation(mail: Mail) -> Letter | None:
    user = mail.user
    if user is None or not user.awaits_confirmation:
        return None
    hours = _hours(settings.CONFIRM_LIFETIME)
    if not user.has_usable_password():  # registered with several, of which none counts
        return Letter(MailKind.CHOOSE_PASSWORD, {"link": reset_link(user, settings.CONFIRM_LIFETIME), "hours": hours})
    return Letter(MailKind.CONFIRM_ADDRESS, {"link": confirm_link(user), "code": make_code(user=user), "hours": hours})


def _reset(mail: Mail) -> Letter | None:
    """Whoever has forgotten to confirm is told to."""
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
    """Its owner, if it has one, learns that somebody tried."""
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


# --- What operators ask ----------------------------------------------------------------------------------------------


def try_mail_server() -> str:
    """Connect as for a mail, and send none; how mails go. Raises OSError or SMTPException."""
    way = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if way == "filebased":
        return f"written to {settings.EMAIL_FILE_PATH}: set EMAIL_HOST to have them sent"
    with get_connection():
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} takes them" if way == "smtp" else way


def given_up_count() -> int:
    return Mail.objects.exclude(given_up_at=None).count()


# --- What nobody else looks after ------------------------------------------------------------------------------------


def requeue_and_expire_mails() -> None:
    """One round of the reaper: what has been waiting goes on the queue again, and nothing is kept for ever."""
    now = timezone.now()
    Mail.objects.filter(given_up_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    due = Mail.objects.filter(given_up_at=None, try_at__lte=now).values_list("pk", flat=True)
    enqueue_lost(due, queued=queue.mails_waiting, enqueue_one=queue.enqueue_mail, what="mails")
