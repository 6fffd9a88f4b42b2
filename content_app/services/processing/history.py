"""The last runs of a film: what each found in its file, what became of it, and what it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from content_app.models import Run, Video
from content_app.states import RunState
from media_pipeline.report.number_text import rate_text, seconds_text, size_text

SHOWN = 10


@dataclass(frozen=True)
class PastRun:
    """One run as its owner and admins see it; `found` and `sentence` are sentences for people, empty where none."""

    file: str
    state: str
    label: str
    queued_at: datetime
    ended_at: datetime | None
    attempts: int
    found: str
    took_s: float | None
    code: str
    sentence: str


def last_runs(video: Video, *, count: int = SHOWN) -> list[PastRun]:
    """Returns the newest runs first, by one query."""
    return [past_run(run) for run in Run.objects.filter(video=video).defer("report", "settings")[:count]]


def past_run(run: Run) -> PastRun:
    return PastRun(
        file=run.name,
        state=run.state,
        label=RunState(run.state).label,
        queued_at=run.queued_at,
        ended_at=run.ended_at,
        attempts=run.attempts,
        found=found_text((run.verdict or {}).get("found") or {}),
        took_s=run.work_s or None,
        code=run.error_code,
        sentence=run.error_message,
    )


def found_text(found: Mapping[str, Any]) -> str:
    """`1920×1080, 24 frames a second, 30 s`; "" for a file of which less is known."""
    # Stored JSON outlives the release that wrote it.
    if not {"width", "height", "frame_rate", "duration_s"} <= found.keys():
        return ""
    picture = size_text(found["width"], found["height"])
    rate = rate_text(Fraction(found["frame_rate"]))
    return f"{picture}, {rate} frames a second, {seconds_text(found['duration_s'])}"
