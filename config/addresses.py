"""What a host, the address of a page and an origin are: pure rules, by which settings are judged."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

MAX_HOST_LENGTH = 253


def is_host(host: str) -> bool:
    """True for a name, also of a container (with an underscore) or in another script, and for an IP address."""
    try:
        ip_address(host)
    except ValueError:
        has_name_characters = all(c.isalnum() or c in "-._" for c in host)
        return 0 < len(host) <= MAX_HOST_LENGTH and has_name_characters and host[0] not in "-."
    return True


def split_address(url: str) -> SplitResult | None:
    """Returns the parts of a whole http or https address; None for any other text."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # brackets or a port that cannot be read
        return None
    # urlsplit drops line breaks, with which the text is no address.
    return parts if is_address and url.isprintable() else None


def is_http_page(url: str) -> bool:
    return split_address(url) is not None


def is_http_origin(url: str) -> bool:
    """True for a scheme and a host, perhaps a port, and nothing else: as browsers send it in `Origin`."""
    if not (parts := split_address(url)) or not url.isascii():
        return False
    is_bare = url[len(parts.scheme) :] == f"://{parts.netloc}" and not parts.netloc.endswith(":")
    return is_bare and "@" not in parts.netloc


def is_private(url: str) -> bool:
    """True for https, and for http that stays on this machine: no other machine can read or change what is sent."""
    if not (parts := split_address(url)):
        return False
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
