"""The errors by which services refuse a request, with a code for programs and a sentence for people.

`config.http.errors` turns them into answers; pages and commands show the sentence.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum


class Kind(IntEnum):
    """Why a request is refused; the value is the HTTP status of the answer."""

    INVALID = 400  # the data of the request are wrong
    FORBIDDEN = 403
    CONFLICT = 409  # the state of the object does not allow it
    CHANGED = 412  # the object was changed after the client read it
    TOO_LARGE = 413
    TOO_OFTEN = 429
    UNAVAILABLE = 503  # the same request may succeed later


class Refusal(Exception):
    """The base class. Subclasses are named for what went wrong, and say it in `sentence`."""

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
        """`fields`: messages by field name. `wait_s`: seconds to wait, which the sentence then says too."""
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
        """True when the same request will be refused again."""
        return self.kind not in {Kind.TOO_OFTEN, Kind.UNAVAILABLE}
