"""Preflight: the verdict on a file before it is encoded, and the jobs that examine it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from rest_framework.test import APIClient

from background.tests.memory_queue import MemoryQueue
from content_app import jobs
from content_app.models import DirectUpload, Run, Video
from content_app.services.processing import encoding, lifecycle, preflight
from content_app.services.processing.encode_settings import plan_settings
from content_app.states import RunState, State, Visibility
from content_app.tests.factories import make_playable, make_video
from media_pipeline.errors import OutOfTime, StorageUnavailable
from media_pipeline.planning.plan import PlanSettings, plan_encode
from media_pipeline.report.estimate import OVERHEAD_S, Speed
from media_pipeline.sources.source import parse_probe
from media_pipeline.tests.reports import probed, track
from media_pipeline.tests.sources import film
from users_app.models import User

SignIn = Callable[[User], APIClient]
REPORT = probed(audio=[track(1, is_default=True)])
PLAN = plan_encode(film(), PlanSettings())

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture
def uploaded(owner: User) -> Video:
    """A video whose original waits for a worker, and has not been examined."""
    video = Video(owner=owner, title="Fresh")
    video.video_file = ContentFile(b"not really a film", name="film.mp4")
    video.save()
    return video


@pytest.fixture
def _good_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "read_report", lambda path, **_: REPORT)


def report_of(*, seconds: int) -> dict[str, Any]:
    """The probe's report on a film of one frame a second."""
    times = {"count": seconds, "first": 0, "last": 12800 * (seconds - 1), "end": 12800 * seconds}
    return probed(guessed_rate="1/1", packets={**times, "deltas": [[12800, seconds - 1]]})


def path_of(video: Video) -> str:
    return f"/api/v1/videos/{video.public_id}/preflight/"


def state_of(video: Video) -> tuple[str, Any]:
    return Video.objects.get(pk=video.pk).state, verdict_of(video).get("verdict")


def verdict_of(video: Video) -> dict[str, Any]:
    return run_of(video).verdict or {}


def run_of(video: Video) -> Run:
    """The run that the film's state tells of, as it is in the database now."""
    run: Run | None = Video.objects.get(pk=video.pk).run
    assert run
    return run


# --- examining a file ------------------------------------------------------------------------------------------------


def test_a_new_original_is_examined_after_the_commit(
    owner: User, memory_queue: MemoryQueue, django_capture_on_commit_callbacks: Any
) -> None:
    asked = memory_queue.put_keys["inspect_video"]
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        video = Video(owner=owner, title="Fresh", video_file=ContentFile(b"film", name="film.mp4"))
        video.save()
    assert asked == []
    for callback in callbacks:
        callback()
    assert asked == [video.pk]


@pytest.mark.usefixtures("_good_file")
def test_a_good_file_has_its_verdict_before_it_is_encoded(uploaded: Video) -> None:
    jobs.inspect_video(uploaded.pk)
    assert state_of(uploaded) == (State.PENDING, "fine")
    verdict = verdict_of(uploaded)
    assert verdict["found"]["size_bytes"] == len(b"not really a film")
    assert [rung["name"] for rung in verdict["planned"]["rungs"]] == ["120p", "360p", "720p", "1080p"]
    assert run_of(uploaded).estimate_s == verdict["cost"]["seconds"]
    assert list(settings.WORK_DIR.iterdir()) == []


@pytest.mark.usefixtures("_good_file")
def test_what_was_found_is_stored_for_the_worker(uploaded: Video) -> None:
    jobs.inspect_video(uploaded.pk)
    run = run_of(uploaded)
    assert (run.state, run.attempts) == (RunState.WAITING, 0)
    assert run.report
    assert run.settings
    assert parse_probe(run.report) == parse_probe(REPORT)
    assert PlanSettings.from_json(run.settings) == plan_settings()


def test_a_file_that_is_no_film_fails_at_once_and_no_worker_takes_it(uploaded: Video) -> None:
    jobs.inspect_video(uploaded.pk)
    assert state_of(uploaded) == (State.ERROR, "refused")
    run = run_of(uploaded)
    assert run.error_code == verdict_of(uploaded)["code"] == "not_a_video"
    assert run.error_message == verdict_of(uploaded)["sentence"]
    assert lifecycle.claim(video_id=uploaded.pk) is None
    assert list(settings.WORK_DIR.iterdir()) == []


