"""Expected values that are too long for a test, one file each. A change of the output needs a change of the file."""

from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def golden(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def golden_list(name: str) -> list[str]:
    """The items of a file that has one on each line."""
    return golden(name).splitlines()
