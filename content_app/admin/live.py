"""The current states of the videos on a page, polled by its script; a constant number of queries."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from content_app.admin.pictures import small_picture_url
from content_app.admin.wording import condition_of, is_underway, next_step
from content_app.models import Video
from content_app.queries import with_rows_of_making
from content_app.services.processing.forecast import Forecast
from users_app.staff.admin_base import is_id

MAX_IDS = 200


@require_GET
def show_states(request: HttpRequest) -> JsonResponse:
    """Answers `?ids=1,2` with the states of these videos; leaves out ids that are no numbers or belong to no video."""
    ids = [int(text) for text in request.GET.get("ids", "").split(",") if is_id(text)]
    videos = with_rows_of_making(Video.objects.filter(pk__in=ids[:MAX_IDS])).defer("description")
    videos = videos.annotate(is_explained=Q(run__verdict__isnull=False))
    forecast = Forecast()
    return JsonResponse({"videos": [state_of(video, forecast) for video in videos] if ids else []})


def state_of(video: Video, forecast: Forecast) -> dict[str, Any]:
    condition = condition_of(video, forecast.of(video))
    return {
        "id": video.pk,
        "label": condition.label,
        "tone": condition.tone,
        "detail": condition.detail,
        "percent": condition.percent,
        "next_step": next_step(video),
        "is_underway": is_underway(video),
        "is_explained": video.is_explained,  # type: ignore[attr-defined]  # annotated
        "picture": small_picture_url(video),
    }
