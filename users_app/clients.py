"""Where a request comes from: the address and what the program calls itself."""

from dataclasses import dataclass
from ipaddress import ip_address

from django.http import HttpRequest
from rest_framework.request import Request

LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Client:
    address: str | None
    user_agent: str


NOWHERE = Client(address=None, user_agent="")


def client_of(request: Request | HttpRequest) -> Client:
    """As the nearest proxy that is not trusted has it; see config.http.forwarded."""
    return Client(_address(request.META.get("REMOTE_ADDR", "")), _agent(request.headers.get("User-Agent", "")))


def _address(text: str) -> str | None:
    """None where there is none, as behind a socket of Unix."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _agent(text: str) -> str:
    return "".join(character for character in text[:LONGEST_AGENT] if character.isprintable())
