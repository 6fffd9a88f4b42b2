"""Where a request comes from: its network address, its User-Agent header, and a name that people know the device by."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from django.http import HttpRequest
from rest_framework.request import Request
from ua_parser import parse

from users_app.models import MAX_USER_AGENT_LENGTH

UNKNOWN = "Unknown device"


@dataclass(frozen=True, slots=True)
class Client:
    address: str | None
    user_agent: str


NO_CLIENT = Client(address=None, user_agent="")  # for commands and tests, which have no request


def client_of(request: Request | HttpRequest) -> Client:
    """Return the client; behind trusted proxies its address is the one that they report, see config.http.forwarded."""
    address: str | None
    try:
        address = str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:  # behind a Unix socket there is none
        address = None
    sent_agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT_LENGTH]
    return Client(address, "".join(character for character in sent_agent if character.isprintable()))


@lru_cache(maxsize=512)
def describe_device(user_agent: str) -> str:
    """Return a name such as "Firefox on Linux", or the first word of the header where the parser knows neither."""
    parsed = parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:40].strip() or UNKNOWN
