"""The context of a video's page above its form: the film, its state, and the available buttons."""

import shlex
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from content_app.admin.pictures import picture_url, small_picture_url
from content_app.admin.wording import bitrate, clock, condition_of, is_underway, may_process_again, next_step
from content_app.models import Video
from content_app.queries import published_renditions
from content_app.services.additions import captions, posters
from content_app.services.processing import preflight
from content_app.services.processing.forecast import Forecast
from content_app.services.processing.history import found_text, last_runs
from content_app.states import RunState, State, Visibility
from media_pipeline.report.number_text import bytes_text, seconds_text

# The colours of the states of runs; all others wait.
RUN_TONES: dict[str, str] = {
    RunState.RUNNING: "busy",
    RunState.DONE: "good",
    RunState.FAILED: "bad",
    RunState.DROPPED: "gone",
}


def film_details(request: HttpRequest, video: Video) -> dict[str, Any]:
    explained = preflight.shown_verdict(video)
    cost = explained["cost"]
    runs = last_runs(video)
    film = {
        "condition": condition_of(video, Forecast().of(video)),
        "is_underway": is_underway(video),
        "next_step": next_step(video),
        "has_failed": video.state == State.ERROR,
        "may_process": may_process_again(video),
        "may_feature": video.is_playable and video.visibility == Visibility.PUBLIC and not video.deleted_at,
        "length": clock(video.version.duration_s) if video.version else "",
        "explained": explained,
        # What the only run of a film has found, and why it failed, is said above the list.
        "runs": [(run, RUN_TONES.get(run.state, "waiting"), found_text(run)) for run in runs] if len(runs) > 1 else [],
        "command": shlex.join(explained["command"]),
        "cost": cost
        and f"About {seconds_text(cost['seconds'])} of work and {bytes_text(cost['bytes'])} of storage, "
        f"{bytes_text(cost['most_bytes'])} at most.",
    }
    return film | (version_context(video) if video.is_playable else {})


def version_context(video: Video) -> dict[str, Any]:
    return {
        "picture": picture_url(video),
        "small_picture": small_picture_url(video),
        "master": reverse("admin:content_app_video_master", args=[video.pk]),
        "storyboard": reverse("admin:content_app_video_storyboard", args=[video.pk])
        if video.version and video.version.has_storyboard
        else "",
        "candidates": posters.candidates(video),
        "has_own_poster": posters.is_uploaded(video),
        "captions": list(captions.list_captions(video=video)),
        "renditions": [
            (one, bitrate(one.average_bps), bitrate(one.peak_bps)) for one in reversed(published_renditions(video))
        ],
    }
