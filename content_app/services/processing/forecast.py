"""How long films will still take: the one estimate that the API, the watch site and the admin site show.

A worker corrects the estimate of its own film while it encodes (`time_left_s`). For films that wait, the forecast
assumes that they are processed in the order of their arrival, by as many workers as are busy now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from statistics import median

from django.conf import settings

from content_app.models import Run, Video
from content_app.states import LIVE_RUNS, RunState, State


@dataclass(frozen=True)
class Outlook:
    """`place` is 1 for the film that a worker takes next, None for one that does not wait for a worker of this site."""

    place: int | None = None
    time_left_s: int | None = None  # until it is ready


UNKNOWN = Outlook()


class Forecast:
    """Outlooks for any number of films, by one query, which runs when the first waiting film is asked about."""

    def __init__(self) -> None:
        self._waiting: Mapping[int, Outlook] | None = None

    def of(self, video: Video) -> Outlook:
        if video.state == State.PROCESSING and video.run:
            return Outlook(time_left_s=known_time_left_s(video.run.time_left_s, video.run.estimate_s))
        if video.state != State.PENDING or video.deleted_at or settings.TRANSCODER != "internal":
            return UNKNOWN
        if self._waiting is None:
            self._waiting = look_ahead()
        return self._waiting.get(video.pk, UNKNOWN)


def known_time_left_s(time_left_s: int | None, estimate_s: int | None) -> int | None:
    """Until the worker reports a time, the estimate of the whole encode counts."""
    return estimate_s if time_left_s is None else time_left_s


def look_ahead() -> Mapping[int, Outlook]:
    """Returns the outlooks of all waiting films, by their ids."""
    in_line = Run.objects.filter(state__in=LIVE_RUNS, video__deleted_at=None).order_by("queued_at", "pk")
    busy, waiting = [], []
    for video_id, state, time_left_s, estimate_s in in_line.values_list("video", "state", "time_left_s", "estimate_s"):
        if state == RunState.RUNNING:
            busy.append(known_time_left_s(time_left_s, estimate_s))
        else:
            waiting.append((video_id, estimate_s))
    return outlooks(busy, waiting)


def outlooks(busy: Sequence[int | None], waiting: Sequence[tuple[int, int | None]]) -> Mapping[int, Outlook]:
    """Simulates the queue; pure. Returns the outlook of each waiting film by its id.

    `busy`: seconds until each worker is free; `waiting`: (id, seconds of work) in order. None stands for "not known
    yet": such a film counts as one of median length for the films behind it, and gets no time of its own.
    """
    known = [seconds for seconds in (*busy, *(work_s for _, work_s in waiting)) if seconds is not None]
    usual_s = median(known) if known else 0
    free_in = [usual_s if seconds is None else seconds for seconds in busy] or [0]
    heapify(free_in)
    result = {}
    for place, (pk, work_s) in enumerate(waiting, start=1):
        # The worker that is free first takes the film.
        done_in = heappop(free_in) + (usual_s if work_s is None else work_s)
        heappush(free_in, done_in)
        result[pk] = Outlook(place, None if work_s is None else round(done_in))
    return result
