"""The overview page: films that wait, are being processed or have failed, and the state of the machine.

It takes five queries, however many films there are.
"""

import shutil
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.http import HttpRequest
from django.urls import reverse

from content_app import queue
from content_app.admin.pictures import state_cell, thumbnail
from content_app.admin.wording import next_step
from content_app.models import Video
from content_app.queries import VERDICTS
from content_app.services.processing.forecast import Forecast
from content_app.states import State
from users_app.models import User

LISTED = 8
# Unlike states.UNDERWAY, without films whose file is still being uploaded.
IN_QUEUE = frozenset({State.PENDING, State.PROCESSING})
LOW_DISK_BYTES = 5 * 1024**3


@dataclass(frozen=True)
class Tile:
    """A number that links to the videos it counts. `tone` is set only where staff should take a look."""

    title: str
    number: int
    link: str
    tone: str = ""


@dataclass(frozen=True)
class Disk:
    """The disk of the media, or of the work folder where media are in buckets."""

    name: str
    free_bytes: int
    total_bytes: int

    @property
    def used_percent(self) -> int:
        return round(100 * (1 - self.free_bytes / self.total_bytes)) if self.total_bytes else 0

    @property
    def is_short(self) -> bool:
        return self.free_bytes < LOW_DISK_BYTES


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD in the settings names this callback. Staff who may not view videos get a page without them."""
    context["title"] = "Overview"
    if request.user.has_perm("content_app.view_video"):
        context["overview"] = dashboard_context()
    return context


def dashboard_context() -> dict[str, Any]:
    totals, forecast = count_states(), Forecast()
    return {
        "tiles": tiles(totals),
        "underway": [(video, thumbnail(video), state_cell(video, forecast)) for video in underway_first()],
        "failed": [(video, next_step(video)) for video in lately_failed()],
        "worker_count": queue.worker_count(),
        "disk": disk(),
        "people": User.objects.filter(is_active=True).count(),
        "deleted": sum(row["deleted"] for row in totals.values()),
        "version_bytes": sum(row["version_bytes"] or 0 for row in totals.values()),
        "original_bytes": sum(row["original_bytes"] or 0 for row in totals.values()),
    }


def count_states() -> dict[str, dict[str, Any]]:
    kept = Q(deleted_at=None)
    rows = Video.objects.order_by().values("state").annotate(
        kept=Count("pk", filter=kept), deleted=Count("pk", filter=~kept),
        version_bytes=Sum("size_bytes"), original_bytes=Sum("original_bytes"),
    )  # fmt: skip
    return {row["state"]: dict(row) for row in rows}


def tiles(totals: dict[str, dict[str, Any]]) -> list[Tile]:
    number = {state: totals.get(state, {}).get("kept", 0) for state in State}
    return [
        Tile("Waiting", number[State.PENDING], list_of(State.PENDING), "waiting" if number[State.PENDING] else ""),
        Tile("Processing", number[State.PROCESSING], list_of(State.PROCESSING)),
        Tile("Failed", number[State.ERROR], list_of(State.ERROR), "bad" if number[State.ERROR] else ""),
        Tile("Ready", number[State.READY], list_of(State.READY)),
    ]


def list_of(state: State) -> str:
    return f"{reverse('admin:content_app_video_changelist')}?state__exact={state}"


def underway_first() -> "QuerySet[Video]":
    """Returns the films that are being processed, then those that wait, the longest waiting first."""
    order = Case(When(state=State.PROCESSING, then=0), default=1)
    videos = Video.objects.filter(deleted_at=None, state__in=IN_QUEUE).select_related("owner").defer(*VERDICTS)
    return videos.order_by(order, "updated_at")[:LISTED]


def lately_failed() -> "QuerySet[Video]":
    videos = Video.objects.filter(deleted_at=None, state=State.ERROR).select_related("owner").defer(*VERDICTS)
    return videos.order_by("-updated_at")[:LISTED]


def disk() -> Disk | None:
    try:
        usage = shutil.disk_usage(settings.WORK_DIR if settings.S3_CONNECTION else settings.MEDIA_ROOT)
    except OSError:
        return None
    return Disk("Work disk" if settings.S3_CONNECTION else "Disk", usage.free, usage.total)
