"""Categories and favourites in the admin site."""

from django import forms
from django.contrib import admin
from django.utils.text import slugify

from content_app.models import Category, Favorite
from users_app.staff.admin_base import StaffAdmin


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = Category
        fields = ("name", "slug", "position")

    def clean_slug(self) -> str:
        """Fills an empty slug before validation, so that a slug that exists already is an error of the form."""
        return str(self.cleaned_data["slug"]) or slugify(self.cleaned_data.get("name", ""))[:60]


@admin.register(Category)
class CategoryAdmin(StaffAdmin):
    form = CategoryForm
    list_display = ("name", "slug", "position")
    list_editable = ("position",)
    search_fields = ("name",)


@admin.register(Favorite)
class FavoriteAdmin(StaffAdmin):
    list_display = ("user", "video", "created_at")
    list_select_related = ("user", "video")
    autocomplete_fields = ("user", "video")
    search_fields = ("user__email", "video__title")
