"""Writes to the audit trail what a request did, after it is answered and before the answer is sent."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from users_app import audit
from users_app.audit import Notes, trail
from users_app.clients import client_of
from users_app.http.service_authentication import Service
from users_app.models import AuditEntry, User

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Actions that take a password, a code or a link. Answered with 400, someone may be trying to pass for another user.
PROOFS = frozenset({"sign_in", "password_changed", "address_change_asked", "account_deleted", "confirmed"})
# A sign-out without a session ends nothing.
NOT_FOR_STRANGERS = frozenset({"sign_out"})
TARGETS = {"user_id": "user", "session_id": "session", "ref": "video", "s3_key": "key"}


class AuditTrail:
    """Writes an entry for each action of a user or a service; attempts of strangers are limited, see audit.trail."""

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
        if entries and (actor_id is not None or isinstance(request.__dict__.get("user"), Service)):
            trail.write(entries)
        elif entries:
            trail.write_attempts(entry for entry in entries if entry.action not in NOT_FOR_STRANGERS)
        return response


def entries_of(
    request: HttpRequest, response: HttpResponseBase, notes: Notes, actor_id: int | None
) -> Iterator[AuditEntry]:
    """Yield an entry for the action of the route, if it has one, and one for each noted event."""
    match = request.resolver_match
    route = match.route if match else ""
    action = audit.actions.get((request.method or "", route.rstrip("/")), "")
    status = response.status_code
    # Of the failures, only a forbidden action and a wrong proof are worth a row.
    is_wrong_proof = status == HTTPStatus.BAD_REQUEST and action in PROOFS
    if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.FORBIDDEN and not is_wrong_proof:
        action = ""
    if not action and not notes.events:
        return
    same = {
        "actor_id": actor_id,
        "method": request.method or "",
        "route": route[:200],
        "status": status,
        "address": client_of(request).address,
        "request_id": getattr(request, "request_id", ""),
    }
    if action:
        parameters = match.kwargs if match else {}
        targets = (f"{TARGETS[name]}:{value}" for name, value in parameters.items() if name in TARGETS)
        target = notes.target or next(targets, "")
        yield AuditEntry(action=action, target=target[:200], detail=notes.detail, **same)
    for event in notes.events:
        yield AuditEntry(action=event.action, target=event.target[:200], detail=event.detail, **same)


def user_of(request: HttpRequest) -> int | None:
    """Return the id of the user whom DRF or the admin site has found already, or None; makes no query."""
    user = request.__dict__.get("user")
    if type(user) is SimpleLazyObject:
        user = request.__dict__.get("_cached_user")  # present once the lazy object was evaluated
    return user.pk if isinstance(user, User) else None
