"""The state of a video: its moves, and what happens when two of them meet."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from content_app.models import Caption, Discard, Rendition, Video
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Claim, ClaimLost, Published
from content_app.states import State
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


def claimed(video: Video) -> Claim:
    claim = lifecycle.claim(video_id=video.pk)
    assert claim
    return claim


def published(video: Video, version: str = "v1", *, languages: tuple[str, ...] = ()) -> Published:
    row = Rendition(
        video=video, version=version, name="120p", width=214, height=120, frame_rate="24", codecs="avc1.64000b",
        peak_bps=2, average_bps=1, size_bytes=3, frames=4,
    )  # fmt: skip
    found = [Caption(video=video, language=one, label=one, folder=version, is_uploaded=False) for one in languages]
    return Published(
        version=version, duration_s=1.5, width=214, height=120, size_bytes=9, renditions=[row], captions=found,
        poster_choices=3, work_pixels=1000, work_s=2.5,
    )  # fmt: skip


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
    claim = claimed(uploaded)
    uploaded.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.video_file = ContentFile(b"better film", name="better.mov")
        uploaded.save()
    with pytest.raises(ClaimLost):
        lifecycle.record_progress(claim=claim, percent=10)


def test_saving_a_stale_instance_does_not_undo_the_workers_writes(uploaded: Video) -> None:
    read_before = Video.objects.get(pk=uploaded.pk)
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded))
    read_before.title = "Renamed meanwhile"
    read_before.save()
    uploaded.refresh_from_db()
    assert (uploaded.title, uploaded.state, uploaded.version) == ("Renamed meanwhile", State.READY, "v1")


def test_if_two_originals_are_saved_at_once_the_later_one_counts(uploaded: Video) -> None:
    early, late = (Video.objects.get(pk=uploaded.pk) for _ in range(2))
    early.video_file = ContentFile(b"early", name="early.mp4")
    early.save()
    late.video_file = ContentFile(b"late", name="late.mp4")
    late.save()
    uploaded.refresh_from_db()
    assert uploaded.accepted_original == uploaded.video_file.name == late.video_file.name
    assert Discard.objects.filter(prefix=early.video_file.name).exists()


def test_only_one_worker_gets_a_video(uploaded: Video) -> None:
    assert lifecycle.claim(video_id=uploaded.pk)
    assert lifecycle.claim(video_id=uploaded.pk) is None


def test_a_video_that_is_gone_gives_no_claim(db: None) -> None:
    assert lifecycle.claim(video_id=12345) is None


def test_a_deleted_video_stops_its_worker(uploaded: Video) -> None:
    claim = claimed(uploaded)
    Video.objects.filter(pk=uploaded.pk).update(deleted_at=timezone.now())
    with pytest.raises(ClaimLost):
        lifecycle.record_progress(claim=claim, percent=50)


def test_progress_renews_the_lease(uploaded: Video) -> None:
    claim = claimed(uploaded)
    Video.objects.filter(pk=uploaded.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    lifecycle.record_progress(claim=claim, percent=42, time_left_s=7)
    uploaded.refresh_from_db()
    assert (uploaded.progress, uploaded.time_left_s) == (42, 7)
    assert uploaded.lease_until
    assert uploaded.lease_until > timezone.now()


def test_mark_ready_switches_version_and_renditions_together(uploaded: Video) -> None:
    claim = claimed(uploaded)
    lifecycle.expect_version(claim=claim, version="v1")
    lifecycle.mark_ready(claim=claim, published=published(uploaded))
    uploaded.refresh_from_db()
    assert (uploaded.state, uploaded.version, uploaded.progress) == (State.READY, "v1", 100)
    assert [r.name for r in uploaded.renditions.all()] == ["120p"]
    assert not Discard.objects.exists()


def test_a_version_comes_with_poster_captions_and_its_work(uploaded: Video) -> None:
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, languages=("de", "en")))
    uploaded.refresh_from_db()
    assert (uploaded.poster, uploaded.poster_choices, uploaded.has_storyboard) == ("v1/poster.jpg", 3, True)
    assert (uploaded.has_small_poster, uploaded.has_small_choices) == (True, True)
    assert (uploaded.work_pixels, uploaded.work_s) == (1000, 2.5)
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
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded))
    Video.objects.update(poster=before, has_small_poster=False, has_small_choices=False)
    lifecycle.retry(video_id=uploaded.pk)
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, "v2"))
    uploaded.refresh_from_db()
    assert (uploaded.poster, uploaded.has_small_poster, uploaded.has_small_choices) == (after, has_small, True)


def test_a_new_version_keeps_uploaded_captions_and_replaces_its_own(uploaded: Video) -> None:
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, languages=("de", "en", "fr")))
    uploaded.captions.filter(language="de").update(folder="0123456789abcdef", is_uploaded=True)
    lifecycle.retry(video_id=uploaded.pk)
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, "v2", languages=("de", "en")))
    assert {caption.language: caption.folder for caption in uploaded.captions.all()} == {
        "de": "0123456789abcdef",
        "en": "v2",
    }


def test_a_poster_is_switched_only_from_the_state_that_was_read(uploaded: Video) -> None:
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded))
    seen = Video.objects.get(pk=uploaded.pk)
    for changes in ({"version": "v2"}, {"poster": "v1/poster_2.jpg"}, {"deleted_at": timezone.now()}):
        before = Video.objects.filter(pk=uploaded.pk).values(*changes).get()
        Video.objects.update(**changes)
        assert not lifecycle.switch_poster(video=seen, poster="v1/poster_3.jpg")
        Video.objects.update(**before)
    assert lifecycle.switch_poster(video=seen, poster="v1/poster_3.jpg")
    assert Video.objects.get(pk=uploaded.pk).poster == "v1/poster_3.jpg"


# --- preflight -------------------------------------------------------------------------------------------------------


def test_a_verdict_applies_only_to_the_original_that_was_examined(uploaded: Video) -> None:
    first = uploaded.accepted_original
    assert lifecycle.note_verdict(video_id=uploaded.pk, original=first, verdict={"verdict": "fine"})
    uploaded.video_file = ContentFile(b"better film", name="better.mov")
    uploaded.save()
    assert Video.objects.get(pk=uploaded.pk).verdict is None
    assert not lifecycle.note_verdict(video_id=uploaded.pk, original=first, verdict={"verdict": "fine"})
    assert Video.objects.get(pk=uploaded.pk).verdict is None


def refused(video: Video) -> bool:
    verdict = {"verdict": "refused"}
    return lifecycle.refuse(video_id=video.pk, original=video.accepted_original, error=NotAVideo(), verdict=verdict)


def test_a_refused_original_fails_before_a_worker_has_it_and_not_after(uploaded: Video) -> None:
    claim = claimed(uploaded)
    assert not refused(uploaded)
    lifecycle.hand_back(claim=claim)
    assert refused(uploaded)
    assert lifecycle.claim(video_id=uploaded.pk) is None
    uploaded.refresh_from_db()
    assert (uploaded.state, uploaded.error_code) == (State.ERROR, "not_a_video")
    assert uploaded.verdict == {"verdict": "refused"}


def test_retrying_examines_the_file_again(uploaded: Video) -> None:
    refused(uploaded)
    lifecycle.retry(video_id=uploaded.pk)
    assert Video.objects.get(pk=uploaded.pk).verdict is None


def test_the_old_version_keeps_playing_until_it_is_due(
    uploaded: Video, django_capture_on_commit_callbacks: Any
) -> None:
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded))
    with django_capture_on_commit_callbacks(execute=True):
        assert lifecycle.retry(video_id=uploaded.pk)
    uploaded.refresh_from_db()
    assert uploaded.is_playable
    assert uploaded.state == State.PENDING
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, "v2"))
    uploaded.refresh_from_db()
    assert uploaded.version == "v2"
    discard = Discard.objects.get(prefix=f"videos/{uploaded.public_id}/v1")
    assert discard.due_at > timezone.now()
    assert [r.version for r in uploaded.renditions.all()] == ["v2"]


def test_a_worker_whose_lease_expired_cannot_publish(uploaded: Video) -> None:
    late = claimed(uploaded)
    Video.objects.filter(pk=uploaded.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    lifecycle.take_back_expired()
    lifecycle.mark_ready(claim=claimed(uploaded), published=published(uploaded, "v2"))
    with pytest.raises(ClaimLost):
        lifecycle.mark_ready(claim=late, published=published(uploaded, "v1"))
    uploaded.refresh_from_db()
    assert uploaded.version == "v2"


def test_a_permanent_error_is_final_with_code_and_sentence(uploaded: Video) -> None:
    before = uploaded.updated_at
    assert lifecycle.mark_failed(claim=claimed(uploaded), error=NotAVideo()) == State.ERROR
    uploaded.refresh_from_db()
    assert uploaded.updated_at > before, "the video that failed last is listed first"
    assert uploaded.error_code == "not_a_video"
    assert uploaded.error_message.endswith(".")
    assert uploaded.claim_token is None


def test_a_temporary_error_is_retried_and_given_up_in_the_end(uploaded: Video, settings: Any) -> None:
    settings.MAX_ATTEMPTS = 2
    assert lifecycle.mark_failed(claim=claimed(uploaded), error=StorageUnavailable()) == State.PENDING
    assert lifecycle.claim(video_id=uploaded.pk) is None, "the pause has not ended"
    Video.objects.filter(pk=uploaded.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lifecycle.mark_failed(claim=claimed(uploaded), error=StorageUnavailable()) == State.ERROR
    uploaded.refresh_from_db()
    assert uploaded.error_code == "storage_unavailable"


def test_a_worker_that_ends_hands_its_video_to_the_next(uploaded: Video) -> None:
    lifecycle.hand_back(claim=claimed(uploaded))
    claim = claimed(uploaded)
    assert claim.attempt == 1, "the attempt that was handed back does not count"


@pytest.mark.parametrize(("state", "may"), [(State.ERROR, True), (State.READY, True), (State.PROCESSING, False)])
def test_retry_is_for_finished_and_failed_videos(uploaded: Video, state: State, may: bool) -> None:
    Video.objects.filter(pk=uploaded.pk).update(state=state)
    assert lifecycle.retry(video_id=uploaded.pk) is may


def test_retry_starts_with_a_clean_slate(uploaded: Video) -> None:
    lifecycle.mark_failed(claim=claimed(uploaded), error=NotAVideo())
    lifecycle.retry(video_id=uploaded.pk)
    uploaded.refresh_from_db()
    assert (uploaded.error_code, uploaded.error_message, uploaded.attempts) == ("", "", 0)


def test_an_expired_claim_goes_back_to_pending(uploaded: Video) -> None:
    claimed(uploaded)
    assert lifecycle.take_back_expired() == 0, "the lease has not expired"
    Video.objects.filter(pk=uploaded.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lifecycle.take_back_expired() == 1
    assert lifecycle.waiting_ids() == [uploaded.pk]


def test_a_video_that_kills_every_worker_is_given_up(uploaded: Video, settings: Any) -> None:
    for _ in range(settings.MAX_ATTEMPTS):
        claimed(uploaded)
        Video.objects.filter(pk=uploaded.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        lifecycle.take_back_expired()
    uploaded.refresh_from_db()
    assert (uploaded.state, uploaded.error_code) == (State.ERROR, EncoderFailed.code)
    assert uploaded.error_message


@pytest.mark.parametrize("state", [State.UPLOADING, State.READY, State.ERROR, State.PROCESSING])
def test_only_pending_videos_can_be_claimed(uploaded: Video, state: State) -> None:
    Video.objects.filter(pk=uploaded.pk).update(state=state, claim_token=uuid.uuid4())
    assert lifecycle.claim(video_id=uploaded.pk) is None


def test_deleting_a_row_discards_all_its_objects(
    uploaded: Video, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    public_id = uploaded.public_id
    with django_capture_on_commit_callbacks(execute=True):
        uploaded.delete()
    assert {d.prefix for d in Discard.objects.all()} == {f"originals/{public_id}", f"videos/{public_id}"}
