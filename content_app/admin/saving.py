"""Saves the form of a video, and answers with a page, or with JSON to the script that shows an upload's progress."""

import errno
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from content_app.admin.forms import GONE, VideoForm
from content_app.input_rules import PriceRefused
from content_app.models import ORIGINAL_FIELDS, Video
from content_app.preferred_types import prefers_json
from content_app.services.catalogue import videos
from content_app.services.uploads import direct_uploads
from media_pipeline.errors import StorageUnavailable
from users_app.staff.admin_base import StaffAdmin

NO_ROOM = "There is no room left to store this file. Make room, then send it again."
NOT_STORED = "The storage cannot be written to at the moment, so the file was not saved. Try again later."


class NotStored(Exception):
    """The original could not be stored; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class SavingMixin(StaffAdmin):
    form = VideoForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)  # a new class for each request
        form.upload_problem = getattr(request, "upload_problem", "")
        form.price_problem = getattr(request, "price_problem", "")
        form.person = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows a file that cannot be stored, and a price that another request has made wrong, as errors of the form.

        The form is shown again, so that the typed fields are kept.
        """
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except NotStored as problem:
            request.upload_problem = problem.sentence  # type: ignore[attr-defined]  # an attribute of this project
        except PriceRefused as refusal:
            request.price_problem = refusal.sentence  # type: ignore[attr-defined]  # an attribute of this project
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Video, form: Any, change: bool) -> None:
        if obj.owner_id is None:
            obj.owner_id = request.user.pk
        # Only the changed fields are written: a worker may be writing the others.
        changed = [name for name in form.changed_data if name != "upload_key"]
        if form.upload and not change:  # a new video takes the public id under which its file is stored
            obj.public_id, obj.original_name = form.upload.public_id, form.upload.name
        upload = form.cleaned_data.get("video_file")
        if form.upload or isinstance(upload, UploadedFile):
            require_uploader(request)
        if isinstance(upload, UploadedFile):
            videos.take_upload(video=obj, upload=upload)
            changed.extend(ORIGINAL_FIELDS)
        try:
            videos.save(video=obj, changed=changed if change else None)
        except OSError as error:
            is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise NotStored(NO_ROOM if is_full else NOT_STORED) from error
        except StorageUnavailable as error:
            raise NotStored(NOT_STORED) from error
        if form.upload and not direct_uploads.attach(upload=form.upload, video=obj):
            raise NotStored(GONE)

    # --- Answers ---

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and prefers_json(request, by_default=False):
            return JsonResponse(problems_of(context), status=400)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Video, post_url_continue: str | None = None) -> HttpResponse:
        return answer_script(request, super().response_add(request, obj, post_url_continue))

    def response_post_save_add(self, request: HttpRequest, obj: Video) -> HttpResponseRedirect:
        """Redirects to the video's own page, which shows its processing, instead of the list."""
        return HttpResponseRedirect(reverse("admin:content_app_video_change", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Video) -> HttpResponse:
        return answer_script(request, super().response_change(request, obj))


def require_uploader(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user may upload videos now: the file may have taken minutes to arrive."""
    try:
        videos.require_uploader(request.user.pk or 0)
    except videos.NotAllowed as refusal:
        raise PermissionDenied from refusal


def problems_of(context: Any) -> dict[str, Any]:
    """Returns the errors of the form as `{"title": ["sentence"], "detail": "sentence", "code": "invalid"}`."""
    errors = dict(context["adminform"].form.errors)
    general = errors.pop("__all__", ["The form could not be saved. Please correct the fields marked below."])
    return {**errors, "detail": " ".join(general), "code": "invalid"}


def answer_script(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """For a script, turns a redirect into JSON: it would follow it unseen, and use up the message for the next page."""
    if isinstance(response, HttpResponseRedirect) and prefers_json(request, by_default=False):
        return JsonResponse({"location": response.url}, status=201)
    return response
