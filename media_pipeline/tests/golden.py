"""Expected values too long for a test, one file each; whoever changes the output changes the file by hand."""

from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def golden(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def golden_list(name: str) -> list[str]:
    """One item a line."""
    return golden(name).splitlines()
