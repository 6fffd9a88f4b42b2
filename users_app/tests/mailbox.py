"""Sends waiting mails at once, in place of the worker, and reads them."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.core import mail as outbox
from django.core.mail import EmailMessage, EmailMultiAlternatives

from users_app.models import Mail
from users_app.services import mail


@dataclass(frozen=True)
class Received:
    to: str
    subject: str
    text: str
    html: str

    @property
    def link(self) -> str:
        """The first link in the text."""
        found = re.search(r"https?://\S+", self.text)
        assert found, self.text
        return found[0]

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.link).query).items()}

    @property
    def path(self) -> str:
        """Returns the path and query of the link, for a test client."""
        parts = urlsplit(self.link)
        return f"{parts.path}?{parts.query}"

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.text)
        assert found, self.text
        return found[0]


def deliver() -> list[Received]:
    """Sends the waiting mails. Returns them, oldest first."""
    outbox.outbox.clear()
    for mail_id in list(Mail.objects.filter(given_up_at=None).order_by("pk").values_list("pk", flat=True)):
        mail.send(mail_id=mail_id)
    return [received(message) for message in outbox.outbox]


def received(message: EmailMessage) -> Received:
    assert isinstance(message, EmailMultiAlternatives)
    return Received(message.to[0], str(message.subject), str(message.body), str(message.alternatives[0][0]))


def deliver_one() -> Received:
    (received,) = deliver()
    return received
