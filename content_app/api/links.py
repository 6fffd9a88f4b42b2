"""Absolute URLs of a video's routes and pictures, for one request."""

import uuid

from django.urls import reverse
from rest_framework.request import Request

from content_app.models import Video
from content_app.services.playback import delivery
from media_pipeline import layout

ANY_ID = uuid.UUID(int=0)


class Links:
    def __init__(self, request: Request) -> None:
        self.origin = request.build_absolute_uri("/").rstrip("/")
        # Resolved once: a list has several of these URLs for each of its videos, and reverse() is slow.
        self.stream_folder, _, _ = self.absolute(reverse("stream-master", args=[ANY_ID])).partition(str(ANY_ID))

    def absolute(self, address: str) -> str:
        """Returns the absolute URL of a path of this site; URLs of a bucket are absolute already."""
        return f"{self.origin}{address}" if address.startswith("/") else address

    def stream(self, video: Video) -> str:
        """The HLS master playlist."""
        return f"{self.stream_folder}{video.public_id}/{layout.MASTER}"

    def manifest(self, video: Video) -> str | None:
        """The DASH manifest; None for a video that has none."""
        return (
            f"{self.stream_folder}{video.public_id}/{layout.MANIFEST}"
            if video.version and video.version.has_manifest
            else None
        )

    def rendition(self, video: Video, rung: str) -> str:
        """One rendition as an MP4."""
        return f"{self.stream_folder}{video.public_id}/{layout.rendition_file(rung)}"

    def storyboard(self, video: Video) -> str | None:
        has_storyboard = video.version and video.version.has_storyboard
        return f"{self.stream_folder}{video.public_id}/{layout.STORYBOARD_CUES}" if has_storyboard else None

    def captions(self, video: Video, language: str) -> str:
        return self.absolute(reverse("video-captions-language", args=[video.public_id, language]))

    def poster(self, video: Video) -> str | None:
        path = delivery.poster_url(video)
        return self.absolute(path) if path else None

    def small_poster(self, video: Video) -> str | None:
        path = delivery.small_poster_url(video)
        return self.absolute(path) if path else None
