"""The API's routes as (route, view, name); config.urls registers each with and without a trailing slash."""

from typing import Any

from django.urls import path

from content_app.api import captions, catalogue, external_transcoders, posters, preflight, runs, streaming, videos
from content_app.api.uploads import direct, tus

routes: list[tuple[str, Any, str]] = [
    ("content", catalogue.Catalogue.as_view(), "content"),
    ("content/categories", catalogue.Categories.as_view(), "content-categories"),
    ("content/add-favorite", catalogue.ToggleFavorite.as_view(), "content-add-favorite"),
    ("content/video-url/<video:ref>", streaming.VideoAddress.as_view(), "content-video-url"),
    ("content/<video:ref>", catalogue.CatalogueEntry.as_view(), "content-entry"),
    ("api/v1/upload/videos/upload-url", direct.UploadAddress.as_view(), "upload-url"),
    ("api/v1/upload/videos/thumbnail/upload-url", direct.ThumbnailAddress.as_view(), "thumbnail-upload-url"),
    ("api/v1/upload/videos/sign", direct.SignRequest.as_view(), "upload-sign"),
    ("api/v1/upload/videos/metadata", direct.UploadMetadata.as_view(), "upload-metadata"),
    ("api/v1/upload/videos", direct.UploadedVideos.as_view(), "uploaded-videos"),
    ("api/v1/upload/videos/by-key/<path:s3_key>", external_transcoders.VideoOfKey.as_view(), "video-of-key"),
    ("api/v1/upload/videos/<video:ref>/status", external_transcoders.TranscodingStatus.as_view(), "transcoding-status"),
    ("api/v1/upload/videos/<video:ref>", direct.UploadedEntry.as_view(), "uploaded-video"),
    *tus.routes,
    ("api/v1/videos", videos.Videos.as_view(), "videos"),
    ("api/v1/videos/<video:ref>", videos.VideoEntry.as_view(), "video"),
    ("api/v1/videos/<video:ref>/restore", videos.RestoreVideo.as_view(), "video-restore"),
    ("api/v1/videos/<video:ref>/retry", videos.RetryVideo.as_view(), "video-retry"),
    ("api/v1/videos/<video:ref>/refusal", videos.DismissRefusal.as_view(), "video-refusal"),
    ("api/v1/videos/<video:ref>/preflight", preflight.Preflight.as_view(), "video-preflight"),
    ("api/v1/videos/<video:ref>/runs", runs.Runs.as_view(), "video-runs"),
    ("api/v1/videos/<video:ref>/captions", captions.CaptionList.as_view(), "video-captions"),
    ("api/v1/videos/<video:ref>/captions/<str:language>", captions.Captions.as_view(), "video-captions-language"),
    ("api/v1/videos/<video:ref>/posters", posters.Posters.as_view(), "video-posters"),
    ("api/v1/videos/<video:ref>/poster", posters.Poster.as_view(), "video-poster"),
]

# Players tell the type of a file by the extension in its address, so the form without the slash is the canonical one.
master = streaming.MasterPlaylist.as_view()
manifest = streaming.Manifest.as_view()
storyboard = streaming.StoryboardCues.as_view()
rendition = streaming.RenditionFile.as_view()
urlpatterns = [
    path("api/v1/stream/<video:ref>/master.m3u8", master, name="stream-master"),
    path("api/v1/stream/<video:ref>/master.m3u8/", master),
    path("api/v1/stream/<video:ref>/manifest.mpd", manifest, name="stream-manifest"),
    path("api/v1/stream/<video:ref>/manifest.mpd/", manifest),
    path("api/v1/stream/<video:ref>/storyboard.vtt", storyboard, name="stream-storyboard"),
    path("api/v1/stream/<video:ref>/storyboard.vtt/", storyboard),
    path("api/v1/stream/<video:ref>/<str:quality>.mp4", rendition, name="stream-rendition"),
    path("api/v1/stream/<video:ref>/<str:quality>.mp4/", rendition),
    path("media/posters/<uuid:public_id>/<slug:folder>/<slug:name>.jpg", streaming.show_poster, name="poster"),
]
