"""The overview page: films that wait, are being processed or have failed, and the state of the machine.

It takes five queries, however many films there are.
"""

import shutil
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, Q, Sum, When
from django.http import HttpRequest
from django.urls import reverse

from content_app import queue
from content_app.admin.pictures import state_cell, thumbnail
from content_app.admin.wording import next_step
from content_app.models import Video
from content_app.queries import with_rows_of_making
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
    """Adds the overview to the index page; UNFOLD in the settings names this callback.

    Staff who may not view videos get the page without it.
    """
    context["title"] = "Overview"
    if request.user.has_perm("content_app.view_video"):
        context["overview"] = dashboard_context()
    return context


def dashboard_context() -> dict[str, Any]:
    kept = Q(deleted_at=None)
    totals = list(
        Video.objects.order_by().values("state").annotate(
            kept=Count("pk", filter=kept), deleted=Count("pk", filter=~kept),
            version_bytes=Sum("version__size_bytes"), original_bytes=Sum("original_bytes"),
        )
    )  # fmt: skip
    videos = with_rows_of_making(Video.objects.filter(kept)).select_related("owner")
    processing_first = Case(When(state=State.PROCESSING, then=0), default=1)
    underway = videos.filter(state__in=IN_QUEUE).order_by(processing_first, "updated_at")
    failed = videos.filter(state=State.ERROR).order_by("-updated_at")
    forecast = Forecast()
    return {
        "tiles": tiles({row["state"]: row["kept"] for row in totals}),
        "underway": [(video, thumbnail(video), state_cell(video, forecast)) for video in underway[:LISTED]],
        "failed": [(video, next_step(video)) for video in failed[:LISTED]],
        "worker_count": queue.worker_count(),
        "disk": disk(),
        "people": User.objects.filter(is_active=True).count(),
        "deleted": sum(row["deleted"] for row in totals),
        "version_bytes": sum(row["version_bytes"] or 0 for row in totals),
        "original_bytes": sum(row["original_bytes"] or 0 for row in totals),
    }


def tiles(counts: dict[str, int]) -> list[Tile]:
    """`counts`: the number of videos in each state."""
    videos = reverse("admin:content_app_video_changelist")
    shown = (
        ("Waiting", State.PENDING, "waiting"),
        ("Processing", State.PROCESSING, ""),
        ("Failed", State.ERROR, "bad"),
        ("Ready", State.READY, ""),
    )
    return [
        Tile(title, number := counts.get(state, 0), f"{videos}?state__exact={state}", tone if number else "")
        for title, state, tone in shown
    ]


def disk() -> Disk | None:
    try:
        usage = shutil.disk_usage(settings.WORK_DIR if settings.S3_CONNECTION else settings.MEDIA_ROOT)
    except OSError:
        return None
    return Disk("Work disk" if settings.S3_CONNECTION else "Disk", usage.free, usage.total)
