"""A new file for a film that plays: if it is refused, the published version and its original stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from background.leases import LeaseLost
from content_app import jobs
from content_app.models import DirectUpload, Discard, Run, Video
from content_app.services.additions import posters
from content_app.services.catalogue import videos
from content_app.services.processing import external_results, lifecycle, preflight
from content_app.services.processing.lifecycle import Findings, Original
from content_app.services.storage import discards
from content_app.services.uploads import checks
from content_app.states import RunState, State
from content_app.tests.factories import make_playable, make_upload, original_files
from content_app.tests.test_processing import claimed, expire, published, run_of
from media_pipeline.errors import EncoderFailed, NotAVideo, StorageUnavailable
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = pytest.mark.usefixtures("enqueued")

SignIn = Callable[[User], APIClient]
GOOD = Findings({**preflight.EMPTY_VERDICT, "verdict": "fine", "sentence": "Nothing is wrong with this file."})
BAD = preflight.refused_findings(NotAVideo())
# All fields that stay as they are as long as no other file is uploaded.
WHAT_IT_IS = (
    *("state", "video_file", "original_name", "original_bytes", "poster", "has_small_poster"),
    *("run", "run__state", "run__progress", "run__time_left_s", "run__error_code", "run__error_message"),
    *("run__lease_token", "run__free_at", "run__original", "run__name", "run__etag", "run__verdict", "run__work_s"),
    *("version", "version__run", "version__folder", "version__duration_s"),
)


@pytest.fixture
def film(owner: User) -> Video:
    """A film with a published version, whose original is in the store."""
    video = videos.create(owner=owner, fields={"title": "Good"}, upload=make_upload("good.mp4", b"the good film"))
    lifecycle.note_findings(run=run_of(video), findings=GOOD)
    lifecycle.mark_ready(run=claimed(video), published=published())
    return Video.objects.get()


def what_it_is(video: Video) -> dict[str, Any]:
    return dict(Video.objects.filter(pk=video.pk).values(*WHAT_IT_IS).get())


def bring(video: Video, name: str = "bad.mov") -> str:
    """Uploads another file. Returns its key."""
    videos.edit(video_id=video.pk, by=video.owner, changes={}, upload=make_upload(name, b"something else"))
    return run_of(video).original


def refuse_unprocessed(video: Video) -> None:
    assert lifecycle.refuse(run=run_of(video), error=NotAVideo(), verdict=BAD.verdict)


def refuse_for_good(video: Video) -> None:
    assert lifecycle.mark_failed(run=claimed(video), error=NotAVideo()) == State.READY


def refusal() -> Run:
    """The failed run that the film tells its owner of."""
    noted: Run | None = Video.objects.get().refusal
    assert noted
    return noted


def use_up_attempts(video: Video) -> None:
    for _ in range(2):
        assert lifecycle.mark_failed(run=claimed(video), error=StorageUnavailable()) == State.PENDING
        expire(video)
    assert lifecycle.mark_failed(run=claimed(video), error=StorageUnavailable()) == State.READY


def kill_every_worker(video: Video) -> None:
    for _ in range(3):
        claimed(video)
        expire(video)
        lifecycle.take_back_expired()


@pytest.mark.parametrize(
    ("give_up", "code"),
    [
        (refuse_unprocessed, "not_a_video"),
        (refuse_for_good, "not_a_video"),
        (use_up_attempts, "storage_unavailable"),
        (kill_every_worker, "encoder_failed"),
    ],
)
def test_a_refused_file_leaves_everything_as_it_was(
    give_up: Callable[[Video], None], code: str, film: Video, settings: Any
) -> None:
    settings.MAX_ATTEMPTS = 3
    before = what_it_is(film)
    candidate = bring(film)
    assert Video.objects.get().state == State.PENDING
    assert Video.objects.get().is_playable
    give_up(film)
    assert what_it_is(film) == before
    assert (Video.objects.get().refused_file, refusal().error_code) == ("bad.mov", code)
    assert refusal().error_message.endswith(".")
    assert refusal().ended_at is not None
    assert [row.prefix for row in Discard.objects.all()] == [candidate]
    discards.remove_due()
    assert [path.read_bytes() for path in original_files()] == [b"the good film"]


def test_processing_again_takes_the_published_original(film: Video) -> None:
    bring(film)
    refuse_for_good(film)
    assert lifecycle.retry(video_id=film.pk)
    assert claimed(film).original == film.video_file.name


def test_the_old_original_is_discarded_only_when_the_new_one_plays(film: Video) -> None:
    candidate = bring(film, "better.mov")
    assert not Discard.objects.exists()
    lifecycle.mark_ready(run=claimed(film), published=published("v2"))
    now = Video.objects.get()
    assert now.version
    assert (now.version.run.original, now.version.run.name, now.folder) == (candidate, "better.mov", "v2")
    assert (now.video_file.name, now.original_name) == (candidate, "better.mov")
    discards.remove_due()
    assert [path.read_bytes() for path in original_files()] == [b"something else"]


def test_processing_the_same_original_again_keeps_it(film: Video) -> None:
    lifecycle.retry(video_id=film.pk)
    lifecycle.mark_ready(run=claimed(film), published=published("v2"))
    assert [row.prefix for row in Discard.objects.all()] == [f"videos/{film.public_id}/v1"]


def test_a_candidate_replaces_a_candidate_and_never_the_published_original(film: Video) -> None:
    before = what_it_is(film)
    first, second = bring(film, "first.mov"), bring(film, "second.mov")
    assert [row.prefix for row in Discard.objects.all()] == [first]
    refuse_for_good(film)
    assert what_it_is(film) == before
    assert {row.prefix for row in Discard.objects.all()} == {first, second}
    assert Video.objects.get().refused_file == "second.mov"


def test_a_file_for_a_film_without_a_version_replaces_its_original(owner: User) -> None:
    video = videos.create(owner=owner, fields={"title": "New"}, upload=make_upload())
    first = video.video_file.name
    lifecycle.mark_failed(run=claimed(video), error=NotAVideo())
    bring(video)
    assert [row.prefix for row in Discard.objects.all()] == [first]
    assert lifecycle.mark_failed(run=claimed(video), error=NotAVideo()) == State.ERROR
    assert Video.objects.get().refusal is None


def test_a_film_that_cannot_be_processed_again_plays_on_and_says_why(film: Video) -> None:
    before = what_it_is(film)
    lifecycle.retry(video_id=film.pk)
    assert lifecycle.mark_failed(run=claimed(film), error=EncoderFailed()) == State.PENDING
    Run.objects.filter(state=RunState.WAITING).update(attempts=99, free_at=None)
    assert lifecycle.mark_failed(run=claimed(film), error=EncoderFailed()) == State.READY
    assert what_it_is(film) == before
    assert (Video.objects.get().refused_file, refusal().error_code) == ("", "encoder_failed")
    assert not Discard.objects.exists()


def test_a_worker_of_a_replaced_candidate_changes_nothing(film: Video) -> None:
    bring(film, "first.mov")
    late = claimed(film)
    second = bring(film, "second.mov")
    for write in (
        lambda: lifecycle.mark_failed(run=late, error=NotAVideo()),
        lambda: lifecycle.mark_ready(run=late, published=published("v2")),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert (Video.objects.get().state, run_of(film).original) == (State.PENDING, second)


def test_a_verdict_on_an_earlier_candidate_does_not_refuse_the_later_one(film: Video) -> None:
    bring(film, "first.mov")
    first = run_of(film)
    second = bring(film, "second.mov")
    assert not lifecycle.refuse(run=first, error=NotAVideo(), verdict=BAD.verdict)
    assert (Video.objects.get().state, run_of(film).original) == (State.PENDING, second)


def test_a_stale_instance_does_not_restore_a_refused_candidate(film: Video) -> None:
    bring(film)
    read_before = Video.objects.get()
    refuse_for_good(film)
    read_before.title = "Renamed"
    read_before.save()
    now = Video.objects.get()
    assert (now.title, now.video_file.name, now.original_name) == ("Renamed", film.video_file.name, "good.mp4")


def test_a_stale_instance_does_not_restore_the_original_that_played_before(film: Video, enqueued: list[int]) -> None:
    candidate = bring(film, "better.mov")
    lifecycle.mark_ready(run=claimed(film), published=published("v2"))
    enqueued.clear()
    film.title = "Renamed"
    film.save()
    now = Video.objects.get()
    assert (now.title, now.video_file.name, now.original_name) == ("Renamed", candidate, "better.mov")
    assert (now.state, now.folder, enqueued) == (State.READY, "v2", [])


def test_deleting_removes_the_original_that_plays_and_the_candidate(owner: User) -> None:
    """Files that were uploaded directly are removed too, although they are outside the film's folder."""
    video = make_playable(owner, original="originals/one/a.mp4")
    original = Original("originals/two/b.mp4", "b.mp4", 5)
    assert lifecycle.accept_original(video_id=video.pk, original=original, findings=GOOD)
    Video.objects.get().delete()
    gone = {"originals/one/a.mp4", "originals/two/b.mp4", f"originals/{video.public_id}", f"videos/{video.public_id}"}
    assert {row.prefix for row in Discard.objects.all()} == gone


