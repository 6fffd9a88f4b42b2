"""Texts about a video's state, for staff; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from content_app.models import Video
from content_app.services.processing.forecast import UNKNOWN, Outlook
from content_app.states import UNDERWAY, State

# What staff should do next about a failed video, by its error code.
NEXT_STEPS = {
    "not_a_video": "Choose another file, or delete the film.",
    "no_video_stream": "Upload a file with a picture.",
    "truncated": "Check first whether the copy is complete.",
    "unsupported_codec": "Convert the file first (H.264 in MP4 always works), then upload that.",
    "too_long": "Upload a shorter film, or raise MAX_DURATION_MINUTES and try again.",
    "too_large": "Scale the picture down, then upload that.",
    "source_missing": "If a disk or a bucket is not connected: connect it, then process the film again from the list.",
    "encoder_failed": "Try again; if it fails once more, look at the log of the worker.",
    "out_of_time": "Try again when the machine has less to do.",
    "storage_unavailable": "Make room in the storage, then try again.",
}
# Final errors that depend on a setting: an operator may have changed it since, so staff may try again.
SETTINGS_DECIDE = frozenset({"too_long"})


@dataclass(frozen=True)
class Condition:
    """`tone` picks the colour: waiting, busy, good, bad or gone. `percent` is None unless the video is processed."""

    label: str
    tone: str
    detail: str = ""
    percent: int | None = None


def condition_of(video: Video, outlook: Outlook = UNKNOWN) -> Condition:
    """Returns the label of a video's state. `outlook` is its forecast: see services.processing.forecast."""
    if video.deleted_at:
        return Condition("Deleted", "gone", date_format(timezone.localtime(video.deleted_at), "DATE_FORMAT"))
    run = video.run
    match State(video.state):
        case State.UPLOADING:
            return Condition("Waiting for its file", "waiting")
        case State.PENDING:
            return Condition(
                waiting_text(outlook), "waiting", attempt_of(video, started=run.attempts + 1 if run else 1)
            )
        case State.PROCESSING:
            detail = joined((time_left(outlook.time_left_s), attempt_of(video, started=run.attempts if run else 1)))
            percent = run.progress if run else 0
            return Condition(f"Processing, {percent} %", "busy", detail, percent)
        case State.READY:
            return Condition("Ready", "good", f"Processed in {span(run.work_s)}" if run and run.work_s else "")
        case State.ERROR:
            return Condition("Failed", "bad", run.error_message if run else "")


def is_underway(video: Video) -> bool:
    """Whether the page should keep polling this video; also while its file is still being uploaded."""
    return video.deleted_at is None and video.state in UNDERWAY


def waiting_text(outlook: Outlook) -> str:
    """Returns the same text as the watch site: "Waiting: 3rd in the queue, about 4 min"."""
    if outlook.place is None:
        return "Waiting to be processed"
    place = "next" if outlook.place == 1 else ordinal(outlook.place)
    about = f"about {span(outlook.time_left_s)}" if outlook.time_left_s is not None else ""
    return f"Waiting: {joined((f'{place} in the queue', about))}"


def ordinal(number: int) -> str:
    """3 → "3rd"."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def may_process_again(video: Video) -> bool:
    """Whether processing the video again can help: a final error would only repeat itself."""
    run = video.run
    if video.deleted_at or run is None or not run.original:
        return False
    can_help = not run.error_is_final or run.error_code in SETTINGS_DECIDE
    return video.state == State.READY or (video.state == State.ERROR and can_help)


def attempt_of(video: Video, *, started: int) -> str:
    """Returns "attempt 2 of 3"; an empty string for the first attempt."""
    return f"attempt {started} of {settings.MAX_ATTEMPTS}" if started > 1 else ""


def next_step(video: Video) -> str:
    return NEXT_STEPS.get(video.run.error_code, "Try again.") if video.run and video.state == State.ERROR else ""


def time_left(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return "a few seconds left" if seconds < 5 else f"about {span(seconds)} left"


def span(seconds: float) -> str:
    """3725 → "1 h 2 min"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return joined((f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""), " ")


def clock(seconds: float | None) -> str:
    """3725 → "1:02:05"."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bitrate(bps: int) -> str:
    return f"{bps / 1e6:.1f} Mbit/s" if bps >= 1e6 else f"{round(bps / 1000)} kbit/s"


def counted(number: int, noun: str) -> str:
    """3, "film" → "3 films"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def joined(parts: Iterable[str], separator: str = ", ") -> str:
    return separator.join(filter(None, parts))
