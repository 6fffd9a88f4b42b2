"""Signed, expiring permission to read the objects of one published version.

A grant is one segment of the URL's path, `<end as Unix time in base 36>.<HMAC-SHA256>`, so the relative URIs of the
playlists inherit it. It names no person: whoever holds the link may read until it ends.
"""

import base64
import time

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

PURPOSE = "videoflix.media-grant"  # binds the key, so that no other signature of this site passes for a grant
STEPS = 6


class GrantRefused(Exception):
    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def grant_end(*, now: float, lifetime_s: int) -> int:
    """Moves in steps, so that a reload gives the same, cacheable URLs; at most `lifetime_s` from now."""
    step = max(lifetime_s // STEPS, 1)
    return int(now // step) * step + lifetime_s


def lifetime_s() -> int:
    return int(settings.MEDIA_GRANT_MINUTES) * 60


def sign(prefix: str) -> str:
    """A grant for every object under `prefix`."""
    end = int_to_base36(grant_end(now=time.time(), lifetime_s=lifetime_s()))
    return f"{end}.{_signature(prefix, end)}"


def verify(grant: str, prefix: str) -> int:
    """When the grant ends, in Unix seconds; raises GrantRefused."""
    end, _, signature = grant.partition(".")
    if not constant_time_compare(signature, _signature(prefix, end)):
        raise GrantRefused("This media address is not signed for this video.", code="bad_grant")
    # Only a number that we signed gets here.
    end_s = base36_to_int(end)
    if end_s <= time.time():
        raise GrantRefused("This media address has expired; ask for a new one.", code="grant_expired")
    return end_s


def _signature(prefix: str, end: str) -> str:
    mac = salted_hmac(PURPOSE, f"{end}:{prefix}", algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
