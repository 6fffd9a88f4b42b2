"""The states of a video and the moves between them; pure."""

from django.db import models


class State(models.TextChoices):
    UPLOADING = "uploading", "Uploading"
    PENDING = "pending", "Waiting for a worker"
    PROCESSING = "processing", "Processing"
    READY = "ready", "Ready"
    ERROR = "error", "Failed"


# The states that front ends show as "still being made".
UNDERWAY = frozenset({State.UPLOADING, State.PENDING, State.PROCESSING})


class RunState(models.TextChoices):
    """Of one making of a film; State is what readers see of the film itself."""

    WAITING = "waiting", "Waiting for a worker"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped for another file"


LIVE_RUNS = (RunState.WAITING, RunState.RUNNING)


class Visibility(models.TextChoices):
    PUBLIC = "PUBLIC", "Public"
    UNLISTED = "UNLISTED", "Unlisted"
    PRIVATE = "PRIVATE", "Private"


MOVES: dict[State, frozenset[State]] = {
    # To PENDING: the first original arrived, or the original was replaced before a worker claimed it.
    State.UPLOADING: frozenset({State.PENDING, State.ERROR}),
    # PENDING to READY: a candidate was refused, and the version before it keeps playing.
    State.PENDING: frozenset({State.PENDING, State.PROCESSING, State.READY, State.ERROR}),
    # PROCESSING to PENDING: the worker handed it back, the worker died, or the original was replaced.
    State.PROCESSING: frozenset({State.PENDING, State.READY, State.ERROR}),
    State.READY: frozenset({State.PENDING}),
    State.ERROR: frozenset({State.PENDING}),
}

# The names of the states in the versioned API and the upload routes.
API_STATUS = {
    State.UPLOADING: "UPLOADED",
    State.PENDING: "UPLOADED",
    State.PROCESSING: "PROCESSING",
    State.READY: "READY",
    State.ERROR: "FAILED",
}


def sources_of(target: State) -> list[State]:
    """Returns the states from which a video may move to `target`."""
    return [source for source, targets in MOVES.items() if target in targets]
