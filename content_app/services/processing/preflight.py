"""Examines an original before it is encoded: what it contains, what is planned and why, and what that will cost.

The result is the video's `verdict`, a JSON object (PreflightSerializer in the API).
"""

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

SPEED_SAMPLES = 20
MIN_WORK_S = 5  # of a sample: shorter encodes measure how long programs take to start
EMPTY_VERDICT: dict[str, Any] = {
    "verdict": "waiting", "code": "", "sentence": "", "found": {}, "planned": {}, "reasons": [], "warnings": [],
    "cost": None, "command": [],
}  # fmt: skip
SENTENCES_WITHOUT_VERDICT: dict[str, str] = {
    State.UPLOADING: "No file has been uploaded yet.",
    State.READY: "This film was processed by an older release, which kept no report; process it again to get one.",
}


def inspect(*, video_id: int) -> None:
    """Examines the original of a pending video, and fails the video at once if the file can never be processed.

    Does nothing when there is a verdict already, or when a worker has claimed the video: that worker notes its own.
    Temporary errors, such as a storage that does not answer, are left to that worker too.
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
            log.warning("video %s: could not be examined: %s", video_id, problem)
            return
        verdict, error = refused_verdict(problem.code, problem.sentence), problem
    if error is None:
        lifecycle.note_verdict(video_id=video_id, original=original, verdict=verdict)
    elif lifecycle.refuse(video_id=video_id, original=original, error=error, verdict=verdict):
        log.info("video %s: refused before it was processed: %s", video_id, error)


def examine_film(path: Path, on_tick: Tick = lambda: None) -> tuple[dict[str, Any], PipelineError | None]:
    """Returns the verdict on a video file, and the error if this site does not accept it.

    Raises PipelineError when the file is not a video at all.
    """
    settings, size_bytes = plan_settings(), path.stat().st_size
    source = probe(path, time_limit_s=settings.limits.probe_s, on_tick=on_tick)
    try:
        return verdict_of(source, plan_encode(source, settings), size_bytes=size_bytes), None
    except PipelineError as error:
        return refused_verdict(error.code, error.sentence) | {"found": source_facts(source, size_bytes)}, error


def note_plan(source: Source, plan: EncodePlan, *, claim: Claim, size_bytes: int) -> float:
    """Stores the verdict that the worker found itself. Returns how many seconds the encode is expected to take."""
    verdict = verdict_of(source, plan, size_bytes=size_bytes)
    lifecycle.note_verdict(video_id=claim.video_id, original=claim.original, verdict=verdict)
    return float(verdict["cost"]["seconds"])


def verdict_of(source: Source, plan: EncodePlan, *, size_bytes: int) -> dict[str, Any]:
    return as_verdict(explain_plan(source, plan, size_bytes=size_bytes))


def as_verdict(explained: Explanation) -> dict[str, Any]:
    if explained.warnings:
        verdict, sentence = "warnings", "This file can be processed, but please read the warnings."
    else:
        verdict, sentence = "fine", "Nothing is wrong with this file."
    return {"verdict": verdict, "code": "", "sentence": sentence, **explained.to_json()}


def explain_plan(
    source: Source, plan: EncodePlan, *, size_bytes: int, ffmpeg: str = "ffmpeg", original: Path = Path("source")
) -> Explanation:
    """Explains a plan, its ffmpeg command included.

    The defaults of `ffmpeg` and `original` keep paths of this machine out of verdicts, which uploaders read.
    """
    command = encode_args(ffmpeg, plan, original, Path(WORK))
    return explain(source, plan, plan_settings(), size_bytes=size_bytes, speed=speed_here(), command=command)


def speed_here() -> Speed:
    """Returns this site's encoding speed: the median of the films that were processed last."""
    done = Video.objects.filter(work_s__gte=MIN_WORK_S, work_pixels__gt=0).order_by("-id")
    samples = done.values_list("work_pixels", "work_s")[:SPEED_SAMPLES]
    speeds = [pixels / (seconds - OVERHEAD_S) for pixels, seconds in samples]
    return Speed(median(speeds), len(speeds)) if speeds else Speed()


def shown_verdict(video: Video) -> dict[str, Any]:
    """Returns the verdict as the owner and admins see it, whatever state the video is in."""
    if video.verdict:
        verdict = dict(video.verdict)
        # The verdict has the estimate of its day; show the time it really took, or the newest estimate.
        seconds = round(video.work_s) if video.state == State.READY else video.estimate_s
        if verdict.get("cost") and seconds:
            verdict["cost"] = {**verdict["cost"], "seconds": seconds}
        return verdict
    if video.state == State.ERROR:
        return refused_verdict(video.error_code, video.error_message)
    if video.state == State.UPLOADING and video.uploads.filter(settled_at=None).exclude(arrived_at=None).exists():
        return {**EMPTY_VERDICT, "sentence": "The file has arrived and will be checked in a moment."}
    sentence = SENTENCES_WITHOUT_VERDICT.get(video.state, "The file will be checked in a moment.")
    return {**EMPTY_VERDICT, "sentence": sentence}


def refused_verdict(code: str, sentence: str) -> dict[str, Any]:
    return {**EMPTY_VERDICT, "verdict": "refused", "code": code, "sentence": sentence}
