"""The states of a video and the moves between them; pure."""

from django.db import models


class State(models.TextChoices):
    UPLOADING = "uploading", "Uploading"
    PENDING = "pending", "Waiting for a worker"
    PROCESSING = "processing", "Processing"
    READY = "ready", "Ready"
    ERROR = "error", "Failed"


# As front ends have it: something is still going to become of it.
UNDERWAY = frozenset({State.UPLOADING, State.PENDING, State.PROCESSING})


class Visibility(models.TextChoices):
    PUBLIC = "PUBLIC", "Public"
    UNLISTED = "UNLISTED", "Unlisted"
    PRIVATE = "PRIVATE", "Private"


MOVES: dict[State, frozenset[State]] = {
    # UPLOADING and PENDING lead to PENDING: a first original, or one replaced before a worker took it.
    State.UPLOADING: frozenset({State.PENDING, State.ERROR}),
    # PENDING to READY: a candidate was refused, and the version before it goes on.
    State.PENDING: frozenset({State.PENDING, State.PROCESSING, State.READY, State.ERROR}),
    # PROCESSING to PENDING: handed back, taken back from a dead worker, or the original was replaced.
    State.PROCESSING: frozenset({State.PENDING, State.READY, State.ERROR}),
    State.READY: frozenset({State.PENDING}),
    State.ERROR: frozenset({State.PENDING}),
}

# How the versioned API and the upload routes name the states.
API_STATUS = {
    State.UPLOADING: "UPLOADED",
    State.PENDING: "UPLOADED",
    State.PROCESSING: "PROCESSING",
    State.READY: "READY",
    State.ERROR: "FAILED",
}


def sources_of(target: State) -> list[State]:
    """The states from which `target` may be reached."""
    return [source for source, targets in MOVES.items() if target in targets]
