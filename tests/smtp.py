"""A real SMTP server that keeps the mails it gets, and refuses those that a test wants refused."""

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.services import free_port

ACCEPTED = "250 OK"


class Mailbox:
    """`messages` arrived, oldest first. While `refusal` is set, it is the answer to every recipient."""

    def __init__(self, *, asks_for_password: bool) -> None:
        self.asks_for_password = asks_for_password
        self.messages: list[EmailMessage] = []
        self.refusal = ""
        self.delay_s = 0.0
        self.is_asked = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.is_asked = True
        await asyncio.sleep(self.delay_s)
        if self.asks_for_password and not session.authenticated:
            return "530 Authentication required"
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return ACCEPTED

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return ACCEPTED

    def newest(self, to: str) -> EmailMessage | None:
        return next((message for message in reversed(self.messages) if message["To"] == to), None)


class SmtpServer:
    """A server that asks for `password`, unless that is empty."""

    def __init__(self, password: str = "") -> None:
        self.mailbox = Mailbox(asks_for_password=bool(password))
        self.password = password
        self.port = free_port()
        self.controller: Controller | None = None

    def start(self) -> None:
        self.controller = Controller(self.mailbox, hostname="127.0.0.1", port=self.port, **self._doors())
        self.controller.start()

    def stop(self) -> None:
        """Stops the server, which may be started again on the same port."""
        if self.controller is not None:
            self.controller.stop()
        self.controller = None

    def _doors(self) -> dict[str, Any]:
        if not self.password:
            return {}
        return {"authenticator": self._authenticate, "auth_require_tls": False}

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, given: Any) -> AuthResult:
        is_right = isinstance(given, LoginPassword) and given.password == self.password.encode()
        return AuthResult(success=is_right, handled=False)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def link_of(message: EmailMessage) -> str:
    """Returns the first URL in the text of the mail."""
    found = re.search(r"https?://\S+", text_of(message))
    assert found, text_of(message)
    return found[0]
