"""The state of a video: its moves, and what happens when two of them meet."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from background.leases import LeaseLost
from background.tests.memory_queue import MemoryQueue
from content_app.models import Caption, Discard, Rendition, Run, Version, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Findings, Published
from content_app.states import LIVE_RUNS, RunState, State
from content_app.tests.factories import make_playable, make_rendition, make_run, make_video
from media_pipeline.errors import EncoderFailed, NotAVideo, StorageUnavailable
from users_app.models import User

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture
def uploaded(owner: User, django_capture_on_commit_callbacks: Any) -> Video:
    """A video whose original has just been stored."""
    with django_capture_on_commit_callbacks(execute=True):
        video = Video(owner=owner, title="Fresh")
        video.video_file = ContentFile(b"film", name="film.mp4")
        video.save()
    return video


def claimed(video: Video) -> Run:
    """Claims the film for a worker, which holds this run from then on."""
    run = lifecycle.claim(video_id=video.pk)
    assert run
    return run


def run_of(video: Video) -> Run:
    """The run that the film's state tells of now."""
    return Run.objects.get(pk=Video.objects.values_list("run").get(pk=video.pk)[0])


def expire(video: Video) -> None:
    """Ends the lease of the film's run, or its pause."""
    live = Run.objects.filter(video=video, state__in=LIVE_RUNS)
    assert live.update(free_at=timezone.now() - timedelta(seconds=1)) == 1


def published(folder: str = "v1", *, languages: tuple[str, ...] = ()) -> Published:
    """What a worker has made: a version with one quality, and captions in these languages."""
    version = Version(
        folder=folder, duration_s=1.5, width=214, height=120, size_bytes=9,
        poster_choices=3, has_small_choices=True, has_storyboard=True,
    )  # fmt: skip
    found = [Caption(language=one, label=one, folder=folder, is_uploaded=False) for one in languages]
    return Published(version, [make_rendition(None, "120p")], found, work_pixels=1000, work_s=2.5)


def test_a_new_original_is_enqueued_once(uploaded: Video, enqueued: list[int]) -> None:
    assert enqueued == [uploaded.pk]
    assert uploaded.state == State.PENDING


