"""Routes for the scripts of the video pages: live states, and playlists for staff, who have no token of the API."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from content_app.admin.live import show_states
from content_app.models import Video
from content_app.services.playback import delivery
from media_pipeline import layout
from media_pipeline.errors import PipelineError
from users_app.staff.admin_base import StaffAdmin

View = Callable[..., HttpResponseBase]
NOT_SIGNED_IN = {"detail": "You are no longer signed in, or may not see this page.", "code": "not_signed_in"}


class PlayerMixin(StaffAdmin):
    def script_urls(self) -> list[URLPattern]:
        files = {"master.m3u8": delivery.master_playlist, "storyboard.vtt": delivery.storyboard}
        live = path("live/", self.for_scripts(show_states), name="content_app_video_live")
        return [live, *(self.video_url(name, self.file_view(name, text_of)) for name, text_of in files.items())]

    def video_url(self, name: str, view: View) -> URLPattern:
        return path(f"<int:pk>/{name}", view, name=f"content_app_video_{name.partition('.')[0]}")

    def for_scripts(self, view: View) -> View:
        """Makes the view answer 403 instead of a redirect to the sign-in page, whose HTML a script would misread."""

        @never_cache
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not (self.admin_site.has_permission(request) and self.has_view_permission(request)):
                return JsonResponse(NOT_SIGNED_IN, status=403)
            return view(request, *args, **kwargs)

        return checked

    def file_view(self, name: str, text_of: Callable[[Video], str]) -> View:
        def show(request: HttpRequest, pk: int) -> HttpResponse:
            video = self.video_to_see(request, pk)
            if not video.is_playable:
                raise Http404
            try:
                return HttpResponse(text_of(video), content_type=layout.content_type(name))
            except PipelineError as error:
                return JsonResponse({"detail": error.sentence, "code": error.code}, status=503)

        return require_safe(self.for_scripts(show))

    def video_to_see(self, request: HttpRequest, pk: int) -> Video:
        video: Video | None = self.get_object(request, str(pk))
        if video is None:
            raise Http404
        return video
