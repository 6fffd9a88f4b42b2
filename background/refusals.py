"""What services refuse: plain errors with a code for programs and a sentence for people.

`config.http.errors` answers them; pages and commands show the sentence.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum


class Kind(IntEnum):
    """Why a request is refused, by the HTTP status that says so."""

    INVALID = 400  # what was sent cannot be used as it is
    FORBIDDEN = 403
    CONFLICT = 409  # with the state that things are in
    CHANGED = 412  # since the client has read what it wants to change
    TOO_LARGE = 413
    TOO_OFTEN = 429
    UNAVAILABLE = 503  # at the moment; the same request may succeed later


class Refusal(Exception):
    """Subclasses name what went wrong and say it in `sentence`."""

    kind = Kind.INVALID
    code = "invalid"
    sentence = "This cannot be done."
    retry_after_s: int | None = None

    def __init__(
        self,
        sentence: str = "",
        *,
        code: str = "",
        kind: Kind | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
        wait_s: int | None = None,
    ) -> None:
        """`fields`: messages by the names of what was sent. `wait_s`: how long the client has to wait; told to it."""
        self.sentence = sentence or self.sentence
        self.code = code or self.code
        self.kind = kind or self.kind
        self.fields = fields
        if wait_s is not None:
            self.retry_after_s = wait_s
            self.sentence += f" Try again in {wait_s} {'second' if wait_s == 1 else 'seconds'}."
        super().__init__(self.sentence)

    @property
    def permanent(self) -> bool:
        """Whether the same request will be refused again."""
        return self.kind not in {Kind.TOO_OFTEN, Kind.UNAVAILABLE}
