"""The list of videos and the page of one video in the admin site."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from content_app.admin import film, pictures
from content_app.admin.actions import ActionsMixin
from content_app.admin.changes import ChangesMixin
from content_app.admin.filters import DeletedFilter, ErrorFilter
from content_app.admin.saving import SavingMixin
from content_app.models import Video
from content_app.queries import with_rows_of_making
from content_app.services.processing.forecast import Forecast
from content_app.services.uploads.direct_uploads import direct_way
from content_app.states import Visibility
from users_app.staff.admin_base import is_id

FACTS = (
    *("original_name", "original_bytes", "length_in_seconds", "picture", "stored_bytes"),
    *("public_id", "version", "created_at", "updated_at", "deleted_at"),
)


@admin.register(Video)
class VideoAdmin(SavingMixin, ChangesMixin, ActionsMixin):
    list_display = ("thumbnail", "name", "state_cell", "owner_link", "category", "uploaded")
    list_display_links = ("thumbnail", "name")
    list_filter = (
        *("state", ErrorFilter, "visibility", "category", ("owner", AutocompleteSelectFilter), "is_paid"),
        *(DeletedFilter, "created_at"),
    )
    list_filter_submit = True
    search_fields = ("title", "description", "owner__email", "original_name", "public_id", "id")
    search_help_text = "Title, description, owner, file name, public id or id"
    autocomplete_fields = ("owner",)
    readonly_fields = FACTS

    # --- The list ---

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Video]":
        # Not by list_select_related, which Django leaves out where a queryset has joins already.
        return with_rows_of_making(super().get_queryset(request)).select_related("owner", "category")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Video]", search_term: str
    ) -> "tuple[QuerySet[Video], bool]":
        """Returns the videos in which every word occurs in one of the fields."""
        for word in search_term.replace("\0", "").split():
            queryset = queryset.filter(contains(word))
        # False: no duplicates to remove, because none of the searched fields joins a table with several rows per video.
        return queryset, False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist: Any = super().get_changelist_instance(request)
        forecast = Forecast()  # one for the whole list, so that it takes one query
        for video in changelist.result_list:
            video.forecast = forecast
        return changelist

    @admin.display(description="picture")
    def thumbnail(self, video: Video) -> SafeString:
        return pictures.thumbnail(video, name=video.title)

    @admin.display(description="title", ordering="title")
    def name(self, video: Video) -> SafeString:
        tags = [Visibility(video.visibility).label] if video.visibility != Visibility.PUBLIC else []
        tags += ["Featured"] if video.is_featured else []
        tags += [f"{video.price} {video.currency}"] if video.is_paid else []
        marked = format_html_join("", '<span class="vf-tag">{}</span>', ((tag,) for tag in tags))
        return format_html('<span class="vf-name">{}</span><span class="vf-tags">{}</span>', video.title, marked)

    @admin.display(description="state", ordering="state")
    def state_cell(self, video: Video) -> SafeString:
        forecast: Forecast = video.forecast  # type: ignore[attr-defined]  # set by get_changelist_instance
        return pictures.state_cell(video, forecast)

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, video: Video) -> SafeString:
        """Links to the list of this owner's videos."""
        return format_html('<a href="?owner__id__exact={}">{}</a>', video.owner_id, video.owner)

    @admin.display(description="uploaded", ordering="created_at")
    def uploaded(self, video: Video) -> str:
        return date_format(timezone.localtime(video.created_at), "DATETIME_FORMAT")

    # --- The page of one ---

    @admin.display(description="length", empty_value="-")
    def length_in_seconds(self, video: Video) -> str | None:
        return f"{video.version.duration_s:.3f} s" if video.version and video.version.duration_s else None

    @admin.display(description="picture", empty_value="-")
    def picture(self, video: Video) -> str | None:
        return f"{video.version.width} × {video.version.height}" if video.version else None

    @admin.display(description="stored bytes", empty_value="-")
    def stored_bytes(self, video: Video) -> int | None:
        return video.version.size_bytes if video.version else None

    def get_fieldsets(self, request: HttpRequest, obj: Video | None = None) -> Any:
        """A new video begins with its file; an existing one has the file and the pipeline's facts at the end."""
        file = ("video_file",)
        texts = ("title", "description", "category")
        access = ("Who may watch it", {"fields": ("owner", "visibility", "is_paid", "price", "currency")})
        if obj is None:
            return [(None, {"fields": (*file, *texts)}), access]
        facts = ("Facts", {"fields": FACTS, "classes": ["collapse"]})
        return [(None, {"fields": texts}), access, ("Another file", {"fields": file}), facts]

    def get_urls(self) -> list[URLPattern]:
        return [*self.script_urls(), *self.change_urls(), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["direct"] = direct_way()
        if video := context.get("original"):
            context["film"] = film.film_details(request, video)
            context["show_delete"] = False  # the page has its own button, beside the others
        return super().render_change_form(request, context, *args, **kwargs)

    def get_view_on_site_url(self, obj: Video | None = None) -> str | None:
        return reverse("watch", args=[obj.public_id]) if obj else None


UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def contains(word: str) -> Q:
    # A regular expression, because SQLite's LIKE ignores case for ASCII letters only.
    pattern = re.escape(word)
    matches = Q(title__iregex=pattern) | Q(description__iregex=pattern) | Q(original_name__iregex=pattern)
    matches |= Q(owner__email__icontains=word) | Q(owner__name__iregex=pattern)
    if is_id(word):
        matches |= Q(pk=int(word))
    if public_id := UUID.search(word):  # also inside the address of a watch page
        matches |= Q(public_id=public_id[0])
    return matches
