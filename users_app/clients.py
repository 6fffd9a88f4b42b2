"""Where a request comes from: its address, what the program calls itself, and what a person calls that device."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from django.http import HttpRequest
from rest_framework.request import Request
from ua_parser import parse

LONGEST_AGENT = 300
UNKNOWN = "Unknown device"


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


@lru_cache(maxsize=512)
def describe_device(user_agent: str) -> str:
    """Such as "Firefox on Linux"; what the header calls itself where nobody knows it."""
    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:40].strip() or UNKNOWN
