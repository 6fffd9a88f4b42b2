"""The life of an account through the real server, queue, worker and mail server."""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client import Client
from tests.services import Platform, started, wait_for
from tests.smtp import SmtpServer, link_of, text_of

ADDRESS = "ann@example.com"
PASSWORD, NEW = "a password to remember", "another one to remember"


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with started(SmtpServer()) as server:
        yield server


@pytest.fixture
def site(own_platform: Platform, smtp: SmtpServer) -> Platform:
    """A platform that sends its mails to `smtp`; no program of it runs yet."""
    own_platform.env |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(smtp.port), "MAIL_RETRY_SECONDS": "1"}
    return own_platform


def register(client: Client, address: str = ADDRESS) -> None:
    form = {"email": address, "password": PASSWORD, "confirm_password": PASSWORD}
    assert client.post_json("/users/register/", form).status == 201


def arrived(smtp: SmtpServer, subject: str, to: str = ADDRESS) -> EmailMessage:
    def find() -> EmailMessage | None:
        message = smtp.mailbox.newest(to)
        return message if message and message["Subject"] == subject else None

    message = wait_for(find, what=f"the mail “{subject}”")
    assert message is not None
    return message


def path_of(message: EmailMessage) -> str:
    parts = urlsplit(link_of(message))
    return f"{parts.path}?{parts.query}"


def query_of(message: EmailMessage) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link_of(message)).query).items()}


def sign_in(client: Client, password: str) -> int:
    return client.post_json("/users/login/", {"email": ADDRESS, "password": password}).status


def test_an_account_is_registered_confirmed_recovered_and_left(site: Platform, smtp: SmtpServer) -> None:
    site.env["LOG_FORMAT"] = "json"  # JSON logs have a line for each request
    site.start_all()
    client = Client(site.origin)
    register(client)
    assert sign_in(client, PASSWORD) == 400
    confirmation = arrived(smtp, "Confirm your address")
    assert client.get(path_of(confirmation)).status in (200, 302)
    assert sign_in(client, PASSWORD) == 200
    client.post_json("/users/forgot-password/", {"email": ADDRESS})
    link = query_of(arrived(smtp, "Choose a new password"))
    assert client.post_json("/users/reset-password/", {**link, "new_password": NEW}).status == 200
    assert client.get("/api/v1/auth/me/").status == 401
    arrived(smtp, "Your password was changed")
    assert sign_in(client, NEW) == 200
    body, kind = json.dumps({"password": NEW}).encode(), {"Content-Type": "application/json"}
    assert client.request("DELETE", "/users/me/", body, kind).status == 200
    arrived(smtp, "Your account was deleted")
    assert sign_in(client, NEW) == 400
    assert_no_secret_in(site.log, confirmation)


def assert_no_secret_in(log: Path, confirmation: EmailMessage) -> None:
    text = log.read_text(errors="replace")
    assert "/users/confirm/" in text
    for secret in (query_of(confirmation)["token"], PASSWORD, NEW):
        assert secret not in text


def test_mails_survive_a_mail_server_a_queue_and_a_worker_that_are_away(site: Platform, smtp: SmtpServer) -> None:
    site.start_redis()
    site.prepare()
    site.start_web()
    client = Client(site.origin)
    site.kill("redis")
    register(client)
    site.start_redis()
    smtp.stop()
    site.start_worker()
    site.start_reaper()
    wait_for(lambda: "was not sent, attempt 1" in site.log.read_text(errors="replace"), what="an attempt")
    smtp.start()
    assert "Confirm my address" not in text_of(arrived(smtp, "Confirm your address"))
    assert len(smtp.mailbox.messages) == 1


def test_a_worker_that_dies_on_a_mail_leaves_it_to_another(site: Platform, smtp: SmtpServer) -> None:
    smtp.mailbox.delay_s = 60
    site.start_all()
    register(Client(site.origin))
    wait_for(lambda: smtp.mailbox.is_asked, what="the attempt")
    site.kill("worker")
    smtp.mailbox.delay_s = 0
    site.start_worker("another")
    arrived(smtp, "Confirm your address")


def test_without_a_mail_server_mails_are_files(own_platform: Platform) -> None:
    own_platform.start_all()
    register(Client(own_platform.origin))
    folder = own_platform.folder / "mail"

    def is_written() -> bool:  # the file of a mail exists before its text is written
        return any("/users/confirm/?uid=" in mail.read_text() for mail in folder.glob("*.log"))

    wait_for(is_written, what="a mail")
