"""Authenticates services: by their signature, or by the secret of the gateway that has verified it."""

import math
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from users_app.clients import client_of
from users_app.http.service_signature import ALGORITHM, SentRequest, SignatureRefused, verify_signature
from users_app.limits.counters import CounterStore, counters
from users_app.limits.lockout import ADDRESS, MEMORY_S, hold_of
from users_app.limits.rates import network_of

GATEWAY = "gateway"
GATEWAY_HEADER = "X-Gateway-Secret"
SCHEME_FAMILY = "aws4-"  # a signer that uses another algorithm of this family gets a sentence about it


class NotSigned(NotAuthenticated):
    default_detail = f"Sign the request with {ALGORITHM} in its Authorization header."
    default_code = "signature_missing"


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class GatewayRefused(PermissionDenied):
    default_detail = "The gateway secret is wrong."
    default_code = "gateway_refused"


class TooManyRefused(Throttled):
    default_detail = "Too many requests from this address had a wrong signature."
    default_code = "too_many_attempts"


@dataclass(frozen=True, slots=True)
class SignatureAttempt:
    """A network that sends wrong signatures has to wait, as after wrong passwords, before the next one is checked."""

    network: str

    def check(self) -> None:
        """Raise TooManyRefused while the network has to wait."""
        if wait_s := counters().ask(lambda store: store.held_s(hold_of(self._key))):
            raise TooManyRefused(wait=math.ceil(wait_s))

    def note_failure(self) -> None:
        counters().ask(self._count)

    def _count(self, store: CounterStore) -> None:
        if wait_s := ADDRESS.wait_s(store.add(self._key, MEMORY_S)):
            store.hold(hold_of(self._key), wait_s)

    @property
    def _key(self) -> str:
        return f"wrong:signature:{self.network}"


@dataclass(frozen=True, slots=True)
class Service:
    """Takes the place of a User in requests: authenticated, but without an account and without a user's rights."""

    name: str
    pk: ClassVar[None] = None
    id: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.name


class ServiceAuthentication(BaseAuthentication):
    """Sets `request.user` to a Service; leaves a request without a signature or a gateway secret to other classes."""

    def authenticate(self, request: Request) -> tuple[Service, None] | None:
        # The secret goes first: a gateway may pass on the signature of its caller, which is made for another address.
        has_secret = bool(settings.GATEWAY_SHARED_SECRET) and GATEWAY_HEADER in request.headers
        if not has_secret and not request.headers.get("Authorization", "").lower().startswith(SCHEME_FAMILY):
            return None
        attempt = SignatureAttempt(network_of(client_of(request).address or ""))
        attempt.check()  # before the body is read and hashed
        if has_secret:
            if not constant_time_compare(request.headers[GATEWAY_HEADER], settings.GATEWAY_SHARED_SECRET):
                attempt.note_failure()
                raise GatewayRefused
            return Service(GATEWAY), None
        try:
            key = verify_signature(
                sent_request(request._request),
                keys=settings.SERVICE_KEYS,
                region=settings.SERVICE_REGION,
                service=settings.SERVICE_NAME,
                now=timezone.now(),
            )
        except SignatureRefused as refused:
            attempt.note_failure()
            raise PermissionDenied(refused.sentence, code=refused.code) from None
        return Service(key.name), None

    def authenticate_header(self, request: Request) -> str:
        """Make DRF answer 401, not 403, to a request that is not signed."""
        return ALGORITHM


class IsService(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.successful_authenticator is None:
            raise NotSigned
        return isinstance(request.user, Service)


def sent_request(request: HttpRequest) -> SentRequest:
    """Return the request as the service sent it. Raises SignatureRefused (see sent_path) or BodyTooLarge."""
    path = sent_path(request)
    try:
        body = request.body
    except RequestDataTooBig:
        raise BodyTooLarge from None
    return SentRequest(
        method=request.method or "",
        path=path,
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def sent_path(request: HttpRequest) -> str:
    """Return the path as it was sent, in which "%2F" differs from "/".

    Raises SignatureRefused unless it decodes to the path that Django chose the route by.
    """
    # Django has decoded what the server put here; encoding it gives the bytes again.
    decoded = f"{request.META.get('SCRIPT_NAME', '')}{request.META.get('PATH_INFO', '')}".encode()
    address = request.META.get("RAW_URI", request.META.get("REQUEST_URI"))
    if address is None:
        # Django's own servers do not keep it; most clients would have sent it like this.
        return quote(decoded, safe="/~")
    path: str = address.partition("?")[0]
    if unquote_to_bytes(path.encode("latin-1")) != decoded:
        raise SignatureRefused("The address must be sent as a path and a query, in UTF-8.", "signature_malformed")
    return path
