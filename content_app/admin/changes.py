"""The buttons on the page of one video. Each is a form of its own, whose view redirects back to that page."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.views.decorators.http import require_POST

from content_app.admin.player import PlayerMixin
from content_app.models import Video
from content_app.services.additions import captions, posters
from content_app.services.additions.folders import AdditionRefused
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from media_pipeline.errors import StorageUnavailable
from users_app.staff.admin_base import is_id

DELETED = "The film is deleted. You can bring it back on this page until it is deleted for good."
# What the form's `to` names: the service, the message when it changed the video, and the message when it did not.
BUTTONS: dict[str, tuple[Callable[..., bool], str, str]] = {
    "process": (lifecycle.retry, "Put back in the queue.", "Nothing changed: the film is neither finished nor failed."),
    "dismiss": (lifecycle.dismiss_refusal, "The note is dismissed.", "The note was dismissed already."),
    "delete": (videos.soft_delete, DELETED, "The film was deleted already."),
    "feature": (videos.feature, "Put at the top of the catalogue.", "It is there already, or deleted."),
    "unfeature": (videos.unfeature, "Taken from the top of the catalogue.", "It is not at the top of the catalogue."),
    "restore": (videos.restore, "The film is back.", "The film is not deleted."),
}
CHANGED_MEANWHILE = "The film was deleted or changed in the meantime, so nothing was saved."


class ChangesMixin(PlayerMixin):
    def change_urls(self) -> list[URLPattern]:
        changes = {"move": self.move, "poster": self.change_poster, "captions": self.change_captions}
        return [self.video_url(name, require_POST(self.for_scripts(view))) for name, view in changes.items()]

    def video_to_change(self, request: HttpRequest, pk: int) -> Video:
        video = self.video_to_see(request, pk)
        if not self.has_change_permission(request, video):
            raise PermissionDenied
        return video

    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        video = self.video_to_change(request, pk)
        service, done, unchanged = BUTTONS.get(request.POST.get("to", ""), (None, "", ""))
        if service is None:
            raise Http404
        has_changed = service(video_id=video.pk)
        level = messages.SUCCESS if has_changed else messages.WARNING
        self.message_user(request, done if has_changed else unchanged, level)
        return back_to(video)

    def change_poster(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes the uploaded picture, else the candidate with this number, else the best candidate."""
        video, number = self.video_to_change(request, pk), request.POST.get("number", "")
        if upload := request.FILES.get("file"):
            self.change(request, "Your picture is the poster.", posters.upload, video_id=video.pk, upload=upload)
        elif problem := upload_problem(request):
            self.message_user(request, problem, messages.ERROR)
        elif is_id(number):
            self.change(request, "The poster is changed.", posters.choose, video_id=video.pk, number=int(number))
        elif number:
            self.message_user(request, "Choose one of the pictures by its number.", messages.ERROR)
        else:
            self.change(request, "The best picture of the film is the poster.", posters.reset, video_id=video.pk)
        return back_to(video)

    def change_captions(self, request: HttpRequest, pk: int) -> HttpResponse:
        video, language = self.video_to_change(request, pk), request.POST.get("remove")
        if language:
            self.change(
                request, "The captions are removed.", captions.remove_captions, video_id=video.pk, language=language
            )
        elif upload := request.FILES.get("file"):
            fields = {name: request.POST.get(name, "") for name in ("language", "label")}
            self.change(request, "The captions are added.", add_captions, video_id=video.pk, upload=upload, **fields)
        else:
            problem = upload_problem(request) or "Choose a file with captions first."
            self.message_user(request, problem, messages.ERROR)
        return back_to(video)

    def change(self, request: HttpRequest, done: str, service: Callable[..., object], **arguments: Any) -> None:
        """Calls the service, and shows `done` or the reason why nothing was changed."""
        try:
            service(**arguments)
        except (AdditionRefused, StorageUnavailable) as problem:
            self.message_user(request, problem.sentence, messages.ERROR)
        except Http404:
            self.message_user(request, CHANGED_MEANWHILE, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)


def add_captions(*, video_id: int, upload: Any, language: str, label: str) -> None:
    captions.add_captions(video_id=video_id, language=language, label=label, text=captions.read_upload(upload))


def upload_problem(request: HttpRequest) -> str:
    """Returns why a file that was sent is missing; an empty string when none is missing. See api.uploads.forms."""
    return str(getattr(request, "upload_problem", ""))


def back_to(video: Video) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:content_app_video_change", args=[video.pk]))
