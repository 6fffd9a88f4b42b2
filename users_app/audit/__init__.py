"""Notes for the audit trail, made while a request is answered: who acted, and on what.

The middleware writes them once, with the status of the answer. Without a request, as in a job, nothing is noted and
nothing fails, so that services need not know whether there is one.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """An action in a request besides that of its route, such as a change in the admin site."""

    action: str
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Notes:
    actor_id: int | None = None
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


_notes: ContextVar[Notes | None] = ContextVar("audit_notes", default=None)

# The action of each audited route, by (method, route without its last slash).
actions: dict[tuple[str, str], str] = {}


def register(routes: Mapping[tuple[str, str], str]) -> None:
    """Add to `actions`; each app does so in AppConfig.ready()."""
    actions.update(routes)


def begin() -> Notes:
    notes = Notes()
    _notes.set(notes)
    return notes


def end() -> None:
    _notes.set(None)


def by(user_id: int) -> None:
    """Note who acted, where the request is not authenticated as that user."""
    if notes := _notes.get():
        notes.actor_id = user_id


def about(kind: str, key: object) -> None:
    """Note the object of the action: `about("video", 7)` becomes the target `video:7`."""
    if notes := _notes.get():
        notes.target = f"{kind}:{key}"


def tell(**detail: Any) -> None:
    """Note details of the action; never anything secret."""
    if notes := _notes.get():
        notes.detail |= detail


def note(action: str, *, target: str = "", **detail: Any) -> None:
    """Note an event besides the action of the route."""
    if notes := _notes.get():
        notes.events.append(Event(action, target, detail))
