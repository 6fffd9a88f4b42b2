"""What is known of an original before it is encoded: what was found, what is planned and why, and what it will cost."""

import logging
from pathlib import Path
from statistics import median
from typing import Any

from content_app.models import Video
from content_app.services.processing import lifecycle
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.lifecycle import Claim
from content_app.services.storage import work_folder
from content_app.services.storage.brief_folders import brief_folder
from content_app.states import State
from media_pipeline.errors import PipelineError
from media_pipeline.planning.ffmpeg_args import encode_args
from media_pipeline.planning.plan import EncodePlan, plan_encode
from media_pipeline.probe import probe
from media_pipeline.report.estimate import OVERHEAD_S, Speed
from media_pipeline.report.explain import WORK, Explanation, explain
from media_pipeline.report.facts import source_facts
from media_pipeline.sources.source import Source
from media_pipeline.storage.store import Tick

log = logging.getLogger(__name__)

LATEST = 20
LEAST_WORK_S = 5  # a shorter one tells more of starting programs than of encoding
NOTHING: dict[str, Any] = {
    "verdict": "waiting", "code": "", "sentence": "", "found": {}, "planned": {}, "reasons": [], "warnings": [],
    "cost": None, "command": [],
}  # fmt: skip
WAITING: dict[str, str] = {
    State.UPLOADING: "No file has been uploaded yet.",
    State.READY: "This film was made before files were looked at first; process it again to see what is found.",
}


def inspect(*, video_id: int) -> None:
    """Have a look at a waiting original; one that can never become a film fails at once.

    Leaves quietly when somebody has had a look, or a worker has the video: it tells what it finds itself. What may
    pass, such as a storage that is away, is left to that worker as well.
    """
    video = Video.objects.filter(pk=video_id, state=State.PENDING, verdict__isnull=True, deleted_at=None).first()
    if video is None:
        return
    original, etag = video.accepted_original, video.original_etag
    try:
        with brief_folder() as work:
            work_folder.fetch_original(original, work / "source", etag=etag)
            verdict, error = examine_film(work / "source")
            if error is None:
                work_folder.leave_to_worker(original, work / "source", etag)
    except PipelineError as problem:
        if not problem.permanent:
            log.warning("video %s: could not be looked at: %s", video_id, problem)
            return
        verdict, error = refused_verdict(problem.code, problem.sentence), problem
    if error is None:
        lifecycle.note_verdict(video_id=video_id, original=original, verdict=verdict)
    elif lifecycle.refuse(video_id=video_id, original=original, error=error, verdict=verdict):
        log.info("video %s: refused before it was processed: %s", video_id, error)


def examine_film(path: Path, on_tick: Tick = lambda: None) -> tuple[dict[str, Any], PipelineError | None]:
    """The verdict on a film, with the error if this site does not take it. Raises PipelineError for what is none."""
    settings, size_bytes = plan_settings(), path.stat().st_size
    source = probe(path, time_limit_s=settings.limits.probe_s, on_tick=on_tick)
    try:
        return verdict_of(source, plan_encode(source, settings), size_bytes=size_bytes), None
    except PipelineError as error:
        return refused_verdict(error.code, error.sentence) | {"found": source_facts(source, size_bytes)}, error


def note_plan(source: Source, plan: EncodePlan, *, claim: Claim, size_bytes: int) -> float:
    """What the worker of a video found itself, before it encodes; in how many seconds it will have made it."""
    verdict = verdict_of(source, plan, size_bytes=size_bytes)
    lifecycle.note_verdict(video_id=claim.video_id, original=claim.original, verdict=verdict)
    return float(verdict["cost"]["seconds"])


def verdict_of(source: Source, plan: EncodePlan, *, size_bytes: int) -> dict[str, Any]:
    explained = explain_plan(source, plan, size_bytes=size_bytes)
    return {**judgement(explained), **explained.to_json()}


def judgement(explained: Explanation) -> dict[str, str]:
    if explained.warnings:
        sentence = "This file can be processed; there is something to know about it."
        return {"verdict": "warnings", "code": "", "sentence": sentence}
    return {"verdict": "fine", "code": "", "sentence": "Nothing is wrong with this file."}


def explain_plan(
    source: Source, plan: EncodePlan, *, size_bytes: int, ffmpeg: str = "ffmpeg", original: Path = Path("source")
) -> Explanation:
    """With names of this machine only where the caller gives them: people elsewhere read it too."""
    command = encode_args(ffmpeg, plan, original, Path(WORK))
    return explain(source, plan, plan_settings(), size_bytes=size_bytes, speed=speed_here(), command=command)


def speed_here() -> Speed:
    """The median of the films that were processed last."""
    done = Video.objects.filter(work_s__gte=LEAST_WORK_S, work_pixels__gt=0).order_by("-id")
    speeds = [pixels / (seconds - OVERHEAD_S) for pixels, seconds in done.values_list("work_pixels", "work_s")[:LATEST]]
    return Speed(median(speeds), len(speeds)) if speeds else Speed()


def shown_verdict(video: Video) -> dict[str, Any]:
    """What owner and admins see, at any time."""
    if video.verdict:
        return with_time_of_now(video, dict(video.verdict))
    if video.state == State.ERROR:
        return refused_verdict(video.error_code, video.error_message)
    if video.state == State.UPLOADING and video.uploads.filter(settled_at=None).exclude(arrived_at=None).exists():
        return {**NOTHING, "sentence": "The file has arrived and is checked in a moment."}
    return {**NOTHING, "sentence": WAITING.get(video.state, "The file is looked at in a moment.")}


def with_time_of_now(video: Video, verdict: dict[str, Any]) -> dict[str, Any]:
    """With what it took where it is done, else with what is expected by now rather than when it was looked at."""
    seconds = round(video.work_s) if video.state == State.READY else video.estimate_s
    return {**verdict, "cost": {**verdict["cost"], "seconds": seconds}} if verdict.get("cost") and seconds else verdict


def refused_verdict(code: str, sentence: str) -> dict[str, Any]:
    return {**NOTHING, "verdict": "refused", "code": code, "sentence": sentence}
