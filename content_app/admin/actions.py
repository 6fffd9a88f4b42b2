"""Actions on many videos at once; each reports how many it changed."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from content_app.admin.removal import plan_removal
from content_app.admin.wording import SETTINGS_DECIDE, counted
from content_app.models import Video
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from content_app.states import State
from users_app.staff.admin_base import StaffAdmin

MAX_DELETED_AT_ONCE = 500


class ActionsMixin(StaffAdmin):
    actions = ("process_again", "retry_failed", "soft_delete", "bring_back", "delete_selected")

    @admin.action(description="Process again", permissions=["change"])
    def process_again(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        kept = chosen.filter(deleted_at=None)
        left = "neither finished nor failed"
        self.apply(request, chosen, kept, lifecycle.retry, done="put back in the queue", left=left)

    @admin.action(description="Retry those that failed, where it can help", permissions=["change"])
    def retry_failed(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        failed = chosen.filter(deleted_at=None, state=State.ERROR)
        retryable = failed.filter(Q(run__error_is_final=False) | Q(run__error_code__in=SETTINGS_DECIDE))
        left = "did not fail, or would fail again with the same file"
        self.apply(request, chosen, retryable, lifecycle.retry, done="put back in the queue", left=left)

    @admin.action(description="Delete (can be brought back)", permissions=["delete"])
    def soft_delete(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        done = "deleted; the filter “Deleted” shows what can be brought back"
        self.apply(request, chosen, chosen, videos.soft_delete, done=done, left="already deleted")

    @admin.action(description="Bring deleted ones back", permissions=["change"])
    def bring_back(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        self.apply(request, chosen, chosen, videos.restore, done="brought back", left="not deleted")

    @admin.action(description="Delete for good…", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, chosen: QuerySet[Video]) -> HttpResponse | None:
        # The page of confirmation lists every stored file, so the number of videos is limited.
        if (count := chosen.count()) > MAX_DELETED_AT_ONCE:
            sentence = f"You have selected {count} films. Delete at most {MAX_DELETED_AT_ONCE} for good at once."
            self.message_user(request, sentence, messages.WARNING)
            return None
        return delete_selected(self, request, chosen)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Returns what the page of confirmation shows; its template gets a Removal instead of Django's list of rows."""
        removal = plan_removal(list(objs))
        return removal, removal.row_counts(), set(), []

    def apply(
        self,
        request: HttpRequest,
        chosen: QuerySet[Video],
        fitting: QuerySet[Video],
        service: Callable[..., bool],
        *,
        done: str,
        left: str,
    ) -> None:
        """Calls the service for each fitting video, and reports how many of the chosen it changed and how many not."""
        # Counted first, because the service may change which videos `chosen` finds.
        total = chosen.count()
        changed = sum(service(video_id=pk) for pk in fitting.values_list("pk", flat=True))
        if changed:
            self.message_user(request, f"{counted(changed, 'film')} {done}.", messages.SUCCESS)
        if total > changed:
            self.message_user(request, f"{counted(total - changed, 'film')} left alone: {left}.", messages.WARNING)
