"""Examines an original before it is encoded: what it contains, what is planned and why, and what that will cost.

The run keeps the probe's report, and a `verdict` for people, a JSON object (PreflightSerializer in the API).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from content_app.models import Run, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.lifecycle import Findings
from content_app.services.storage import work_folder
from content_app.services.storage.brief_folders import brief_folder
from content_app.services.storage.stores import get_store
from content_app.states import RunState, State
from media_pipeline.errors import PipelineError
from media_pipeline.planning.ffmpeg_args import encode_args
from media_pipeline.planning.plan import EncodePlan, PlanSettings, is_current, plan_encode
from media_pipeline.probe import read_report
from media_pipeline.report.estimate import OVERHEAD_S, Speed
from media_pipeline.report.explain import WORK, Explanation, explain
from media_pipeline.report.facts import source_facts
from media_pipeline.sources.source import Source, parse_probe
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
    """Examines the original of a waiting run, and fails the run at once if the file can never be processed.

    Does nothing when the run is planned already, or when a worker has taken it: that worker examines the original.
    Temporary errors, such as a storage that does not answer, are left to that worker too.
    """
    # `settings=None` would ask for the JSON value null.
    unplanned = Run.objects.filter(settings__isnull=True, state=RunState.WAITING, video__deleted_at=None)
    run = unplanned.filter(video=video_id).first()
    if run is None:
        return
    try:
        findings, error = examine_original(run)
    except PipelineError as problem:
        if not problem.permanent:
            log.warning("video %s: could not be examined: %s", video_id, problem)
            return
        findings, error = refused_findings(problem), problem
    if error is None:
        lifecycle.note_findings(run=run, findings=findings)
    elif lifecycle.refuse(run=run, error=error, verdict=findings.verdict):
        log.info("video %s: refused before it was processed: %s", video_id, error)


def examine_original(run: Run) -> tuple[Findings, PipelineError | None]:
    """Does what `examine_film` does, without reading the file again when a run before this one has its report."""
    if run.report and is_current(run.report):
        return findings_of(run.report, plan_settings(), size_bytes=get_store().size(run.original))
    with brief_folder() as work:
        work_folder.fetch_original(run.original, work / "source", etag=run.etag)
        findings, error = examine_film(work / "source")
        if error is None:
            work_folder.leave_to_worker(run.original, work / "source", run.etag)
    return findings, error


def examine_film(path: Path, on_tick: Tick = lambda: None) -> tuple[Findings, PipelineError | None]:
    """Returns what is found in a video file, and the error if this site does not accept it.

    Raises PipelineError when the file is not a video at all.
    """
    settings = plan_settings()
    report = read_report(path, time_limit_s=settings.limits.probe_s, on_tick=on_tick)
    return findings_of(report, settings, size_bytes=path.stat().st_size)


def findings_of(
    report: Mapping[str, Any], settings: PlanSettings, *, size_bytes: int
) -> tuple[Findings, PipelineError | None]:
    """Returns the findings that follow from the probe's report, and the error if this site does not accept the file."""
    source = parse_probe(report)
    try:
        verdict = verdict_of(source, plan_encode(source, settings), size_bytes=size_bytes)
    except PipelineError as error:
        verdict = refused_verdict(error.code, error.sentence) | {"found": source_facts(source, size_bytes)}
        return Findings(verdict), error
    return Findings(verdict, report, settings.to_json()), None


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
    done = Run.objects.filter(work_s__gte=MIN_WORK_S, work_pixels__gt=0).order_by("-id")
    samples = done.values_list("work_pixels", "work_s")[:SPEED_SAMPLES]
    speeds = [pixels / (seconds - OVERHEAD_S) for pixels, seconds in samples]
    return Speed(median(speeds), len(speeds)) if speeds else Speed()


def shown_verdict(video: Video) -> dict[str, Any]:
    """Returns the verdict as the owner and admins see it, whatever state the video is in."""
    run = video.run
    if run and run.verdict:
        verdict = dict(run.verdict)
        # The verdict has the estimate of its day; show the time it really took, or the newest estimate.
        seconds = round(run.work_s) if video.state == State.READY else run.estimate_s
        if verdict.get("cost") and seconds:
            verdict["cost"] = {**verdict["cost"], "seconds": seconds}
        return verdict
    if run and run.state == RunState.FAILED:
        return refused_verdict(run.error_code, run.error_message)
    if video.state == State.UPLOADING and video.uploads.filter(settled_at=None).exclude(arrived_at=None).exists():
        return {**EMPTY_VERDICT, "sentence": "The file has arrived and will be checked in a moment."}
    sentence = SENTENCES_WITHOUT_VERDICT.get(video.state, "The file will be checked in a moment.")
    return {**EMPTY_VERDICT, "sentence": sentence}


def refused_findings(error: PipelineError) -> Findings:
    return Findings(refused_verdict(error.code, error.sentence))


def refused_verdict(code: str, sentence: str) -> dict[str, Any]:
    return {**EMPTY_VERDICT, "verdict": "refused", "code": code, "sentence": sentence}
