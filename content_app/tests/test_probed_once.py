"""An original is probed once, and all attempts of a run follow the plan of its first one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from background.tests.memory_queue import MemoryQueue
from content_app import jobs
from content_app.models import Chunk, Run, Video
from content_app.services.processing import encoding, lifecycle, preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.processing.encoding import WorkerStopping
from content_app.services.storage.stores import get_store
from content_app.services.uploads import direct_uploads
from content_app.states import RunState, State
from content_app.tests.factories import make_video
from media_pipeline.errors import StorageUnavailable, Truncated
from media_pipeline.ffmpeg.run import run_limited
from media_pipeline.packaging.publish import publish
from media_pipeline.pipeline import Job
from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.probe import probe
from media_pipeline.sources.source import Source, parse_probe
from media_pipeline.tests.reports import probed
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = pytest.mark.usefixtures("commits_at_once")


class Killed(BaseException):
    """Ends a worker as SIGKILL does: it writes nothing more to the database."""


class Pipeline:
    """Takes the jobs of workers, and ends each of them as the test says."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.end: BaseException = StorageUnavailable()

    def process(self, job: Job) -> None:
        self.jobs.append(job)
        raise self.end


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"), Clip(size="320x240", rate="10", duration_s=1))


@pytest.fixture(autouse=True)
def _small_ladder(settings: Any) -> None:
    settings.VIDEO_LADDER = ["240p"]


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were probed, by whatever part of the code: each probe is a child that is started here."""
    probed_files: list[Path] = []

    def count(argv: list[str], **arguments: Any) -> Any:
        probed_files.append(Path(argv[-1]))
        return run_limited(argv, **arguments)

    monkeypatch.setattr("media_pipeline.probe.run_limited", count)
    return probed_files


@pytest.fixture
def uploaded(owner: User, clip: Path, memory_queue: MemoryQueue) -> Video:
    """A video whose original came by a form, and has not been examined."""
    video = Video(owner=owner, title="Fresh", original_bytes=clip.stat().st_size)
    video.video_file = ContentFile(clip.read_bytes(), name="clip.mp4")
    video.save()
    return video


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    pipeline = Pipeline()
    monkeypatch.setattr(encoding, "process", pipeline.process)
    return pipeline


def direct_upload(owner: User, clip: Path) -> Video:
    """A video whose file has arrived in the storage, and whose check is on the queue."""
    upload = direct_uploads.announce(owner=owner, name="clip.mp4", size_bytes=clip.stat().st_size)
    get_store().put(clip, upload.key, "video/mp4")
    return direct_uploads.set_details(upload=upload, fields={"title": "Fresh"})


def state_of(video: Video) -> str:
    return str(Video.objects.get(pk=video.pk).state)


def newest_run(video: Video) -> Run:
    return Run.objects.filter(video=video).latest("pk")


def facts_in(run: Run) -> Source:
    assert run.report
    return parse_probe(run.report)


def settings_in(run: Run) -> PlanSettings:
    assert run.settings
    return PlanSettings.from_json(run.settings)


def verdict_in(run: Run) -> dict[str, Any]:
    assert run.verdict
    return dict(run.verdict)


def qualities(video: Video) -> list[str]:
    version = Video.objects.get(pk=video.pk).version
    assert version
    return [rendition.name for rendition in version.renditions.all()]


# --- one probe -------------------------------------------------------------------------------------------------------


def test_a_direct_upload_is_probed_by_its_check_alone(
    owner: User, clip: Path, memory_queue: MemoryQueue, probes: list[Path]
) -> None:
    video = direct_upload(owner, clip)
    (upload_id,) = memory_queue.put_keys["check_upload"]
    jobs.check_upload(upload_id)
    assert (memory_queue.put_keys["process_video"], memory_queue.put_keys["inspect_video"]) == ([video.pk], [])
    jobs.process_video(video.pk)
    assert state_of(video) == State.READY
    assert len(probes) == 1


@pytest.mark.parametrize("order", ["inspect_video process_video", "process_video inspect_video"])
def test_a_file_of_a_form_is_probed_by_the_job_that_runs_first(
    uploaded: Video, memory_queue: MemoryQueue, probes: list[Path], order: str
) -> None:
    for job in order.split():
        assert memory_queue.put_keys[job] == [uploaded.pk]
        getattr(jobs, job)(uploaded.pk)
    assert state_of(uploaded) == State.READY
    assert len(probes) == 1


def test_a_worker_whose_run_has_a_report_reads_nothing_of_the_file_before_it_encodes(
    owner: User, memory_queue: MemoryQueue, probes: list[Path], pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, chosen = probed(width=320, height=240), PlanSettings(preset="slow")
    video = make_video(owner, state=State.PENDING, report=report, settings=chosen.to_json())
    monkeypatch.setattr("content_app.services.storage.work_folder.fetch_original", lambda key, path, *_: path.touch())
    jobs.process_video(video.pk)
    assert [(job.facts, job.settings) for job in pipeline.jobs] == [(parse_probe(report), chosen)]
    assert probes == []


@pytest.mark.parametrize("outdated", ["report", "settings"])
def test_what_a_release_with_another_format_has_stored_is_found_out_anew(
    uploaded: Video, probes: list[Path], outdated: str
) -> None:
    jobs.inspect_video(uploaded.pk)
    run = Run.objects.get()
    Run.objects.update(**{outdated: {**getattr(run, outdated), "format": 0, "limits": {"of": "another release"}}})
    jobs.process_video(uploaded.pk)
    assert state_of(uploaded) == State.READY
    assert len(probes) == (2 if outdated == "report" else 1)
    assert Run.objects.get().settings == run.settings


def test_the_chunk_of_a_film_is_encoded_and_free_before_its_version_is_published(
    uploaded: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool, object]] = []

    def publish_and_look(*arguments: Any) -> int:
        chunk = Chunk.objects.get()
        seen.append((chunk.segments, chunk.encoded_at is not None, chunk.lease_token))
        return publish(*arguments)

    monkeypatch.setattr(encoding, "publish", publish_and_look)
    jobs.process_video(uploaded.pk)
    assert state_of(uploaded) == State.READY
    assert seen == [(1, True, None)]


def test_the_row_gives_the_plan_that_the_file_gives(uploaded: Video, clip: Path, settings: Any) -> None:
    settings.VIDEO_LADDER, settings.VIDEO_CRF, settings.STALL_SECONDS = ["120p@300", "240p"], 30, 7.5
    jobs.inspect_video(uploaded.pk)
    run = newest_run(uploaded)
    stored = plan_encode(facts_in(run), settings_in(run))
    assert stored == plan_encode(probe(clip, time_limit_s=60), plan_settings())


def test_a_worker_stores_the_report_before_it_encodes(uploaded: Video, probes: list[Path], pipeline: Pipeline) -> None:
    jobs.process_video(uploaded.pk)
    run = newest_run(uploaded)
    (job,) = pipeline.jobs
    assert (run.state, facts_in(run)) == (RunState.WAITING, job.facts)
    assert settings_in(run) == job.settings == plan_settings()
    assert verdict_in(run)["found"]["size_bytes"] == uploaded.original_bytes


# --- the same file once more -----------------------------------------------------------------------------------------


def test_a_retry_takes_the_stored_report_and_the_settings_of_today(
    uploaded: Video, probes: list[Path], settings: Any
) -> None:
    jobs.process_video(uploaded.pk)
    assert qualities(uploaded) == ["240p"]
    settings.VIDEO_LADDER = ["120p"]
    assert lifecycle.retry(video_id=uploaded.pk)
    run = newest_run(uploaded)
    assert (run.report is None, run.settings, run.verdict) == (False, None, None)
    jobs.process_video(uploaded.pk)
    assert (state_of(uploaded), qualities(uploaded)) == (State.READY, ["120p"])
    assert settings_in(newest_run(uploaded)) == plan_settings()
    assert len(probes) == 1


def test_the_verdict_of_a_retry_needs_no_probe_and_no_file(
    uploaded: Video, probes: list[Path], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.process_video(uploaded.pk)
    settings.VIDEO_LADDER = ["120p"]
    assert lifecycle.retry(video_id=uploaded.pk)
    monkeypatch.setattr("content_app.services.storage.work_folder.fetch_original", lambda *_, **__: pytest.fail("read"))
    jobs.inspect_video(uploaded.pk)
    first, second = Run.objects.filter(video=uploaded).order_by("pk")
    assert [rung["name"] for rung in verdict_in(second)["planned"]["rungs"]] == ["120p"]
    assert verdict_in(second)["found"] == verdict_in(first)["found"]
    assert settings_in(second) == plan_settings()
    assert second.estimate_s == verdict_in(second)["cost"]["seconds"]
    assert len(probes) == 1


@pytest.mark.parametrize("job", [jobs.inspect_video, jobs.process_video])
def test_a_file_that_todays_settings_do_not_accept_is_refused_by_its_report(
    uploaded: Video, probes: list[Path], settings: Any, job: Callable[[int], None]
) -> None:
    jobs.process_video(uploaded.pk)
    settings.MAX_DURATION_MINUTES = 0
    assert lifecycle.retry(video_id=uploaded.pk)
    job(uploaded.pk)
    video = Video.objects.get()
    assert video.refusal
    assert (video.state, qualities(video), video.refusal.error_code) == (State.READY, ["240p"], "too_long")
    assert len(probes) == 1


def test_a_retry_of_a_file_that_is_gone_is_refused_before_a_worker_takes_it(uploaded: Video) -> None:
    jobs.process_video(uploaded.pk)
    assert lifecycle.retry(video_id=uploaded.pk)
    get_store().delete_prefix(uploaded.video_file.name or "?")
    jobs.inspect_video(uploaded.pk)
    video = Video.objects.get()
    assert video.refusal
    assert (video.state, video.refusal.error_code) == (State.READY, "source_missing")


def test_a_retry_of_a_file_that_was_never_probed_probes_it(
    uploaded: Video, probes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(preflight, "read_report", lambda path, **_: _raise(Truncated()))
        jobs.inspect_video(uploaded.pk)
    assert (state_of(uploaded), newest_run(uploaded).report) == (State.ERROR, None)
    assert lifecycle.retry(video_id=uploaded.pk)
    jobs.process_video(uploaded.pk)
    assert state_of(uploaded) == State.READY
    assert len(probes) == 1


def _raise(error: Exception) -> None:
    raise error


# --- another attempt of the same run ---------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [StorageUnavailable(), WorkerStopping(), Killed()], ids=["failed", "stopped", "killed"])
def test_a_second_attempt_follows_the_settings_of_the_first(
    uploaded: Video, probes: list[Path], pipeline: Pipeline, settings: Any, end: BaseException
) -> None:
    of_first, pipeline.end = plan_settings(), end
    with suppress(Killed):
        jobs.process_video(uploaded.pk)
    Run.objects.update(free_at=timezone.now())
    assert lifecycle.take_back_expired() == isinstance(end, Killed)
    settings.VIDEO_LADDER, settings.MAX_DURATION_MINUTES = ["120p"], 0
    jobs.inspect_video(uploaded.pk)
    with suppress(Killed):
        jobs.process_video(uploaded.pk)
    first, second = pipeline.jobs
    assert first.settings == second.settings == of_first
    assert first.facts == second.facts
    assert Chunk.objects.get().attempts == 2
    assert len(probes) == 1


def test_an_inspection_that_is_late_does_not_plan_anew(
    uploaded: Video, pipeline: Pipeline, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine, of_first = preflight.examine_film, plan_settings()

    def look_and_be_late(path: Path) -> Any:
        jobs.process_video(uploaded.pk)  # plans, fails and lets the run wait for another attempt
        settings.VIDEO_LADDER = ["120p"]
        return examine(path)

    monkeypatch.setattr(preflight, "examine_film", look_and_be_late)
    jobs.inspect_video(uploaded.pk)
    run = newest_run(uploaded)
    assert (run.state, settings_in(run)) == (RunState.WAITING, of_first)
