"""What an original and a price must be to be accepted; pure. The probe decides later what a file really is."""

from decimal import Decimal
from pathlib import PurePath

from background.refusals import Kind, Refusal

EXTENSIONS = (
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "vob"),
    *("flv", "wmv", "asf", "3gp", "3g2", "ogv", "mxf"),
)
MEGABYTE = 1024 * 1024


class OriginalRefused(Refusal):
    """A file that is not even stored."""


def check_original(*, name: str, size_bytes: int, max_mb: int) -> None:
    """Raises OriginalRefused."""
    if PurePath(name).suffix.lower().removeprefix(".") not in EXTENSIONS:
        raise OriginalRefused(f"Upload a video file: {', '.join(EXTENSIONS)}.", code="unsupported_type")
    if size_bytes == 0:
        raise OriginalRefused("The file is empty.", code="empty_file")
    if size_bytes > max_mb * MEGABYTE:
        raise OriginalRefused(too_large_sentence(max_mb), code="too_large", kind=Kind.TOO_LARGE)


def too_large_sentence(max_mb: int) -> str:
    return f"The file is larger than the {max_mb} MB that this site accepts."


class PriceRefused(Refusal):
    pass


def check_price(*, is_paid: bool, price: Decimal) -> None:
    """Raises PriceRefused."""
    if problem := price_problem(is_paid=is_paid, price=price):
        raise PriceRefused(problem, fields={"price": [problem]})


def price_problem(*, is_paid: bool, price: Decimal) -> str:
    """What is wrong with the price, as a sentence; empty when nothing is."""
    if price < 0:
        return "A price cannot be negative."
    if is_paid and price == 0:
        return "A paid video needs a price above 0."
    return ""


def with_plain_line_ends(text: str) -> str:
    """Forms send a line's end as two characters, JSON as one: the same text is to be the same."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
