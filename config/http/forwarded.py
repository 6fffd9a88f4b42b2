"""The address and the scheme of the client behind a trusted proxy; the claims of other clients are ignored."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network
SCHEMES = frozenset({"http", "https"})


def parse_networks(names: Iterable[str]) -> list[Network]:
    """Reads addresses (10.0.0.5) and networks (10.0.0.0/8); raises ValueError for anything else."""
    return [ip_network(name, strict=False) for name in names]


class ForwardedHeaders:
    """WSGI: takes address and scheme from `X-Forwarded-For` and `-Proto` of trusted proxies; drops both headers."""

    def __init__(self, application: WSGIApplication, trusted: Sequence[Network]) -> None:
        self.application = application
        self.trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chain = environ.pop("HTTP_X_FORWARDED_FOR", "")
        scheme = environ.pop("HTTP_X_FORWARDED_PROTO", "").strip().lower()
        if self.is_trusted(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self.client(chain, environ["REMOTE_ADDR"])
            if scheme in SCHEMES:
                environ["wsgi.url_scheme"] = scheme
        return self.application(environ, start_response)

    def client(self, chain: str, nearest: str) -> str:
        """The last address of the chain that is no trusted proxy: any client may have written those before it.

        Returns `nearest`, the address of the proxy that sent the request, when the chain ends with no address.
        """
        client = nearest
        for address in reversed([part.strip() for part in chain.split(",") if part.strip()]):
            if not is_address(address):
                break
            client = address
            if not self.is_trusted(address):
                break
        return client

    def is_trusted(self, address: str) -> bool:
        return is_address(address) and any(ip_address(address) in network for network in self.trusted)


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
