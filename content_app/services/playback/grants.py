"""Grants: signed, expiring permissions to read published objects.

A grant is one segment of the URL's path, `<end as Unix time in base 36>.<HMAC-SHA256>`. It names no user: every client
that has the link may read until the grant ends. There are two kinds:

- For a version: every object under its prefix, for users who may watch. The relative URIs in playlists inherit it.
- For one file: that object and no other. Users who may not watch a film see its pictures, which are stored beside it.

Each kind is signed with its own purpose, and thus its own key: neither passes for the other, nor for any other
signature of this site.
"""

import base64
import time

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from users_app.signing_secrets import secrets_in_use

# Older releases gave pictures a grant of the whole version. The purpose was changed, so that those are refused.
VERSION = "videoflix.version-grant"
FILE = "videoflix.file-grant"
STEPS = 6


class GrantRefused(Exception):
    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def grant_end(*, now: float, lifetime_s: int) -> int:
    """Returns the end of a grant, in Unix seconds: at most `lifetime_s` from now."""
    # In steps, so that reloading a page gives the same URLs, which the browser has cached.
    step = max(lifetime_s // STEPS, 1)
    return int(now // step) * step + lifetime_s


def lifetime_s() -> int:
    return int(settings.MEDIA_GRANT_MINUTES) * 60


def seconds_left() -> int:
    """Returns for how many seconds a grant signed now is valid. Presigned URLs of a bucket get the same end."""
    now = time.time()
    return grant_end(now=now, lifetime_s=lifetime_s()) - int(now)


def sign(prefix: str) -> str:
    """Returns a grant for every object under `prefix`."""
    return _sign(VERSION, prefix)


def sign_file(key: str) -> str:
    """Returns a grant for the object with this key."""
    return _sign(FILE, key)


def verify(grant: str, prefix: str) -> int:
    """Returns when a grant for every object under `prefix` ends, in Unix seconds. Raises GrantRefused."""
    return _verify(VERSION, grant, prefix)


def verify_file(grant: str, key: str) -> int:
    """Returns when a grant for the object with this key ends, in Unix seconds. Raises GrantRefused."""
    return _verify(FILE, grant, key)


def _sign(purpose: str, covered: str) -> str:
    end = int_to_base36(grant_end(now=time.time(), lifetime_s=lifetime_s()))
    return f"{end}.{_signature(purpose, covered, end, settings.SECRET_KEY)}"


def _verify(purpose: str, grant: str, covered: str) -> int:
    end, _, signature = grant.partition(".")
    # The operator may rotate the secret while a film plays: grants signed with the former one hold until they end.
    signatures = (_signature(purpose, covered, end, secret) for secret in secrets_in_use())
    if not any(constant_time_compare(signature, one) for one in signatures):
        raise GrantRefused("This media address is not signed for this video.", code="bad_grant")
    # The signature was checked first, so this parses only numbers that this site wrote.
    end_s = base36_to_int(end)
    if end_s <= time.time():
        raise GrantRefused("This media address has expired; ask for a new one.", code="grant_expired")
    return end_s


def _signature(purpose: str, covered: str, end: str, secret: str) -> str:
    mac = salted_hmac(purpose, f"{end}:{covered}", secret=secret, algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
