"""The public keys of a user pool: fetched when they are needed, and cached per process."""

import json
import logging
import math
import threading
from collections.abc import Iterator
from functools import lru_cache
from time import monotonic
from typing import Any

import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWKClient, PyJWKClientError, PyJWKSet, PyJWTError
from jwt.exceptions import PyJWKClientConnectionError
from jwt.jwk_set_cache import JWKSetCache

from users_app.cognito.faults import PoolUnavailable

log = logging.getLogger(__name__)

ALGORITHM = "RS256"
MAX_BYTES = 64 * 1024  # the document of a pool has less than two kilobytes
MIN_KEY_BITS = 2048
STALE_S = 3600  # after this time the keys are fetched again, which drops those that the pool has withdrawn
PAUSE_S = 10  # from one fetch to the next at least, however many unknown key ids arrive
WAIT_S = 2  # for a fetch that another thread has begun


class PoolKeys(PyJWKClient):
    """The keys of one pool. The set that was fetched last stays in use for as long as no newer one can be fetched.

    Other than with PyJWT's client, requests whose key is known do not wait for a fetch, a failed fetch drops no key and
    is not repeated at once, and a fetch is bounded in time and size.
    """

    jwk_set_cache: JWKSetCache

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__(url, timeout=timeout_s, lifespan=STALE_S)
        self.lock = threading.Lock()
        self.tried_at = -math.inf
        self.has_succeeded = False

    def get_signing_key(self, kid: str) -> PyJWK:
        """Return the key of this id.

        Raises PyJWKClientError when the pool has no such key, PoolUnavailable while its keys cannot be fetched.
        """
        key = self._cached_key(kid)
        if key is not None and not self.jwk_set_cache.is_expired():
            return key
        # A request whose key is known from the old set does not wait for the thread that fetches a new one.
        is_current = self._renew(wait_s=WAIT_S if key is None else 0)
        if key is None and not is_current:
            raise PoolUnavailable
        key = self._cached_key(kid)
        if key is None:
            raise PyJWKClientError("The pool has no key of this id.")
        return key

    def _cached_key(self, kid: str) -> PyJWK | None:
        """Return the key, also from an expired set, which the cache itself would not return."""
        cached = self.jwk_set_cache.jwk_set_with_timestamp
        return None if cached is None else self.match_kid(cached.get_jwk_set().keys, kid)

    def _renew(self, *, wait_s: float) -> bool:
        """Fetch the keys, at most once in PAUSE_S.

        Returns False when the last fetch failed, or when another thread has not ended its own within `wait_s`.
        """
        if not self.lock.acquire(timeout=wait_s):
            return False
        try:
            if monotonic() - self.tried_at >= PAUSE_S:
                try:
                    self.get_jwk_set(refresh=True)
                    self.has_succeeded = True
                except PyJWTError as error:
                    log.warning("the keys of the user pool cannot be fetched, known ones stay in use: %s", error)
                    self.has_succeeded = False
                self.tried_at = monotonic()
            return self.has_succeeded
        finally:
            self.lock.release()

    def fetch_data(self) -> PyJWKSet:
        """Return the keys for RS256 signatures, without those that are unreadable or too short.

        Raises PyJWTError where none is left.
        """
        try:
            document = json.loads(read_document(self.uri, timeout_s=self.timeout))
        except (urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as error:
            raise PyJWKClientConnectionError(f"{self.uri}: {' '.join(str(error).split())}") from error
        entries = document.get("keys") if isinstance(document, dict) else None
        keys = PyJWKSet([entry for entry in entries if is_for_signatures(entry)] if isinstance(entries, list) else [])
        keys.keys = [key for key in keys if isinstance(key.key, RSAPublicKey) and key.key.key_size >= MIN_KEY_BITS]
        if not keys.keys:
            raise PyJWKClientError(f"{self.uri} has no public key of {MIN_KEY_BITS} bits or more")
        return keys


@lru_cache(maxsize=4)
def keys_of(url: str, timeout_s: float) -> PoolKeys:
    return PoolKeys(url, timeout_s)


def read_document(url: str, *, timeout_s: float) -> bytes:
    """Return the body of the answer, without following redirects and without compression.

    Raises ValueError when it is larger than MAX_BYTES or has not ended within `timeout_s`, or an error of urllib3.
    """
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
    """Yield the body piece by piece. Raises ValueError when it is too large or takes too long."""
    size = 0
    while piece := response.read1(MAX_BYTES):
        size += len(piece)
        if size > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES} bytes")
        # urllib3's own timeout is for each read: a server that sends a byte now and then would never reach it.
        if monotonic() > deadline:
            raise ValueError("did not end in time")
        yield piece


def is_for_signatures(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(entry.get("kid"), str)
    )