def test_posters_and_captions_are_changed_while_a_candidate_is_tried(film: Video) -> None:
    bring(film)
    posters.choose(video_id=film.pk, number=2)
    refuse_for_good(film)
    assert Video.objects.get().poster == "v1/poster_2.jpg"


# --- constraints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "impossible",
    [
        {"run": None},
        {"state": State.ERROR},
        {"version": None},
    ],
)
def test_the_database_refuses_impossible_rows(impossible: dict[str, Any], film: Video) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Video.objects.update(**impossible)


# --- every way in which a file can arrive ----------------------------------------------------------------------------


def test_a_patch_with_a_bad_file(film: Video, owner: User, creator: User, as_user: SignIn) -> None:
    path = f"/api/v1/videos/{film.pk}/"
    body = as_user(owner).patch(path, {"file": make_upload("bad.mov")}, format="multipart").json()
    assert (body["processing_state"], body["is_playable"], body["last_refusal"]) == ("pending", True, None)
    refuse_for_good(film)
    body = as_user(owner).get(path).json()
    assert (body["processing_state"], body["is_playable"], body["processing_error_code"]) == ("ready", True, "")
    assert body["last_refusal"].keys() == {"file", "code", "sentence", "at"}
    assert (body["last_refusal"]["file"], body["last_refusal"]["code"]) == ("bad.mov", "not_a_video")
    assert as_user(creator).get(path).json()["last_refusal"] is None, "users who may not change the film do not see it"
    assert as_user(owner).get(f"{path}preflight/").json()["verdict"] == "fine", (
        "the status is that of the film that plays"
    )


