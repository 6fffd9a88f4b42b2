"""Reads ffmpeg's `-progress` lines; pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far an encode is: frames written, of how many, and seconds since it began."""

    frames: int
    total_frames: int
    elapsed_s: float

    @property
    def percent(self) -> int:
        return min(100, 100 * self.frames // max(1, self.total_frames))

    @property
    def share(self) -> float:
        """0 to 1; 0 until enough is done to tell a speed by it."""
        return min(1, self.frames / max(1, self.total_frames)) if self.elapsed_s >= 1 else 0


def parse_frame(line: str) -> int | None:
    """The count in a `frame=123` line, else None."""
    name, _, value = line.strip().partition("=")
    value = value.strip()
    return int(value) if name == "frame" and value.isascii() and value.isdigit() else None
