"""What a checkup found, one line each; pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`said` is what was proved or, where something is wrong, what it is and how to mend it."""

    name: str
    is_fine: bool
    said: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.is_fine else 'WRONG'} {self.name}: {self.said}"


def fine(name: str, said: str) -> Finding:
    return Finding(name, is_fine=True, said=said)


def wrong(name: str, said: str) -> Finding:
    return Finding(name, is_fine=False, said=said)