def test_a_refusal_is_dismissed_by_the_owner(film: Video, owner: User, creator: User, as_user: SignIn) -> None:
    path = f"/api/v1/videos/{film.pk}/refusal/"
    bring(film)
    refuse_for_good(film)
    assert as_user(creator).delete(path).status_code == 403
    assert as_user(owner).delete(path).status_code == 204
    assert as_user(owner).get(f"/api/v1/videos/{film.pk}/").json()["last_refusal"] is None
    assert as_user(owner).delete(path).status_code == 204, "a second time"


def test_the_next_file_clears_the_reason_of_the_last_refusal(film: Video) -> None:
    bring(film)
    refuse_for_good(film)
    bring(film, "better.mov")
    assert Video.objects.get().refusal is None


def condition(page: Any) -> str:
    """The part of a film's page that says how it is; the list of its runs keeps what was dismissed here."""
    _, found, rest = page.content.decode().partition('data-testid="condition"')
    assert found
    return str(rest.partition("</section>")[0])


def test_the_form_of_the_admin_site(film: Video, owner: User, staff: Client) -> None:
    before, page = what_it_is(film), f"/admin/content_app/video/{film.pk}/change/"
    form = {"title": "Good", "owner": owner.pk, "visibility": "PUBLIC", "price": "0", "currency": "EUR"}
    assert staff.post(page, {**form, "video_file": make_upload("bad.mov")}).status_code == 302
    assert Video.objects.get().state == State.PENDING
    refuse_for_good(film)
    assert what_it_is(film) == before
    shown = condition(staff.get(page))
    assert "bad.mov" in shown
    assert NotAVideo.sentence in shown
    move = f"/admin/content_app/video/{film.pk}/move"
    staff.post(move, {"to": "dismiss"})
    assert NotAVideo.sentence not in condition(staff.get(page))
    staff.post(move, {"to": "process"})
    assert claimed(film).original == film.video_file.name


def test_a_direct_upload_that_is_refused_by_its_check(film: Video, owner: User) -> None:
    before = what_it_is(film)
    now = timezone.now()
    upload = DirectUpload.objects.create(
        owner=owner, video=film, name="bad.mov", key="originals/bad", expires_at=now, arrived_at=now
    )
    taken: DirectUpload | None = DirectUpload.objects.filter(pk=upload.pk).take()
    assert taken
    checks.refuse_film(taken, NotAVideo(), BAD)
    assert what_it_is(film) == before
    assert (Video.objects.get().refused_file, refusal().error_code) == ("bad.mov", "not_a_video")


def test_a_direct_upload_that_is_refused_by_the_worker(film: Video) -> None:
    before = what_it_is(film)
    original = Original("originals/two/b.mp4", "b.mp4", 5, etag="e2")
    lifecycle.accept_original(video_id=film.pk, original=original, findings=GOOD)
    refuse_for_good(film)
    assert what_it_is(film) == before
    assert [row.prefix for row in Discard.objects.all()] == ["originals/two/b.mp4"]


def test_an_external_transcoder_that_cannot_make_the_candidate(film: Video, settings: Any) -> None:
    settings.TRANSCODER = "external"
    before = what_it_is(film)
    bring(film)
    for _ in range(2):  # reported twice
        external_results.fail(video=Video.objects.get())
    assert what_it_is(film) == before
    assert refusal().error_code == "transcoder_failed"
    external_results.complete(video=Video.objects.get())  # too late: the candidate is gone
    assert what_it_is(film) == before


# --- end to end ------------------------------------------------------------------------------------------------------


def test_a_film_survives_a_file_that_is_no_video(owner: User, tmp_path: Path) -> None:
    clip = make_clip(tmp_path, Clip(size="160x120", duration_s=1))
    upload = SimpleUploadedFile("good.mp4", clip.read_bytes())
    video = videos.create(owner=owner, fields={"title": "Good"}, upload=upload)
    jobs.process_video(video.pk)
    before = what_it_is(video)
    assert (before["state"], before["original_name"]) == (State.READY, "good.mp4")
    bring(video)
    jobs.process_video(video.pk)
    discards.remove_due()
    assert what_it_is(video) == before
    assert refusal().error_code == "not_a_video"
    lifecycle.retry(video_id=video.pk)
    jobs.process_video(video.pk)
    after = Video.objects.get()
    assert (after.state, after.original_name, after.refusal) == (State.READY, "good.mp4", None)
    assert after.folder != before["version__folder"]
