"""Rules for originals, prices and texts; pure. Whether a file really is a video is decided later, by the probe."""

import unicodedata
from decimal import Decimal
from pathlib import PurePath

from background.refusals import Kind, Refusal

EXTENSIONS = (
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "vob"),
    *("flv", "wmv", "asf", "3gp", "3g2", "ogv", "mxf"),
)
MEGABYTE = 1024 * 1024


class OriginalRefused(Refusal):
    """A file that this site does not even store."""


def check_original(*, name: str, size_bytes: int, max_mb: int) -> None:
    """Raises OriginalRefused when the name's extension or the size is not acceptable."""
    if PurePath(plain_name(name)).suffix.lower().removeprefix(".") not in EXTENSIONS:
        raise OriginalRefused(f"Upload a video file: {', '.join(EXTENSIONS)}.", code="unsupported_type")
    if size_bytes == 0:
        raise OriginalRefused("The file is empty.", code="empty_file")
    if size_bytes > max_mb * MEGABYTE:
        raise OriginalRefused(too_large_sentence(max_mb), code="too_large", kind=Kind.TOO_LARGE)


def plain_name(name: str) -> str:
    """Returns the name of an uploaded file without control characters: PostgreSQL stores no NUL."""
    return "".join(character for character in name if unicodedata.category(character) != "Cc")


def too_large_sentence(max_mb: int) -> str:
    return f"The file is larger than the {max_mb} MB that this site accepts."


class PriceRefused(Refusal):
    pass


def check_price(*, is_paid: bool, price: Decimal) -> None:
    """Raises PriceRefused for a negative price, or for a paid video without one."""
    if problem := price_problem(is_paid=is_paid, price=price):
        raise PriceRefused(problem, fields={"price": [problem]})


def price_problem(*, is_paid: bool, price: Decimal) -> str:
    """Returns what is wrong with the price, as a sentence; an empty string when it is fine."""
    if price < 0:
        return "A price cannot be negative."
    if is_paid and price == 0:
        return "A paid video needs a price above 0."
    return ""


def with_plain_line_ends(text: str) -> str:
    """Returns the text with LF for every line end: forms send CRLF, JSON sends LF, and both mean the same text."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
