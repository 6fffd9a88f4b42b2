"""The address of a client: trusted proxies may name it, other clients may not."""

from typing import Any
from wsgiref.types import WSGIEnvironment

import pytest

from config.http.forwarded import ForwardedHeaders, parse_networks

TRUSTED = parse_networks(["10.0.0.0/8", "192.168.1.5", "fd00::/8"])


def seen(nearest: str, chain: str = "", scheme: str = "") -> WSGIEnvironment:
    """Returns the environment that the application gets for a request from `nearest`, the last hop."""
    found: list[WSGIEnvironment] = []

    def application(environ: WSGIEnvironment, start_response: Any) -> list[bytes]:
        found.append(environ)
        return []

    environ: WSGIEnvironment = {"REMOTE_ADDR": nearest, "wsgi.url_scheme": "http"}
    environ |= {"HTTP_X_FORWARDED_FOR": chain} if chain else {}
    environ |= {"HTTP_X_FORWARDED_PROTO": scheme} if scheme else {}
    ForwardedHeaders(application, TRUSTED)(environ, lambda *_: None)  # type: ignore[arg-type]  # never called
    return found[0]


@pytest.mark.parametrize(
    ("nearest", "chain", "address"),
    [
        ("10.1.2.3", "203.0.113.7", "203.0.113.7"),
        ("10.1.2.3", "6.6.6.6, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("10.1.2.3", "10.9.9.9, 192.168.1.5", "10.9.9.9"),  # all hops are trusted: the first one is the client
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "nonsense", "10.1.2.3"),
        ("10.1.2.3", "nonsense, 203.0.113.7", "203.0.113.7"),
        ("10.1.2.3", "203.0.113.7, <script>", "10.1.2.3"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("203.0.113.9", "127.0.0.1", "203.0.113.9"),  # not a trusted proxy
        ("192.168.1.6", "127.0.0.1", "192.168.1.6"),
        ("", "127.0.0.1", ""),
    ],
)
def test_the_address_is_the_last_one_that_is_not_a_trusted_proxy(nearest: str, chain: str, address: str) -> None:
    assert seen(nearest, chain)["REMOTE_ADDR"] == address


@pytest.mark.parametrize(
    ("nearest", "said", "scheme"),
    [("10.0.0.1", "https", "https"), ("10.0.0.1", "HTTPS", "https"), ("10.0.0.1", "gopher", "http"),
     ("10.0.0.1", "", "http"), ("203.0.113.9", "https", "http")],
)  # fmt: skip
def test_a_trusted_proxy_names_the_scheme(nearest: str, said: str, scheme: str) -> None:
    assert seen(nearest, scheme=said)["wsgi.url_scheme"] == scheme


def test_the_application_never_sees_the_headers() -> None:
    for nearest in ("10.0.0.1", "203.0.113.9"):
        assert not [name for name in seen(nearest, "1.2.3.4", "https") if name.startswith("HTTP_X_FORWARDED")]


@pytest.mark.parametrize("name", ["everybody", "10.0.0.0/99", "10.0.0", ""])
def test_a_malformed_network_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_networks([name])
