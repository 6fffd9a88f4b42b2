"""What is noted of a request while it is answered: who it turned out to be, and what it concerned.

`trail` writes it down once, with how it was answered. Nobody who notes needs to know whether there is a request.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """Something that happened beside what the route says, as in the admin site."""

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

# What each route does that is of interest: (method, route without its last slash) to the action.
actions: dict[tuple[str, str], str] = {}


def register(routes: Mapping[tuple[str, str], str]) -> None:
    """For AppConfig.ready() of each app."""
    actions.update(routes)


def begin() -> Notes:
    notes = Notes()
    _notes.set(notes)
    return notes


def end() -> None:
    _notes.set(None)


def by(user_id: int) -> None:
    """Who did it, where the request itself does not say."""
    if notes := _notes.get():
        notes.actor_id = user_id


def about(kind: str, key: object) -> None:
    """What it concerned, as in `video:7`."""
    if notes := _notes.get():
        notes.target = f"{kind}:{key}"


def tell(**detail: Any) -> None:
    """What else there is to know; never anything secret."""
    if notes := _notes.get():
        notes.detail |= detail


def note(action: str, *, target: str = "", **detail: Any) -> None:
    """Something that the route does not say."""
    if notes := _notes.get():
        notes.events.append(Event(action, target, detail))
