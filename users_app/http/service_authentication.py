"""Which service is asking: by its signature, or by the word of the gateway that has verified it."""

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
SCHEME_FAMILY = "aws4-"  # whoever signs by another of these is told what is wrong with it


class NotSigned(NotAuthenticated):
    default_detail = f"Sign the request with {ALGORITHM} in its Authorization header."
    default_code = "signature_missing"


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class GatewayRefused(PermissionDenied):
    default_detail = "This is not the secret of our gateway."
    default_code = "gateway_refused"


class TooManyRefused(Throttled):
    default_detail = "Too many requests from this address were signed wrongly."
    default_code = "too_many_attempts"


@dataclass(frozen=True, slots=True)
class SignatureAttempt:
    """A network that sends wrong signatures waits before the next one is looked at, as one that guesses passwords."""

    network: str

    def check(self) -> None:
        """Raises TooManyRefused."""
        if wait_s := counters().ask(lambda store: store.held_s(hold_of(self._name))):
            raise TooManyRefused(wait=math.ceil(wait_s))

    def note_failure(self) -> None:
        counters().ask(self._count)

    def _count(self, store: CounterStore) -> None:
        if wait_s := ADDRESS.wait_s(store.add(self._name, MEMORY_S)):
            store.hold(hold_of(self._name), wait_s)

    @property
    def _name(self) -> str:
        return f"wrong:signature:{self.network}"


@dataclass(frozen=True, slots=True)
class Service:
    """In the place of a person: authenticated, but without an account and without any of a person's rights."""

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
    """`request.user` is a Service; a request without signature and gateway's secret is left to others."""

    def authenticate(self, request: Request) -> tuple[Service, None] | None:
        # The secret first, because a gateway may pass on the signature that its own address was asked with.
        has_secret = bool(settings.GATEWAY_SHARED_SECRET) and GATEWAY_HEADER in request.headers
        if not has_secret and not request.headers.get("Authorization", "").lower().startswith(SCHEME_FAMILY):
            return None
        attempt = SignatureAttempt(network_of(client_of(request).address or ""))
        attempt.check()  # before the body is read and hashed
        try:
            if has_secret:
                return gateway_by_secret(request.headers[GATEWAY_HEADER]), None
            return service_by_signature(request._request), None
        except PermissionDenied:
            attempt.note_failure()
            raise

    def authenticate_header(self, request: Request) -> str:
        """What makes DRF answer 401 to a request that is not signed."""
        return ALGORITHM


class IsService(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.successful_authenticator is None:
            raise NotSigned
        return isinstance(request.user, Service)


def gateway_by_secret(secret: str) -> Service:
    if not constant_time_compare(secret, settings.GATEWAY_SHARED_SECRET):
        raise GatewayRefused
    return Service(GATEWAY)


def service_by_signature(request: HttpRequest) -> Service:
    try:
        key = verify_signature(
            sent_request(request),
            keys=settings.SERVICE_KEYS,
            region=settings.SERVICE_REGION,
            service=settings.SERVICE_NAME,
            now=timezone.now(),
        )
    except SignatureRefused as refused:
        raise PermissionDenied(refused.sentence, code=refused.code) from None
    return Service(key.name)


def sent_request(request: HttpRequest) -> SentRequest:
    return SentRequest(
        method=request.method or "",
        path=sent_path(request),
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=whole_body(request),
    )


def sent_path(request: HttpRequest) -> str:
    """The path before it was decoded, "%2F" still apart from "/"; must be the one that the route was chosen by."""
    # Django has replaced what the server put here by its text.
    decoded = f"{request.META.get('SCRIPT_NAME', '')}{request.META.get('PATH_INFO', '')}".encode()
    address = request.META.get("RAW_URI", request.META.get("REQUEST_URI"))
    if address is None:
        # Django's own servers do not say; this is how most clients would have sent it.
        return quote(decoded, safe="/~")
    path: str = address.partition("?")[0]
    if unquote_to_bytes(path.encode("latin-1")) != decoded:
        raise SignatureRefused("The address has to be sent as a path and a query, in UTF-8.", "signature_malformed")
    return path


def whole_body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig:
        raise BodyTooLarge from None
