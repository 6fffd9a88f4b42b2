"""The findings of a checkup, one line each; pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`text` says what was proved or, when something is wrong, what it is and how to mend it."""

    name: str
    is_fine: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.is_fine else 'WRONG'} {self.name}: {self.text}"


def fine(name: str, text: str) -> Finding:
    return Finding(name, is_fine=True, text=text)


def wrong(name: str, text: str) -> Finding:
    return Finding(name, is_fine=False, text=text)
