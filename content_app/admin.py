"""Where staff upload videos and see what became of them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.files.uploadedfile import UploadedFile
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator, slugify

from content_app.models import Category, Favorite, Rendition, Video
from content_app.rules import EXTENSIONS, OriginalRefused, check_original, price_problem
from content_app.services import delivery, processing, videos
from content_app.states import State


class VideoForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = Video
        fields = (
            *("title", "description", "category", "video_file"),
            *("owner", "visibility", "is_paid", "price", "currency"),
        )
        # No "currently" link: originals are never served.
        widgets = {"video_file": forms.FileInput(attrs={"accept": ",".join(f".{one}" for one in EXTENSIONS)})}  # noqa: RUF012 - Django's form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        for name, is_required in {"video_file": is_new, "owner": not is_new}.items():
            if name in self.fields:
                self.fields[name].required = is_required
        if isinstance(original := self.fields.get("video_file"), forms.FileField):
            original.max_length = None  # only the extension of the name goes into the key

    def clean_video_file(self) -> Any:
        file = self.cleaned_data["video_file"]
        if isinstance(file, UploadedFile):
            try:
                check_original(name=file.name or "", size_bytes=file.size or 0, max_mb=settings.MAX_UPLOAD_MB)
            except OriginalRefused as refusal:
                raise forms.ValidationError(refusal.sentence, code=refusal.code) from refusal
        return file

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"])
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError("Use three letters, for example EUR.")
        return currency.upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "price" in cleaned and (
            problem := price_problem(is_paid=cleaned.get("is_paid", False), price=cleaned["price"])
        ):
            self.add_error("price", problem)
        return cleaned


class RenditionInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    model = Rendition
    fields = ("name", "width", "height", "frame_rate", "codecs", "peak_bps", "average_bps", "size_bytes", "frames")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """A filter that the database cannot express, such as the year 99999, is shown as a wrong one."""
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError, DataError) as error:
            raise IncorrectLookupParameters from error


@admin.register(Video)
class VideoAdmin(ListAdmin):
    form = VideoForm
    inlines = (RenditionInline,)
    list_display = ("thumbnail", "title", "shown_state", "short_error", "owner", "category", "visibility", "created_at")
    list_display_links = ("thumbnail", "title")
    list_select_related = ("owner", "category")
    list_filter = (
        "state",
        "visibility",
        "category",
        "is_paid",
        "error_code",
        ("deleted_at", admin.EmptyFieldListFilter),
    )
    list_per_page = 50
    search_fields = ("title", "description", "owner__email", "original_name")
    autocomplete_fields = ("owner",)
    actions = ("process_again", "bring_back")
    readonly_fields = (
        *("poster", "watch_page", "shown_state", "error_message", "error_code", "original_name", "original_bytes"),
        *("duration_s", "width", "height", "size_bytes", "public_id", "version", "created_at", "deleted_at"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Video | None = None) -> Any:
        """What the pipeline found is shown once there is something to show."""
        form = (None, {"fields": VideoForm.Meta.fields})
        if obj is None:
            return [form]
        became = ("poster", "watch_page", "shown_state", "error_message", "error_code")
        facts = [name for name in self.readonly_fields if name not in became]
        return [("What became of it", {"fields": became}), form, ("Facts", {"fields": facts, "classes": ["collapse"]})]

    def get_inlines(self, request: HttpRequest, obj: Video | None) -> Any:
        return self.inlines if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Video, form: Any, change: bool) -> None:
        """Only what the form changed is written: a worker may be writing the rest."""
        if obj.owner_id is None:
            obj.owner_id = request.user.pk
        changed = list(form.changed_data)
        if "video_file" in changed:
            videos.take_upload(video=obj, upload=form.cleaned_data["video_file"])
            changed.extend(videos.ORIGINAL_FIELDS)
        videos.save(video=obj, changed=changed if change else None)

    @admin.display(description="")
    def thumbnail(self, video: Video) -> str:
        return picture(video, width=96)

    @admin.display(description="poster")
    def poster(self, video: Video) -> str:
        return picture(video, width=480)

    @admin.display(description="watch page")
    def watch_page(self, video: Video) -> str:
        return format_html('<a href="{0}">{0}</a>', reverse("watch", args=[video.public_id]))

    @admin.display(description="state", ordering="state")
    def shown_state(self, video: Video) -> str:
        return f"{video.progress} %" if video.state == State.PROCESSING else State(video.state).label

    @admin.display(description="error", ordering="error_code")
    def short_error(self, video: Video) -> str:
        return Truncator(video.error_message).chars(80)

    @admin.action(description="Process again", permissions=["change"])
    def process_again(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        self.tell(request, chosen, processing.retry, done="put back in line", left="neither finished nor failed")

    @admin.action(description="Bring deleted videos back", permissions=["change"])
    def bring_back(self, request: HttpRequest, chosen: QuerySet[Video]) -> None:
        self.tell(request, chosen, videos.restore, done="brought back", left="not deleted")

    def tell(
        self, request: HttpRequest, chosen: QuerySet[Video], service: Callable[..., bool], *, done: str, left: str
    ) -> None:
        results = [service(video_id=pk) for pk in chosen.values_list("pk", flat=True)]
        if count := results.count(True):
            self.message_user(request, f"{count} video(s) {done}.", messages.SUCCESS)
        if count := results.count(False):
            self.message_user(request, f"{count} video(s) left alone: {left}.", messages.WARNING)


def picture(video: Video, *, width: int) -> SafeString | str:
    url = delivery.poster_url(video)
    return format_html('<img src="{}" width="{}" alt="" loading="lazy">', url, width) if url else "—"


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = Category
        fields = ("name", "slug", "position")

    def clean_slug(self) -> str:
        """Made here when left empty, so that one that is taken is an error of the form."""
        return str(self.cleaned_data["slug"]) or slugify(self.cleaned_data.get("name", ""))[:60]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    form = CategoryForm
    list_display = ("name", "slug", "position")
    list_editable = ("position",)
    search_fields = ("name",)


@admin.register(Favorite)
class FavoriteAdmin(ListAdmin):
    list_display = ("user", "video", "created_at")
    list_select_related = ("user", "video")
    autocomplete_fields = ("user", "video")
    search_fields = ("user__email", "video__title")
