"""What people read while it runs."""

from contextlib import suppress


def say(text: str) -> None:
    # A closed terminal must not keep the rest from being ended.
    with suppress(OSError):
        print(text, flush=True)


def print_line(name: str, text: str) -> None:
    say(f"{name:<9}| {text}")


def printable(text: str) -> str:
    """Without what would drive the terminal: logs quote what strangers send. Of a progress line, its last state."""
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text.rstrip("\r").rpartition("\r")[2])
