"""The first certificate and its renewal: real certbot, a real ACME authority, and Nginx with the files that ship."""

import http.client
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.client import Client
from tests.nginx import Nginx
from tests.pebble import Pebble
from tests.services import PROJECT, Platform, started, wait_for

DOMAIN = "videos.example.com"
SCRIPT = PROJECT / "nginx" / "certbot.sh"


@pytest.fixture(scope="module")
def nginx(platform: Platform) -> Iterator[Nginx]:
    """Nginx with TLS from the start, by a self-signed certificate until there is a real one."""
    with started(Nginx(platform, NGINX_TLS="on", SERVER_NAME=DOMAIN, NGINX_RATE_ANY="10000")) as server:
        yield server


@pytest.fixture(scope="module")
def pebble(nginx: Nginx) -> Iterator[Pebble]:
    with started(Pebble(nginx.port)) as authority:
        yield authority


def certbot(nginx: Nginx, pebble: Pebble, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {
        **nginx.env,
        "ACME_SERVER": pebble.directory,
        "REQUESTS_CA_BUNDLE": str(pebble.ca_file),
        "CERTBOT_EMAIL": "operator@example.com",
        **settings,
    }
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def shown_certificate(nginx: Nginx, pebble: Pebble) -> str:
    """Returns the serial number of the certificate that clients get; empty when they do not accept it."""
    context = ssl.create_default_context(cafile=str(pebble.root()))
    try:
        plain = socket.create_connection(("127.0.0.1", nginx.tls_port), timeout=20)
        with plain, context.wrap_socket(plain, server_hostname=DOMAIN) as secure:
            certificate = secure.getpeercert()
            return str(certificate["serialNumber"]) if certificate else ""
    except OSError:  # of TLS, too
        return ""


class Visitors(threading.Thread):
    """Sends requests all the time, each on a new connection, and keeps the errors."""

    def __init__(self, nginx: Nginx) -> None:
        super().__init__(daemon=True)
        self.port = nginx.tls_port
        self.served, self.failed = 0, list[str]()
        self.ending = threading.Event()

    def run(self) -> None:
        context = ssl._create_unverified_context()  # noqa: S323 - the stand-in has to be served as well
        while not self.ending.is_set():
            connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=30)
            try:
                connection.request("GET", "/health/")
                assert connection.getresponse().status == 200
                self.served += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append(repr(error))
            finally:
                connection.close()

    def __enter__(self) -> "Visitors":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.join()


def test_the_first_certificate_and_a_renewal_without_a_failed_request(nginx: Nginx, pebble: Pebble) -> None:
    assert shown_certificate(nginx, pebble) == ""  # the stand-in
    with Visitors(nginx) as visitors:
        first = certbot(nginx, pebble, "bootstrap")
        assert first.returncode == 0, first.stderr
        wait_for(lambda: shown_certificate(nginx, pebble), limit_s=30, what="the first certificate")
        before = shown_certificate(nginx, pebble)
        assert certbot(nginx, pebble, "bootstrap").returncode == 0  # the certificate is kept
        renewed = certbot(nginx, pebble, "renew", "once", CERTBOT_OPTIONS="--force-renewal")
        assert renewed.returncode == 0, renewed.stderr
        wait_for(lambda: shown_certificate(nginx, pebble) not in ("", before), limit_s=30, what="the renewed one")
    assert visitors.failed == []
    assert visitors.served > 50


def test_an_authority_that_is_away_leaves_everything_as_it_is(nginx: Nginx, pebble: Pebble) -> None:
    away = certbot(
        nginx, pebble, "renew", "once", CERTBOT_OPTIONS="--force-renewal", ACME_SERVER="https://127.0.0.1:1/"
    )
    assert away.returncode == 0
    assert "renewing failed" in away.stderr
    assert Client(nginx.origin).get("/healthz").status == 200
    assert shown_certificate(nginx, pebble)


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence"),
    [
        (("bootstrap",), {"SERVER_NAME": ""}, "SERVER_NAME is not set"),
        (("bootstrap",), {"SERVER_NAME": "localhost"}, "authorities certify domains"),
        ((), {}, "say bootstrap or renew"),
    ],
)
def test_what_is_missing_is_one_sentence(
    nginx: Nginx, pebble: Pebble, arguments: tuple[str, ...], changes: dict[str, str], sentence: str
) -> None:
    done = certbot(nginx, pebble, *arguments, **changes)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
