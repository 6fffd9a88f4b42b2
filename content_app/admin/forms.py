"""The form with which staff create and edit a video, including its file."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminTextareaWidget

from content_app.input_rules import (
    EXTENSIONS,
    MEGABYTE,
    OriginalRefused,
    check_original,
    price_problem,
    with_plain_line_ends,
)
from content_app.models import DirectUpload, Video
from content_app.services.uploads import direct_uploads
from users_app.models import User

GONE = "The uploaded file is no longer there, or belongs to another film. Please choose it again."


class VideoForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    # SavingMixin.get_form makes a subclass for each request and sets these three:
    upload_problem = ""  # why the file could not be stored, when that was not the file's fault
    price_problem = ""  # why the price does not fit what another request has saved in the meantime
    person: User | None = None  # the user who sends the form

    upload: DirectUpload | None = None  # the upload that upload_key names, once the form is validated

    # The key of a file that was uploaded directly, instead of the file itself.
    upload_key = forms.CharField(required=False, label="Original", widget=forms.HiddenInput)

    class Meta:
        model = Video
        fields = (
            *("title", "description", "category", "video_file"),
            *("owner", "visibility", "is_paid", "price", "currency"),
        )
        widgets = {  # noqa: RUF012 - Django's form
            # Not Django's widget with its "Currently" link: originals are never served.
            "video_file": forms.FileInput(attrs={"accept": ",".join(f".{one}" for one in EXTENSIONS)}),
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        is_uploaded = bool(self.data.get(self.add_prefix("upload_key")))
        # With an upload_problem the form says that, instead of "This field is required".
        is_file_required = is_new and not is_uploaded and not self.upload_problem
        for name, is_required in {"video_file": is_file_required, "owner": not is_new}.items():
            if name in self.fields:
                self.fields[name].required = is_required
        if isinstance(original := self.fields.get("video_file"), forms.FileField):
            original.max_length = None  # only the extension of the name goes into the key
            original.widget.attrs |= {"class": "vf-file", "data-max-bytes": settings.MAX_UPLOAD_MB * MEGABYTE}
            original.help_text = f"A video file of at most {settings.MAX_UPLOAD_MB:,} MB."
            if not is_new:
                original.help_text += " The current version keeps playing until the new one is ready."

    def clean_video_file(self) -> Any:
        if self.upload_problem:
            raise forms.ValidationError(self.upload_problem, code="not_stored")
        file = self.cleaned_data["video_file"]
        if isinstance(file, UploadedFile):
            try:
                check_original(name=file.name or "", size_bytes=file.size or 0, max_mb=settings.MAX_UPLOAD_MB)
            except OriginalRefused as refusal:
                raise forms.ValidationError(refusal.sentence, code=refusal.code) from refusal
        return file

    def clean_upload_key(self) -> str:
        key = str(self.cleaned_data["upload_key"])
        if key and self.person:
            self.upload = direct_uploads.find_loose(owner=self.person, key=key)
            if self.upload is None:
                self.add_error("video_file", GONE)
        return key

    def clean_description(self) -> str:
        return with_plain_line_ends(str(self.cleaned_data["description"]))

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"])
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError("Use three letters, for example EUR.")
        return currency.upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "price" in cleaned:
            problem = price_problem(is_paid=cleaned.get("is_paid", False), price=cleaned["price"])
            if problem := problem or self.price_problem:
                self.add_error("price", problem)
        return cleaned
