"""What `make up` prints."""

from contextlib import suppress


def say(text: str) -> None:
    # A closed terminal must not stop the supervisor before it has ended its children.
    with suppress(OSError):
        print(text, flush=True)


def print_line(name: str, text: str) -> None:
    say(f"{name:<9}| {text}")


def printable(text: str) -> str:
    """The text without control characters, which logs may quote from any client; of a progress line, its last state."""
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text.rstrip("\r").rpartition("\r")[2])
