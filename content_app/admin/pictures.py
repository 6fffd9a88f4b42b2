"""Pictures of videos for staff. They are signed, because staff also see those of private and deleted videos."""

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from content_app.admin.wording import clock, condition_of, is_underway
from content_app.models import Video
from content_app.services.playback import delivery
from content_app.services.processing.forecast import Forecast


def picture_url(video: Video) -> str | None:
    return delivery.signed_picture_url(video, video.poster) if video.poster else None


def small_picture_url(video: Video) -> str | None:
    return delivery.signed_picture_url(video, video.small_poster) if video.poster else None


def thumbnail(video: Video, *, name: str = "") -> SafeString:
    """Returns the HTML of a small picture, or of an empty frame for it. `name` is read out by screen readers."""
    duration_s = video.version.duration_s if video.version else None
    length = format_html('<span class="vf-length">{}</span>', clock(duration_s)) if duration_s else ""
    spoken = format_html('<span class="vf-heard">{}</span>', name) if name else ""
    url = small_picture_url(video)
    image = format_html('<img src="{}" alt="" loading="lazy" decoding="async">', url) if url else ""
    return format_html('<span class="vf-thumb" data-picture="{}">{}{}{}</span>', video.pk, image, spoken, length)


def state_cell(video: Video, forecast: Forecast) -> SafeString:
    context = {"video": video, "condition": condition_of(video, forecast.of(video)), "is_underway": is_underway(video)}
    return render_to_string("admin/content_app/video/state.html", context)