def test_saving_without_a_new_original_enqueues_nothing(
    uploaded: Video, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.title = "Renamed"
        uploaded.save()
        Video.objects.get(pk=uploaded.pk).save()
    assert enqueued == [uploaded.pk]


def test_nothing_is_enqueued_when_the_transaction_fails(owner: User, enqueued: list[int]) -> None:
    """Callbacks of a test transaction never run: the receiver waits for the commit."""
    video = Video(owner=owner, title="Undone")
    video.video_file = ContentFile(b"film", name="film.mp4")
    video.save()
    assert enqueued == []


def test_a_replaced_original_is_discarded_and_the_new_one_processed(
    uploaded: Video, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    old = uploaded.video_file.name
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.video_file = ContentFile(b"better film", name="better.mov")
        uploaded.save()
    assert enqueued == [uploaded.pk, uploaded.pk]
    assert Discard.objects.filter(prefix=old).exists()
    assert not Discard.objects.filter(prefix=uploaded.video_file.name).exists()


def test_a_replacement_takes_the_video_from_its_worker(
    uploaded: Video, django_capture_on_commit_callbacks: Any
) -> None:
    run = claimed(uploaded)
    uploaded.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.video_file = ContentFile(b"better film", name="better.mov")
        uploaded.save()
    with pytest.raises(LeaseLost):
        lifecycle.record_progress(run=run, percent=10)


def test_saving_a_stale_instance_does_not_undo_the_workers_writes(uploaded: Video) -> None:
    read_before = Video.objects.get(pk=uploaded.pk)
    lifecycle.mark_ready(run=claimed(uploaded), published=published())
    read_before.title = "Renamed meanwhile"
    read_before.save()
    uploaded.refresh_from_db()
    assert (uploaded.title, uploaded.state, uploaded.folder) == ("Renamed meanwhile", State.READY, "v1")


def test_if_two_originals_are_saved_at_once_the_later_one_counts(uploaded: Video) -> None:
    early, late = (Video.objects.get(pk=uploaded.pk) for _ in range(2))
    early.video_file = ContentFile(b"early", name="early.mp4")
    early.save()
    late.video_file = ContentFile(b"late", name="late.mp4")
    late.save()
    uploaded.refresh_from_db()
    assert run_of(uploaded).original == uploaded.video_file.name == late.video_file.name
    assert Discard.objects.filter(prefix=early.video_file.name).exists()


def test_only_one_worker_gets_a_video(uploaded: Video) -> None:
    assert lifecycle.claim(video_id=uploaded.pk)
    assert lifecycle.claim(video_id=uploaded.pk) is None


def test_a_video_that_is_gone_gives_no_claim(db: None) -> None:
    assert lifecycle.claim(video_id=12345) is None


def test_a_deleted_video_stops_its_worker(uploaded: Video) -> None:
    run = claimed(uploaded)
    Video.objects.filter(pk=uploaded.pk).update(deleted_at=timezone.now())
    with pytest.raises(LeaseLost):
        lifecycle.record_progress(run=run, percent=50)


def test_progress_renews_the_lease(uploaded: Video) -> None:
    run = claimed(uploaded)
    expire(uploaded)
    lifecycle.record_progress(run=run, percent=42, time_left_s=7)
    run.refresh_from_db()
    assert (run.progress, run.time_left_s) == (42, 7)
    assert run.free_at
    assert run.free_at > timezone.now()


def test_mark_ready_switches_version_and_renditions_together(uploaded: Video) -> None:
    run = claimed(uploaded)
    lifecycle.expect_version(run=run, folder="v1")
    lifecycle.mark_ready(run=run, published=published())
    uploaded.refresh_from_db()
    assert (uploaded.state, uploaded.folder, run_of(uploaded).progress) == (State.READY, "v1", 100)
    assert uploaded.version
    assert [row.name for row in uploaded.version.renditions.all()] == ["120p"]
    assert not Discard.objects.exists()


def test_a_version_comes_with_poster_captions_and_its_work(uploaded: Video) -> None:
    lifecycle.mark_ready(run=claimed(uploaded), published=published(languages=("de", "en")))
    uploaded.refresh_from_db()
    version, run = Version.objects.get(), run_of(uploaded)
    assert (uploaded.poster, version.poster_choices, version.has_storyboard) == ("v1/poster.jpg", 3, True)
    assert (uploaded.has_small_poster, version.has_small_choices) == (True, True)
    assert (run.work_pixels, run.work_s) == (1000, 2.5)
    assert sorted(caption.language for caption in uploaded.captions.all()) == ["de", "en"]


@pytest.mark.parametrize(
    ("before", "after", "has_small"),
    [
        ("v1/poster_3.jpg", "v2/poster.jpg", True),
        # The poster was uploaded to a release without small pictures, and a new version adds none.
        ("0123456789abcdef/poster.jpg", "0123456789abcdef/poster.jpg", False),
    ],
)
def test_a_new_version_brings_a_new_poster_unless_one_was_uploaded(
    uploaded: Video, before: str, after: str, has_small: bool
) -> None:
    lifecycle.mark_ready(run=claimed(uploaded), published=published())
    Video.objects.update(poster=before, has_small_poster=False)
    Version.objects.update(has_small_choices=False)
    lifecycle.retry(video_id=uploaded.pk)
    lifecycle.mark_ready(run=claimed(uploaded), published=published("v2"))
    uploaded.refresh_from_db()
    has_small_choices = Version.objects.get().has_small_choices
    assert (uploaded.poster, uploaded.has_small_poster, has_small_choices) == (after, has_small, True)


def test_a_new_version_keeps_uploaded_captions_and_replaces_its_own(uploaded: Video) -> None:
    lifecycle.mark_ready(run=claimed(uploaded), published=published(languages=("de", "en", "fr")))
    uploaded.captions.filter(language="de").update(folder="0123456789abcdef", is_uploaded=True)
    lifecycle.retry(video_id=uploaded.pk)
    lifecycle.mark_ready(run=claimed(uploaded), published=published("v2", languages=("de", "en")))
    assert {caption.language: caption.folder for caption in uploaded.captions.all()} == {
        "de": "0123456789abcdef",
        "en": "v2",
    }


def test_a_poster_is_switched_only_from_the_state_that_was_read(uploaded: Video) -> None:
    lifecycle.mark_ready(run=claimed(uploaded), published=published())
    seen = Video.objects.get(pk=uploaded.pk)
    other = Version.objects.create(video=seen, run=make_run(seen, RunState.DONE, folder="v2"), folder="v2")
    changed: tuple[dict[str, Any], ...] = (
        {"version": other},
        {"poster": "v1/poster_2.jpg"},
        {"deleted_at": timezone.now()},
    )
    for changes in changed:
        before = Video.objects.filter(pk=uploaded.pk).values(*changes).get()
        Video.objects.update(**changes)
        assert not lifecycle.switch_poster(video=seen, poster="v1/poster_3.jpg")
        Video.objects.update(**before)
    assert lifecycle.switch_poster(video=seen, poster="v1/poster_3.jpg")
    assert Video.objects.get(pk=uploaded.pk).poster == "v1/poster_3.jpg"


# --- preflight -------------------------------------------------------------------------------------------------------


FINE = Findings({"verdict": "fine"}, report={"streams": []}, settings={"rungs": []})


def test_findings_apply_only_to_the_original_that_was_examined(uploaded: Video) -> None:
    first = run_of(uploaded)
    assert lifecycle.note_findings(run=first, findings=FINE)
    first.refresh_from_db()
    assert (first.verdict, first.report, first.settings) == (FINE.verdict, FINE.report, FINE.settings)
    uploaded.video_file = ContentFile(b"better film", name="better.mov")
    uploaded.save()
    assert run_of(uploaded).verdict is None
    assert not lifecycle.note_findings(run=first, findings=FINE)
    assert (run_of(uploaded).verdict, run_of(uploaded).report) == (None, None)


def test_an_inspection_that_ends_late_changes_nothing_for_the_worker(uploaded: Video) -> None:
    waiting = run_of(uploaded)
    lifecycle.note_plan(run=claimed(uploaded), findings=FINE)
    assert not lifecycle.note_findings(run=waiting, findings=Findings({"verdict": "warnings"}))
    assert run_of(uploaded).verdict == FINE.verdict


def refused(video: Video) -> bool:
    return lifecycle.refuse(run=run_of(video), error=NotAVideo(), verdict={"verdict": "refused"})


def test_a_refused_original_fails_before_a_worker_has_it_and_not_after(uploaded: Video) -> None:
    run = claimed(uploaded)
    assert not refused(uploaded)
    lifecycle.hand_back(run=run)
    assert refused(uploaded)
    assert lifecycle.claim(video_id=uploaded.pk) is None
    uploaded.refresh_from_db()
    assert (uploaded.state, run_of(uploaded).error_code) == (State.ERROR, "not_a_video")
    assert run_of(uploaded).verdict == {"verdict": "refused"}


def test_retrying_examines_the_file_again(
    uploaded: Video, memory_queue: MemoryQueue, django_capture_on_commit_callbacks: Any
) -> None:
    refused(uploaded)
    memory_queue.put_keys.clear()
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.retry(video_id=uploaded.pk)
    assert run_of(uploaded).verdict is None
    assert memory_queue.put_keys["inspect_video"] == [uploaded.pk]


def test_retrying_plans_anew_from_the_report_that_is_known(uploaded: Video) -> None:
    lifecycle.note_findings(run=run_of(uploaded), findings=FINE)
    lifecycle.mark_ready(run=claimed(uploaded), published=published())
    lifecycle.retry(video_id=uploaded.pk)
    run = run_of(uploaded)
    assert (run.report, run.settings, run.verdict) == (FINE.report, None, None)


def test_the_old_version_keeps_playing_until_it_is_due(
    uploaded: Video, django_capture_on_commit_callbacks: Any
) -> None:
    lifecycle.mark_ready(run=claimed(uploaded), published=published())
    with django_capture_on_commit_callbacks(execute=True):
        assert lifecycle.retry(video_id=uploaded.pk)
    uploaded.refresh_from_db()
    assert uploaded.is_playable
    assert uploaded.state == State.PENDING
    lifecycle.mark_ready(run=claimed(uploaded), published=published("v2"))
    uploaded.refresh_from_db()
    assert uploaded.folder == "v2"
    discard = Discard.objects.get(prefix=f"videos/{uploaded.public_id}/v1")
    assert discard.due_at > timezone.now()
    assert [row.version.folder for row in Rendition.objects.all()] == ["v2"]


def test_a_worker_whose_lease_expired_cannot_publish(uploaded: Video) -> None:
    late = claimed(uploaded)
    expire(uploaded)
    lifecycle.take_back_expired()
    lifecycle.mark_ready(run=claimed(uploaded), published=published("v2"))
    with pytest.raises(LeaseLost):
        lifecycle.mark_ready(run=late, published=published("v1"))
    uploaded.refresh_from_db()
    assert uploaded.folder == "v2"
    assert not Version.objects.filter(folder="v1").exists()


def test_a_permanent_error_is_final_with_code_and_sentence(uploaded: Video) -> None:
    before = uploaded.updated_at
    assert lifecycle.mark_failed(run=claimed(uploaded), error=NotAVideo()) == State.ERROR
    uploaded.refresh_from_db()
    assert uploaded.updated_at > before, "the video that failed last is listed first"
    run = run_of(uploaded)
    assert run.error_code == "not_a_video"
    assert run.error_message.endswith(".")
    assert run.lease_token is None


def test_a_temporary_error_is_retried_and_given_up_in_the_end(uploaded: Video, settings: Any) -> None:
    settings.MAX_ATTEMPTS = 2
    assert lifecycle.mark_failed(run=claimed(uploaded), error=StorageUnavailable()) == State.PENDING
    assert lifecycle.claim(video_id=uploaded.pk) is None, "the pause has not ended"
    expire(uploaded)
    assert lifecycle.mark_failed(run=claimed(uploaded), error=StorageUnavailable()) == State.ERROR
    assert run_of(uploaded).error_code == "storage_unavailable"


def test_a_worker_that_ends_hands_its_video_to_the_next(uploaded: Video) -> None:
    lifecycle.hand_back(run=claimed(uploaded))
    assert claimed(uploaded).attempts == 1, "the attempt that was handed back does not count"


@pytest.mark.parametrize(("state", "may"), [(State.ERROR, True), (State.READY, True), (State.PROCESSING, False)])
def test_retry_is_for_finished_and_failed_videos(owner: User, state: State, may: bool) -> None:
    video = make_playable(owner) if state == State.READY else make_video(owner, state=state)
    assert lifecycle.retry(video_id=video.pk) is may


def test_retry_starts_with_a_clean_slate(uploaded: Video) -> None:
    lifecycle.mark_failed(run=claimed(uploaded), error=NotAVideo())
    lifecycle.retry(video_id=uploaded.pk)
    run = run_of(uploaded)
    assert (run.error_code, run.error_message, run.attempts) == ("", "", 0)


def test_an_expired_claim_goes_back_to_pending(uploaded: Video) -> None:
    claimed(uploaded)
    assert lifecycle.take_back_expired() == 0, "the lease has not expired"
    expire(uploaded)
    assert lifecycle.take_back_expired() == 1
    assert lifecycle.waiting_ids() == [uploaded.pk]


def test_a_video_that_kills_every_worker_is_given_up(uploaded: Video, settings: Any) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        claimed(uploaded)
        expire(uploaded)
        lifecycle.take_back_expired()
    uploaded.refresh_from_db()
    assert (uploaded.state, run_of(uploaded).error_code) == (State.ERROR, EncoderFailed.code)
    assert run_of(uploaded).error_message


@pytest.mark.parametrize("state", [State.UPLOADING, State.READY, State.ERROR, State.PROCESSING])
def test_only_pending_videos_can_be_claimed(owner: User, state: State) -> None:
    video = make_playable(owner) if state == State.READY else make_video(owner, state=state)
    assert lifecycle.claim(video_id=video.pk) is None


# --- chunks ----------------------------------------------------------------------------------------------------------


def test_only_one_worker_gets_a_chunk(uploaded: Video) -> None:
    run = claimed(uploaded)
    lifecycle.take_chunk(run=run, segments=3)
    with pytest.raises(LeaseLost):
        lifecycle.take_chunk(run=run, segments=3)


def fail_for_now(run: Run) -> None:
    lifecycle.mark_failed(run=run, error=StorageUnavailable())


def vanish(run: Run) -> None:
    expire(run.video)
    lifecycle.take_back_expired()


@pytest.mark.parametrize("leave", [lambda run: lifecycle.hand_back(run=run), fail_for_now, vanish])
def test_the_next_worker_gets_the_chunk_of_a_run_that_was_left(leave: Callable[[Run], None], uploaded: Video) -> None:
    run = claimed(uploaded)
    lifecycle.take_chunk(run=run, segments=3)
    leave(run)
    expire(uploaded)
    chunk = lifecycle.take_chunk(run=claimed(uploaded), segments=3)
    assert (chunk.number, chunk.first_segment, chunk.segments, chunk.encoded_at) == (0, 0, 3, None)


def test_deleting_a_row_discards_all_its_objects(
    uploaded: Video, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    public_id = uploaded.public_id
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.delete()
    assert {d.prefix for d in Discard.objects.all()} == {f"originals/{public_id}", f"videos/{public_id}"}
