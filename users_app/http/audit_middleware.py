"""Writes down what requests have done, after they are answered and before the answer leaves."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from django.utils.functional import SimpleLazyObject

from users_app import audit
from users_app.audit import Notes
from users_app.clients import client_of
from users_app.http.service_authentication import Service
from users_app.models import AuditEntry, User
from users_app.services import trail

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# A failure of these is somebody who tries to pass for somebody else.
PROOFS = frozenset({"sign_in", "password_changed", "address_change_asked", "account_deleted", "confirmed"})
# Signing out without a session ends none.
NOTHING_TO_STRANGERS = frozenset({"sign_out"})
TARGETS = {"user_id": "user", "session_id": "session", "ref": "video", "s3_key": "key"}


class AuditTrail:
    """An entry for each thing that a person or a service did; what strangers tried has a bound (see services.trail)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        notes = audit.begin()
        try:
            response = self.get_response(request)
            actor_id = notes.actor_id or user_of(request)
            entries = list(entries_of(request, response, notes, actor_id))
        finally:
            audit.end()
        if entries and (actor_id is not None or is_service(request)):
            trail.write(entries)
        elif entries:
            trail.write_attempts(entry for entry in entries if entry.action not in NOTHING_TO_STRANGERS)
        return response


def entries_of(
    request: HttpRequest, response: HttpResponseBase, notes: Notes, actor_id: int | None
) -> Iterator[AuditEntry]:
    """What the route is known to do, and whatever else was noted."""
    match = request.resolver_match
    action = action_of(request, match, response.status_code)
    if not action and not notes.events:
        return
    same = {
        "actor_id": actor_id,
        "method": request.method or "",
        "route": match.route[:200] if match else "",
        "status": response.status_code,
        "address": client_of(request).address,
        "request_id": getattr(request, "request_id", ""),
    }
    if action:
        target = notes.target or target_of(match)
        yield AuditEntry(action=action, target=target[:200], detail=notes.detail, **same)
    for event in notes.events:
        yield AuditEntry(action=event.action, target=event.target[:200], detail=event.detail, **same)


def action_of(request: HttpRequest, match: ResolverMatch | None, status: int) -> str:
    """Empty for what changes nothing, and for what failed, unless the failure is of interest."""
    route = match.route.rstrip("/") if match else ""
    action = audit.actions.get((request.method or "", route), "")
    if status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.FORBIDDEN:
        return action
    return action if action in PROOFS and status == HTTPStatus.BAD_REQUEST else ""


def user_of(request: HttpRequest) -> int | None:
    """As DRF or the admin site has found out; asked of neither anew."""
    user = request.__dict__.get("user")
    if type(user) is SimpleLazyObject:
        user = request.__dict__.get("_cached_user")  # there if anybody has asked
    return user.pk if isinstance(user, User) else None


def is_service(request: HttpRequest) -> bool:
    return isinstance(request.__dict__.get("user"), Service)


def target_of(match: ResolverMatch | None) -> str:
    for name, value in (match.kwargs if match else {}).items():
        if kind := TARGETS.get(name):
            return f"{kind}:{value}"
    return ""
