"""The last runs of a film: what each found in its file, what became of it, and what it took."""

from fractions import Fraction

from content_app.models import Run, Video
from media_pipeline.report.number_text import rate_text, seconds_text, size_text

SHOWN = 10


def last_runs(video: Video) -> list[Run]:
    """Returns up to SHOWN runs, the newest first, by one query."""
    return list(Run.objects.filter(video=video).defer("report", "settings")[:SHOWN])


def found_text(run: Run) -> str:
    """`1920×1080, 24 frames a second, 30 s`; "" for a file of which less is known."""
    found = (run.verdict or {}).get("found") or {}
    # Stored JSON outlives the release that wrote it.
    if not {"width", "height", "frame_rate", "duration_s"} <= found.keys():
        return ""
    picture = size_text(found["width"], found["height"])
    rate = rate_text(Fraction(found["frame_rate"]))
    return f"{picture}, {rate} frames a second, {seconds_text(found['duration_s'])}"
