"""The public keys of a user pool: fetched when they are needed, kept by the process, renewed with restraint."""

import json
import logging
import math
import threading
from collections.abc import Iterator
from functools import lru_cache
from time import monotonic
from typing import Any

import jwt
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from users_app.cognito.faults import PoolUnavailable

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024  # a pool's document has less than two
LEAST_KEY_BITS = 2048
STALE_S = 3600  # a key that the pool has withdrawn is believed no longer than this
PAUSE_S = 10  # between two fetches, however many unknown key ids come along
WAIT_S = 2  # for a fetch that another thread has begun


class KeysUnavailable(Exception):
    """Says why."""


class Keys:
    """Of one pool. What was fetched last is used for as long as nothing newer can be had."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.by_id: dict[str, RSAPublicKey] = {}
        self.fetched_at = self.tried_at = -math.inf
        self.has_succeeded = False
        self.lock = threading.Lock()

    def find(self, key_id: str) -> RSAPublicKey | None:
        """None for an id that the pool does not have now; PoolUnavailable where that cannot be found out."""
        key = self.by_id.get(key_id)
        if key is not None:
            if monotonic() - self.fetched_at > STALE_S:
                self._renew(wait_s=0)  # the others go on with what there is
            return self.by_id.get(key_id)
        if not self._renew(wait_s=WAIT_S):
            raise PoolUnavailable
        return self.by_id.get(key_id)

    def _renew(self, *, wait_s: float) -> bool:
        """Whether the keys are those of this moment, give or take PAUSE_S."""
        if (outcome := self._latest_outcome()) is not None:
            return outcome
        if not self.lock.acquire(timeout=wait_s):
            return False
        try:
            if (outcome := self._latest_outcome()) is not None:  # whoever had the lock has fetched them
                return outcome
            return self._fetch()
        finally:
            self.lock.release()

    def _latest_outcome(self) -> bool | None:
        """Whether the last fetch succeeded; None where it is time for another one."""
        return self.has_succeeded if monotonic() - self.tried_at < PAUSE_S else None

    def _fetch(self) -> bool:
        try:
            self.by_id = fetch_keys(self.url, timeout_s=self.timeout_s)
        except KeysUnavailable as error:
            log.warning("the keys of the user pool cannot be had, %d are known from before: %s", len(self.by_id), error)
            self.has_succeeded = False
        else:
            self.fetched_at, self.has_succeeded = monotonic(), True
        self.tried_at = monotonic()
        return self.has_succeeded


@lru_cache(maxsize=4)
def keys_of(url: str, timeout_s: float) -> Keys:
    return Keys(url, timeout_s)


def fetch_keys(url: str, *, timeout_s: float) -> dict[str, RSAPublicKey]:
    """By their ids; raises KeysUnavailable."""
    try:
        keys = dict(parse_keys(json.loads(read_document(url, timeout_s=timeout_s))))
    except (urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"{url}: {' '.join(str(error).split())}") from error
    if not keys:
        raise KeysUnavailable(f"{url} names no key that could be used")
    return keys


def read_document(url: str, *, timeout_s: float) -> bytes:
    """No redirects, no compression, not longer than MOST_BYTES or `timeout_s`; ValueError says which."""
    deadline = monotonic() + timeout_s
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    with urllib3.PoolManager(num_pools=1, timeout=urllib3.Timeout(total=timeout_s), retries=False) as manager:
        response = manager.request(
            "GET", url, headers=headers, preload_content=False, redirect=False, decode_content=False
        )
        try:
            if response.status != 200:
                raise ValueError(f"answered with status {response.status}")
            return b"".join(pieces_of(response, deadline))
        finally:
            response.close()


def pieces_of(response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
    """As they come: a server that sends a byte now and then does not hold anybody for longer than the deadline."""
    size = 0
    while piece := response.read1(MOST_BYTES):
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"is larger than {MOST_BYTES} bytes")
        if monotonic() > deadline:
            raise ValueError("did not end in time")
        yield piece


def parse_keys(document: Any) -> Iterator[tuple[str, RSAPublicKey]]:
    """Those that RS256 signatures may be made with; one that cannot be read does not spoil the others."""
    entries = document.get("keys") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not is_for_signatures(entry):
            continue
        try:
            key = RSAAlgorithm.from_jwk(entry)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            log.warning("a key of the user pool cannot be read: %s", error)
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_KEY_BITS:
            yield entry["kid"], key


def is_for_signatures(entry: dict[str, Any]) -> bool:
    return (
        entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", "RS256") == "RS256"
        and isinstance(entry.get("kid"), str)
    )
