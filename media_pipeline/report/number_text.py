"""Numbers and lists as people read them; pure."""

from collections.abc import Sequence
from fractions import Fraction

KIB = 1024


def rate_text(rate: Fraction) -> str:
    """`23.976`, `25`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def size_text(width: int, height: int) -> str:
    return f"{width}×{height}"


def seconds_text(seconds: Fraction | float) -> str:
    """`0.5 s`, `42 s`, `2 min 5 s`, `1 h 32 min`."""
    if seconds < 10:
        return f"{float(seconds):.2f}".rstrip("0").rstrip(".") + " s"
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (s, "s")) if count]
    return " ".join(parts[:2])


def bytes_text(count: int) -> str:
    """`512 bytes`, `25.3 MB`; a megabyte has 1024 × 1024 bytes, as everywhere on this site."""
    if count < KIB:
        return f"{count} bytes"
    value, units = count / KIB, ["kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / KIB, units[1:]
    return f"{value:.1f} {units[0]}" if value < 100 else f"{value:.0f} {units[0]}"


def enumerate_words(names: Sequence[str], word: str) -> str:
    """`a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last
