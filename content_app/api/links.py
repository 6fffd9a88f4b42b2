"""Absolute addresses of a video's routes and pictures, for one request."""

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request

from content_app.models import Video
from content_app.services import delivery
from media_pipeline import layout


class Links:
    def __init__(self, request: Request | HttpRequest) -> None:
        self.origin = request.build_absolute_uri("/").rstrip("/")

    def absolute(self, path: str) -> str:
        return f"{self.origin}{path}"

    def stream(self, video: Video) -> str:
        """The HLS master playlist."""
        return self.absolute(reverse("stream-master", args=[video.public_id]))

    def rendition(self, video: Video, rung: str) -> str:
        """One MP4, beside the master playlist."""
        return f"{self.stream(video).removesuffix(layout.MASTER)}{layout.rendition_file(rung)}"

    def poster(self, video: Video) -> str | None:
        path = delivery.poster_url(video)
        return self.absolute(path) if path else None