def test_a_film_that_is_too_long_is_refused_with_what_was_found(
    uploaded: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "read_report", lambda path, **_: report_of(seconds=10**6))
    jobs.inspect_video(uploaded.pk)
    assert (Video.objects.get().state, run_of(uploaded).error_code) == (State.ERROR, "too_long")
    assert verdict_of(uploaded)["found"]["width"] == 1920
    assert verdict_of(uploaded)["planned"] == {}


@pytest.mark.parametrize("error", [StorageUnavailable, OutOfTime])
def test_temporary_errors_are_left_to_the_worker(
    error: type[Exception], uploaded: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **_: Any) -> None:
        raise error

    monkeypatch.setattr(preflight, "read_report", fail)
    jobs.inspect_video(uploaded.pk)
    assert state_of(uploaded) == (State.PENDING, None)
    assert list(settings.WORK_DIR.iterdir()) == []


def test_an_original_that_is_gone_is_refused(uploaded: Video) -> None:
    Path(settings.MEDIA_ROOT, uploaded.video_file.name or "").unlink()
    jobs.inspect_video(uploaded.pk)
    assert run_of(uploaded).error_code == "source_missing"


def test_other_videos_are_not_examined(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "examine_original", lambda run: pytest.fail("it was looked at"))
    planned = {"report": REPORT, "settings": plan_settings().to_json(), "verdict": {"verdict": "fine"}}
    others = [
        make_video(owner, state=State.UPLOADING),
        make_video(owner, state=State.PROCESSING),
        make_video(owner, state=State.ERROR),
        make_video(owner, state=State.PENDING, **planned),
        make_video(owner, state=State.PENDING, deleted_at=timezone.now()),
        make_playable(owner),
        make_playable(owner, state=State.PROCESSING),
    ]
    for pk in (*(video.pk for video in others), 12345):
        jobs.inspect_video(pk)


@pytest.mark.usefixtures("_good_file")
def test_another_file_for_a_film_that_plays_is_examined_beside_it(owner: User) -> None:
    film_that_plays = make_playable(owner)
    film_that_plays.video_file = ContentFile(b"another", name="another.mov")
    film_that_plays.save()
    jobs.inspect_video(film_that_plays.pk)
    assert state_of(film_that_plays) == (State.PENDING, "fine")
    played = Run.objects.get(version__video=film_that_plays)
    assert (played.state, played.verdict) == (RunState.DONE, None)


