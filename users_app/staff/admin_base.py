"""The base of all admin pages: ids and filters that a database cannot hold get a sentence, never a 500."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from django.contrib import admin

    Base: TypeAlias = admin.ModelAdmin[Any]  # unfold's is untyped
else:
    Base = ModelAdmin

# For a number of 30 digits SQLite raises the first, PostgreSQL the second.
OVERFLOWS = (OverflowError, DataError)
MAX_ID_DIGITS = 18
PATTERNS = ("__regex", "__iregex")


class RelatedChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except OVERFLOWS as error:
            sentence = self.error_messages["invalid_choice"]
            raise forms.ValidationError(sentence, code="invalid_choice", params={"value": value}) from error

    def prepare_value(self, value: Any) -> Any:
        """Return None for a text that is not an id."""
        # When the form is shown again, the widget looks the value up in the database.
        prepared = super().prepare_value(value)
        return None if isinstance(prepared, str) and not is_id(prepared) else prepared


class StaffAdmin(Base):
    list_per_page = 50
    warn_unsaved_form = True

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        try:
            return super().get_object(request, object_id, from_field)
        except OVERFLOWS:
            return None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **{"form_class": RelatedChoice, **kwargs})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse regular expressions."""
        # Databases differ in their syntax, and a wrong one is an error of the database.
        return not lookup.endswith(PATTERNS) and bool(super().lookup_allowed(lookup, value, request))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Treat a filter that the database cannot express, such as the year 99999, as an incorrect one."""
        ids = (value for name, values in request.GET.lists() if name.endswith("__id__exact") for value in values)
        if not all(map(is_id, map(str, ids))):
            raise IncorrectLookupParameters
        try:
            return super().get_changelist_instance(request)
        except (*OVERFLOWS, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search without null bytes."""
        # Autocompletion passes them on from the request, and PostgreSQL refuses them.
        term = search_term.replace("\0", "")
        results: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, term)
        return results

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Answer with 400 a form with ids that this site has not put there."""
        if not all(map(is_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest("A selected id is not valid.")
        try:
            return super().changelist_view(request, extra_context)
        except OVERFLOWS as error:
            raise BadRequest("An id in the form is not valid.") from error


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
