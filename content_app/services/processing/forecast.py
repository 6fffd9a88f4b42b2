"""How long films will still take: the one estimate that the API, the pages and the admin site tell.

A worker corrects that of its own film as it goes (`time_left_s`). What waits is taken up in the order in which it came,
by as many workers as are busy now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from statistics import median

from django.conf import settings

from content_app.models import Video
from content_app.states import State


@dataclass(frozen=True)
class Outlook:
    """`place` is 1 for the film that is taken up next, None for one that waits for no worker of this site."""

    place: int | None = None
    time_left_s: int | None = None  # until it is ready


UNKNOWN = Outlook()


class Forecast:
    """Of any number of films by one query, which is made when the first film that waits is asked about."""

    def __init__(self) -> None:
        self._waiting: Mapping[int, Outlook] | None = None

    def of(self, video: Video) -> Outlook:
        if video.state == State.PROCESSING:
            return Outlook(time_left_s=video.estimate_s if video.time_left_s is None else video.time_left_s)
        if video.state != State.PENDING or video.deleted_at or settings.TRANSCODER != "internal":
            return UNKNOWN
        if self._waiting is None:
            self._waiting = look_ahead()
        return self._waiting.get(video.pk, UNKNOWN)


def look_ahead() -> Mapping[int, Outlook]:
    """By the ids of the films that wait."""
    in_line = Video.objects.filter(state__in=(State.PENDING, State.PROCESSING), deleted_at=None)
    rows = in_line.order_by("queued_at", "pk")
    busy, waiting = [], []
    for pk, state, time_left_s, estimate_s in rows.values_list("pk", "state", "time_left_s", "estimate_s"):
        if state == State.PROCESSING:
            busy.append(estimate_s if time_left_s is None else time_left_s)
        else:
            waiting.append((pk, estimate_s))
    return outlooks(busy, waiting)


def outlooks(busy: Sequence[int | None], waiting: Sequence[tuple[int, int | None]]) -> Mapping[int, Outlook]:
    """`busy`: seconds until each worker is free; `waiting`: (id, what it takes) in order. None: not known yet; pure.

    Those that are not known are taken for middling ones; nothing is said of their own time.
    """
    known = [seconds for seconds in (*busy, *(takes for _, takes in waiting)) if seconds is not None]
    usual = median(known) if known else 0
    free_in = [usual if seconds is None else seconds for seconds in busy] or [0]
    heapify(free_in)
    found = {}
    for place, (pk, takes) in enumerate(waiting, start=1):
        done_in = heappop(free_in) + (usual if takes is None else takes)
        heappush(free_in, done_in)
        found[pk] = Outlook(place, None if takes is None else round(done_in))
    return found