def test_a_replaced_file_does_not_pass_its_verdict_on(uploaded: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_and_be_late(path: Path, **_: Any) -> Any:
        late = Video.objects.get(pk=uploaded.pk)
        late.video_file = ContentFile(b"another", name="another.mov")
        late.save()
        return REPORT

    monkeypatch.setattr(preflight, "read_report", look_and_be_late)
    jobs.inspect_video(uploaded.pk)
    assert state_of(uploaded) == (State.PENDING, None)
    assert run_of(uploaded).report is None


@pytest.mark.parametrize("is_good", [True, False])
def test_a_worker_that_claimed_the_video_in_the_meantime_keeps_it(
    is_good: bool, uploaded: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine = preflight.examine_film

    def look_and_be_late(path: Path) -> Any:
        lifecycle.claim(video_id=uploaded.pk)
        return examine(path)

    if is_good:
        monkeypatch.setattr(preflight, "read_report", lambda path, **_: REPORT)
    monkeypatch.setattr(preflight, "examine_film", look_and_be_late)
    jobs.inspect_video(uploaded.pk)
    assert state_of(uploaded) == (State.PROCESSING, None)
    assert run_of(uploaded).report is None


def test_a_worker_notes_its_own_verdict(uploaded: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(job: Any) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(encoding, "read_report", lambda path, **_: REPORT)
    monkeypatch.setattr(encoding, "process", fail)
    jobs.process_video(uploaded.pk)
    assert state_of(uploaded) == (State.PENDING, "fine")
    assert verdict_of(uploaded)["found"]["size_bytes"] == len(b"not really a film")


# --- the estimate ----------------------------------------------------------------------------------------------------


def test_the_estimate_uses_the_speed_of_the_films_processed_here(owner: User) -> None:
    assert preflight.speed_here() == Speed()
    for seconds in (10, 20, 1000):
        make_playable(owner, work_pixels=10**9, work_s=seconds + OVERHEAD_S)
    make_playable(owner, work_pixels=10**6, work_s=0.5)  # too short to be a sample
    make_playable(owner, work_pixels=0, work_s=0)
    assert preflight.speed_here() == Speed(pixels_per_s=10**9 / 20, films=3)


def test_only_the_last_twenty_films_count(owner: User) -> None:
    for pixels in (*[10**12] * 20, *[10**9] * 20):
        make_playable(owner, rungs=(), work_pixels=pixels, work_s=10 + OVERHEAD_S)
    assert preflight.speed_here() == Speed(pixels_per_s=10**8, films=20)


# --- what the owner and admins see -----------------------------------------------------------------------------------


def test_a_verdict_is_complete_and_has_no_path_of_the_server(owner: User, as_user: SignIn) -> None:
    verdict = preflight.verdict_of(film(audio=()), PLAN, size_bytes=17)
    video = make_video(owner, state=State.PENDING, verdict=verdict)
    body = as_user(owner).get(path_of(video)).json()
    assert body == verdict
    assert (body["verdict"], body["warnings"]) == ("warnings", ["The film has no sound."])
    assert set(body["cost"]) == {"seconds", "bytes", "most_bytes", "basis"}
    assert body["command"][0] == "ffmpeg"
    assert "file:source" in body["command"]
    assert not [word for word in body["command"] if word.startswith("/") or ":/" in word]


@pytest.mark.parametrize(
    ("fields", "verdict", "sentence"),
    [
        ({"state": State.UPLOADING}, "waiting", "No file has been uploaded yet."),
        ({"state": State.PENDING}, "waiting", "The file will be checked in a moment."),
        ({"state": State.PROCESSING}, "waiting", "The file will be checked in a moment."),
        ({"state": State.ERROR, "error_code": "truncated", "error_message": "Cut off."}, "refused", "Cut off."),
        (
            {"state": State.READY},
            "waiting",
            "This film was processed by an older release, which kept no report; process it again to get one.",
        ),
    ],
)
def test_without_a_verdict_the_state_decides_the_sentence(
    fields: dict[str, Any], verdict: str, sentence: str, owner: User, as_user: SignIn
) -> None:
    make = make_playable if fields["state"] == State.READY else make_video
    body = as_user(owner).get(path_of(make(owner, **fields))).json()
    assert (body["verdict"], body["sentence"], body["code"]) == (verdict, sentence, fields.get("error_code", ""))
    assert (body["found"], body["planned"], body["cost"], body["command"]) == ({}, {}, None, [])


def test_it_is_for_the_owner_and_admins(owner: User, admin: User, creator: User, viewer: User, as_user: SignIn) -> None:
    video, hidden = make_playable(owner), make_playable(owner, visibility=Visibility.PRIVATE)
    deleted = make_video(owner, deleted_at=timezone.now())
    assert [as_user(person).get(path_of(video)).status_code for person in (owner, admin, creator, viewer)] == [
        *(200, 200, 403, 403)
    ]
    assert as_user(creator).get(path_of(hidden)).status_code == 404
    assert as_user(owner).get(path_of(deleted)).status_code == 404
    assert APIClient().get(path_of(video)).status_code == 401
    assert as_user(owner).get("/api/v1/videos/999999/preflight").status_code == 404
    assert as_user(owner).post(path_of(video)).status_code == 405


def test_an_upload_that_has_arrived_is_shown_as_being_checked(owner: User, as_user: SignIn) -> None:
    video = make_video(owner, state=State.UPLOADING)
    now = timezone.now()
    DirectUpload.objects.create(owner=owner, video=video, key="videos/one", expires_at=now, arrived_at=now)
    body = as_user(owner).get(path_of(video)).json()
    assert (body["verdict"], body["sentence"]) == ("waiting", "The file has arrived and will be checked in a moment.")
