"""Sending mails through a real SMTP server: retries while it is away, and giving up on a permanent refusal."""

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from rest_framework.test import APIClient

from background.tests.memory_queue import MemoryQueue
from tests.services import started
from tests.smtp import SmtpServer, link_of, text_of
from users_app.models import Mail, MailKind, User
from users_app.services import mail
from users_app.services.mail import SUBJECTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpServer]:
    with started(SmtpServer()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        settings.DEFAULT_FROM_EMAIL = "Videoflix <no-reply@example.com>"
        yield server


def written(viewer: User, kind: MailKind = MailKind.RESET_PASSWORD) -> Mail:
    return Mail.objects.create(kind=kind, to=viewer.email, user=viewer)


def be_due() -> None:
    Mail.objects.update(free_at=timezone.now())


def test_a_mail_arrives_as_text_and_as_html(smtp: SmtpServer, viewer: User) -> None:
    User.objects.update(email_verified=True, name="<Véra & co>")
    mail.send(mail_id=written(viewer).pk)
    (message,) = smtp.mailbox.messages
    assert (message["To"], message["From"]) == (viewer.email, "Videoflix <no-reply@example.com>")
    assert message["Subject"] == "Choose a new password"
    assert message.get_content_type() == "multipart/alternative"
    assert "Hello <Véra & co>," in text_of(message)
    assert "Hello &lt;Véra &amp; co&gt;," in text_of(message, "html")
    assert link_of(message).replace("&", "&amp;") in text_of(message, "html")
    assert not Mail.objects.exists(), "a sent mail is not kept"


def test_a_mail_that_is_queued_twice_is_sent_once(smtp: SmtpServer, viewer: User) -> None:
    row = written(viewer)
    for _ in range(2):
        mail.send(mail_id=row.pk)
    assert len(smtp.mailbox.messages) == 1


def test_pauses_grow_while_the_server_is_away(smtp: SmtpServer, viewer: User, settings: Any) -> None:
    row = written(viewer)
    smtp.stop()
    for pause_s in (60, 240, 960):
        be_due()
        mail.send(mail_id=row.pk)
        row.refresh_from_db()
        assert abs(row.free_at - timezone.now() - timedelta(seconds=pause_s)) < timedelta(seconds=10)
    assert (row.attempts, row.given_up_at) == (3, None)
    assert "refused" in row.problem.lower()
    mail.send(mail_id=row.pk)
    row.refresh_from_db()
    assert row.attempts == 3, "not before it is due"
    smtp.start()
    be_due()
    mail.send(mail_id=row.pk)
    assert len(smtp.mailbox.messages) == 1


def test_pauses_grow_for_a_mail_that_ends_its_worker(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(_: Mail) -> None:
        raise Killed

    monkeypatch.setattr(mail, "deliver", die)
    row = written(viewer)
    for pause_s in (60, 240, 960):
        be_due()
        with pytest.raises(Killed):
            mail.send(mail_id=row.pk)
        row.refresh_from_db()
        assert abs(row.free_at - timezone.now() - timedelta(seconds=pause_s)) < timedelta(seconds=10)
        mail.send(mail_id=row.pk)  # it is not due, and no second worker takes it
    monkeypatch.undo()
    be_due()
    mail.send(mail_id=row.pk)
    assert not Mail.objects.exists(), "the next worker sends it"


@pytest.mark.parametrize("is_delivered", [True, False])
def test_the_account_may_be_deleted_while_its_mail_is_sent(
    is_delivered: bool, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver(_: Mail) -> None:
        User.objects.all().delete()
        if not is_delivered:
            raise OSError("away")

    monkeypatch.setattr(mail, "deliver", deliver)
    mail.send(mail_id=written(viewer).pk)
    assert not Mail.objects.exists()


def test_the_account_may_be_deleted_before_its_mail_is_composed(
    viewer: User, monkeypatch: pytest.MonkeyPatch, smtp: SmtpServer
) -> None:
    def deliver(row: Mail) -> None:
        User.objects.all().delete()
        really(row)

    really = mail.deliver
    monkeypatch.setattr(mail, "deliver", deliver)
    mail.send(mail_id=written(viewer, MailKind.PASSWORD_CHANGED).pk)
    assert not Mail.objects.exists()


def test_a_mail_that_was_sent_too_slowly_is_not_sent_again_later(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(row: Mail) -> None:
        be_due()
        monkeypatch.setattr(mail, "deliver", fail)
        mail.send(mail_id=row.pk)  # another worker takes the mail over, and the server refuses it for now

    def fail(_: Mail) -> None:
        raise OSError("away")

    monkeypatch.setattr(mail, "deliver", deliver)
    mail.send(mail_id=written(viewer).pk)
    assert not Mail.objects.exists(), "the first worker has sent it"


def test_a_mail_that_a_slow_worker_failed_to_send_is_left_to_the_worker_that_took_it_over(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver(row: Mail) -> None:
        be_due()
        assert Mail.objects.filter(pk=row.pk).take()
        raise smtplib.SMTPDataError(554, b"spam")

    monkeypatch.setattr(mail, "deliver", deliver)
    mail.send(mail_id=written(viewer).pk)
    row = Mail.objects.get()
    assert (row.given_up_at, row.problem, row.attempts) == (None, "", 2)
    assert row.lease_token


def test_a_temporary_refusal_is_tried_again(smtp: SmtpServer, viewer: User) -> None:
    row = written(viewer)
    smtp.mailbox.refusal = "451 Greylisted, try again"
    mail.send(mail_id=row.pk)
    smtp.mailbox.refusal = ""
    be_due()
    mail.send(mail_id=row.pk)
    assert len(smtp.mailbox.messages) == 1


def test_a_mailbox_that_does_not_exist_is_given_up(
    smtp: SmtpServer, viewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    row = written(viewer)
    smtp.mailbox.refusal = "550 No such user"
    mail.send(mail_id=row.pk)
    row.refresh_from_db()
    assert row.given_up_at is not None
    assert "No such user" in row.problem
    (line,) = (record.getMessage() for record in caplog.records if record.name == mail.__name__)
    assert "was not sent" in line
    assert viewer.email not in line
    be_due()
    mail.send(mail_id=row.pk)
    assert not smtp.mailbox.messages


def test_a_mail_is_given_up_after_the_last_attempt(smtp: SmtpServer, viewer: User) -> None:
    row = written(viewer)
    smtp.stop()
    for _ in range(mail.MAX_ATTEMPTS):
        be_due()
        mail.send(mail_id=row.pk)
    row.refresh_from_db()
    assert row.given_up_at is not None


def test_wrong_smtp_credentials_do_not_give_up_a_mail(smtp: SmtpServer, viewer: User, settings: Any) -> None:
    with started(SmtpServer(password="right")) as guarded:
        settings.EMAIL_PORT, settings.EMAIL_HOST_USER = guarded.port, "videoflix"
        settings.EMAIL_HOST_PASSWORD = "wrong"
        row = written(viewer)
        mail.send(mail_id=row.pk)
        row.refresh_from_db()
        assert row.given_up_at is None
        settings.EMAIL_HOST_PASSWORD = "right"
        be_due()
        mail.send(mail_id=row.pk)
        assert len(guarded.mailbox.messages) == 1


@pytest.mark.parametrize(
    ("error", "is_permanent"),
    [
        (OSError("away"), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no")}), True),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (450, b"later")}), False),
        (smtplib.SMTPDataError(554, b"spam"), True),
        (smtplib.SMTPDataError(452, b"full"), False),
        (smtplib.SMTPAuthenticationError(535, b"wrong"), False),
    ],
)
def test_only_permanent_errors_give_up_at_once(
    error: Exception, is_permanent: bool, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Mail) -> None:
        raise error

    monkeypatch.setattr(mail, "deliver", fail)
    row = written(viewer)
    mail.send(mail_id=row.pk)
    row.refresh_from_db()
    assert (row.given_up_at is not None) == is_permanent


# --- Composing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MailKind)
def test_every_mail_has_text_html_a_subject_and_no_gap(kind: MailKind) -> None:
    context = {
        "subject": SUBJECTS[kind],
        "name": "Ann",
        "site": "https://videos.example.com",
        "link": "https://videos.example.com/?uid=a&token=b",
        "forgot_link": "https://videos.example.com/forgot-password/",
        "code": "012345",
        "hours": 24,
        "minutes": 60,
    }
    text, page = (render_to_string(f"emails/{kind}.{form}", context) for form in ("txt", "html"))
    assert text.startswith("Hello Ann,\n\n")
    assert "&amp;" not in text
    assert "https://videos.example.com" in text
    assert f'<h1 style="margin:0 0 1rem;font-size:1.5rem;line-height:1.25">{SUBJECTS[kind]}</h1>' in page
    # A value that a template uses and no caller passes would leave a gap in a sentence.
    bare = {"subject": "", "name": ""}
    assert len(render_to_string(f"emails/{kind}.txt", bare)) < len(text)


def test_a_registered_name_is_not_mailed_to_an_unconfirmed_address(
    smtp: SmtpServer, browser: APIClient, db: None
) -> None:
    form = {"email": "victim@example.com", "name": "Buy at https://evil.example", "password": "a long password 1"}
    browser.post("/api/v1/auth/register/", form, format="json")
    mail.send(mail_id=Mail.objects.get().pk)
    (message,) = smtp.mailbox.messages
    assert "evil" not in message.as_string()


# --- The chore -------------------------------------------------------------------------------------------------------


@pytest.fixture
def enqueued(memory_queue: MemoryQueue) -> list[int]:
    return memory_queue.put_keys["send_mail"]


def test_a_mail_that_left_the_queue_is_queued_again(
    viewer: User, enqueued: list[int], memory_queue: MemoryQueue
) -> None:
    queued, lost, later, given_up = (written(viewer) for _ in range(4))
    memory_queue.waiting["send_mail"] = {queued.pk}
    Mail.objects.filter(pk=later.pk).update(free_at=timezone.now() + timedelta(minutes=1))
    Mail.objects.filter(pk=given_up.pk).update(given_up_at=timezone.now())
    mail.requeue_and_expire_mails()
    assert enqueued == [lost.pk]


def test_a_mail_that_was_given_up_is_kept_for_a_month(viewer: User, enqueued: list[int]) -> None:
    row = written(viewer)
    Mail.objects.update(given_up_at=timezone.now() - timedelta(days=29))
    mail.requeue_and_expire_mails()
    assert Mail.objects.get() == row
    Mail.objects.update(given_up_at=timezone.now() - timedelta(days=31))
    mail.requeue_and_expire_mails()
    assert not Mail.objects.exists()


def test_mails_stay_while_redis_is_away(viewer: User) -> None:
    """In tests no Redis answers at REDIS_URL."""
    written(viewer)
    mail.requeue_and_expire_mails()
    assert Mail.objects.count() == 1


def test_a_mail_is_queued_on_commit(
    browser: APIClient, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/users/forgot-password/", {"email": "a@example.com"}, format="json")
    assert enqueued == [Mail.objects.get().pk]
