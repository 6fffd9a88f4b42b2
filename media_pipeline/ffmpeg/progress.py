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
    def time_left_s(self) -> int | None:
        """None until enough is done to tell."""
        if self.frames <= 0 or self.elapsed_s < 1:
            return None
        return round(self.elapsed_s * max(0, self.total_frames - self.frames) / self.frames)


def parse_frame(line: str) -> int | None:
    """The count in a `frame=123` line, else None."""
    name, _, value = line.strip().partition("=")
    value = value.strip()
    return int(value) if name == "frame" and value.isascii() and value.isdigit() else None
