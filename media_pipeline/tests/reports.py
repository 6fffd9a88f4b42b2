"""Reports as the probe makes them, for tests of what follows from them."""

from itertools import pairwise
from typing import Any

from media_pipeline.planning.plan import STORED_FORMAT

COLOUR = {"primaries": 1, "transfer": 1, "matrix": 1, "range": 1, "is_rgb": False, "depth_bits": 8, "pixels": "yuv420p"}


def probed(*, audio: list[dict[str, Any]] | None = None, start_s: str = "0/1", **video: Any) -> dict[str, Any]:
    """The probe's report on two seconds at 25 frames a second, with the changes that the test is about."""
    picture = {
        "index": 0, "codec": "h264", "width": 1920, "height": 1080, "sar": "1/1", "rotation": 0, "time_base": "1/12800",
        "guessed_rate": "25/1", "decodes": True, "decode_error": "", "packets": ticks(range(0, 25600, 512), 512),
        "declared_s": "2/1", "matrix": None, "is_interlaced": False, "colour": COLOUR,
    }  # fmt: skip
    return {
        "format": STORED_FORMAT,
        "container": "mov",
        "start_s": start_s,
        "audio": audio or [],
        "subtitles": [],
        "video": {**picture, **video},
    }


def ticks(times: Any, last_duration: int = 1) -> dict[str, Any]:
    """The probe's summary of these presentation times, with the most frequent distances first."""
    times = sorted(times)
    distances = [b - a for a, b in pairwise(times)]
    counted = sorted(((d, distances.count(d)) for d in set(distances)), key=lambda pair: -pair[1])
    end = times[-1] + last_duration
    return {
        "count": len(times),
        "first": times[0],
        "last": times[-1],
        "end": end,
        "deltas": counted,
        "are_shown_at": True,
    }


def track(index: int, *, is_default: bool = False, language: str = "und") -> dict[str, Any]:
    return {"index": index, "codec": "aac", "channels": 2, "language": language, "title": "", "is_default": is_default}
