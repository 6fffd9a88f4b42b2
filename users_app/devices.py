"""What a person calls the program and the machine behind a User-Agent header."""

from functools import lru_cache

from ua_parser import parse

UNKNOWN = "Unknown device"


@lru_cache(maxsize=512)
def describe_device(user_agent: str) -> str:
    """Such as "Firefox on Linux"; what the header calls itself where nobody knows it."""
    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:40].strip() or UNKNOWN
