"""Filters of the list of videos, besides those of its fields."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from content_app.admin.wording import NEXT_STEPS
from content_app.models import Video
from content_app.states import State


class ErrorFilter(admin.SimpleListFilter):
    """Offers every error code, because a query for the codes that occur would read the whole table."""

    title = "error"
    parameter_name = "error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code.replace("_", " ")) for code in NEXT_STEPS]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Video]") -> "QuerySet[Video]":
        return queryset.filter(state=State.ERROR, run__error_code=self.value()) if self.value() else queryset


class DeletedFilter(admin.SimpleListFilter):
    """Hides deleted videos by default."""

    title = "deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Deleted"), ("all", "Both")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Video]") -> "QuerySet[Video]":
        match self.value():
            case "all":
                return queryset
            case "1":
                return queryset.exclude(deleted_at=None)
            case _:
                return queryset.filter(deleted_at=None)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for number, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": "Not deleted"} if number == 0 else choice
