"""Reads ffmpeg's `-progress` lines; pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """The progress of an encode: frames written and planned, and seconds since it began."""

    frames: int
    total_frames: int
    elapsed_s: float

    @property
    def percent(self) -> int:
        return min(100, 100 * self.frames // max(1, self.total_frames))

    @property
    def share(self) -> float:
        """0 to 1, and 0 within the first second."""
        # Nothing can be told from the speed of the first frames.
        return min(1, self.frames / max(1, self.total_frames)) if self.elapsed_s >= 1 else 0


def parse_frame(line: str) -> int | None:
    """The number in a line such as `frame=123`; None for any other line."""
    name, _, value = line.strip().partition("=")
    value = value.strip()
    return int(value) if name == "frame" and value.isascii() and value.isdigit() else None
