"""Migrations of existing rows; each test migrates back and forth, and reads what it finds by the models of today."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from content_app.models import Discard, Run, Video
from content_app.services.processing import lifecycle, takeover
from content_app.states import RunState, State
from content_app.tests.factories import make_playable, make_video, refuse_candidate
from users_app.models import AuditEntry, User

BEFORE_ORIGINALS = ("content_app", "0009_candidate_originals")
AFTER_ORIGINALS = ("content_app", "0011_originals_that_must_be")
BEFORE = ("content_app", "0014_reaper_rounds")


def migrate(target: tuple[str, str]) -> Any:
    """The models before the migration; those of other apps as they are now."""
    others = [node for node in MigrationExecutor(connection).loader.graph.leaf_nodes() if node[0] != target[0]]
    MigrationExecutor(connection).migrate([target])
    return MigrationExecutor(connection).loader.project_state([*others, target]).apps


def migrate_to_latest() -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("content_app")[0])


def add_films(target: tuple[str, str], films: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Goes back to this migration, and adds these films as it had them. Returns their ids by their names."""
    apps = migrate(target)
    owner = apps.get_model("users_app", "User").objects.create(email="former-owner@example.com")
    ids = {}
    for name, fields in films.items():
        columns = {key: value for key, value in fields.items() if key != "rungs"}
        original = {"video_file": "originals/a.mp4", "accepted_original": "originals/a.mp4", "original_name": "a.mp4"}
        film = apps.get_model("content_app", "Video").objects.create(owner=owner, title=name, **{**original, **columns})
        for rung in fields.get("rungs", ()):
            film.renditions.create(
                version=film.version, name=rung, width=640, height=360, frame_rate="24", codecs="avc1", peak_bps=2,
                average_bps=1, size_bytes=3, frames=720,
            )  # fmt: skip
        ids[name] = int(film.pk)
    return ids


PLAYED = {
    "state": "ready", "progress": 100, "version": "v1", "duration_s": 30.5, "width": 1280, "height": 720,
    "size_bytes": 99, "poster": "v1/poster.jpg", "poster_choices": 3, "has_small_choices": True,
    "has_storyboard": True, "has_manifest": True, "played_original": "originals/a.mp4", "played_etag": "tag",
    "played_name": "a.mp4", "played_bytes": 77, "played_verdict": {"verdict": "fine"}, "work_pixels": 1000,
    "work_s": 2.5,
}  # fmt: skip
OTHER_FILE = {"accepted_original": "originals/b.mov", "original_name": "b.mov", "original_bytes": 5}


NO_FILE = {"video_file": "", "accepted_original": ""}
FAILED = {"state": "error", "error_code": "not_a_video", "error_message": "This is no video.", "error_is_final": True}
REFUSED = {"refused_code": "not_a_video", "refused_message": "This is no video.", "refused_at": timezone.now()}


def leased() -> dict[str, Any]:
    return {"claim_token": uuid.uuid4(), "lease_until": timezone.now() + timedelta(minutes=10), "attempts": 1}


@pytest.fixture(scope="module")
def ids(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """The ids of films that the release before had, by their kinds; migrated once for all tests."""
    films: dict[str, dict[str, Any]] = {
        "plays": {**PLAYED, "rungs": ("360p", "720p")},
        "plays, another file waits": {**PLAYED, **OTHER_FILE, "state": "pending", "attempts": 1, "estimate_s": 40},
        "is processed": {"state": "processing", "progress": 40, **leased()},
        "was processed and failed": {**FAILED, "verdict": {"verdict": "refused"}},
        "was refused as it arrived": {**FAILED, **NO_FILE, "original_name": "b.mov"},
        "plays, another file was refused": {**PLAYED, **REFUSED, "refused_file": "b.mov"},
        "plays, its own file failed": {**PLAYED, **REFUSED},
        "has no file": {"state": "uploading", **NO_FILE},
    }
    with django_db_blocker.unblock():
        made = add_films(BEFORE, films)
        migrate_to_latest()
        yield made
        Video.objects.all().delete()
        # These rows are committed: none may be left for the tests after these.
        Discard.objects.all().delete()
        AuditEntry.objects.all().delete()
        User.objects.filter(email="former-owner@example.com").delete()


def film(pk: int) -> Video:
    return Video.objects.select_related("version", "run", "refusal").get(pk=pk)


@pytest.mark.django_db
def test_a_film_that_plays_gets_its_version_and_the_run_that_made_it(ids: dict[str, int]) -> None:
    now = film(ids["plays"])
    version, run = now.version, now.run
    assert version
    assert run
    assert (now.state, now.refusal, now.poster) == (State.READY, None, "v1/poster.jpg")
    assert (version.folder, version.duration_s, version.width, version.height) == ("v1", 30.5, 1280, 720)
    assert (version.size_bytes, version.poster_choices) == (99, 3)
    assert (version.has_small_choices, version.has_storyboard, version.has_manifest) == (True, True, True)
    assert sorted((one.name, one.frames) for one in version.renditions.all()) == [("360p", 720), ("720p", 720)]
    assert version.run == run
    assert (run.state, run.original, run.etag, run.name) == (RunState.DONE, "originals/a.mp4", "tag", "a.mp4")
    assert (run.size_bytes, run.verdict, run.work_pixels, run.work_s) == (77, {"verdict": "fine"}, 1000, 2.5)


@pytest.mark.django_db
def test_a_file_under_way_beside_what_plays_is_a_run_that_waits(ids: dict[str, int]) -> None:
    now = film(ids["plays, another file waits"])
    assert now.run
    assert now.version
    assert (now.state, now.is_playable) == (State.PENDING, True)
    assert (now.run.state, now.run.original, now.run.name) == (RunState.WAITING, "originals/b.mov", "b.mov")
    assert (now.run.attempts, now.run.estimate_s) == (1, 40)
    assert now.version.run.original == "originals/a.mp4"
    assert lifecycle.claim(video_id=now.pk)


@pytest.mark.django_db
def test_a_worker_of_the_release_before_keeps_its_lease_until_it_ends(ids: dict[str, int]) -> None:
    pk = ids["is processed"]
    assert film(pk).state == State.PROCESSING
    assert lifecycle.take_back_expired() == 0
    Run.objects.filter(video=pk).update(free_at=timezone.now() - timedelta(seconds=1))
    assert lifecycle.take_back_expired() == 1
    assert film(pk).state == State.PENDING


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "original"), [("was processed and failed", "originals/a.mp4"), ("was refused as it arrived", "")]
)
def test_failed_films_keep_the_reason(ids: dict[str, int], kind: str, original: str) -> None:
    now = film(ids[kind])
    assert now.run
    assert (now.state, now.version, now.can_retry) == (State.ERROR, None, False)
    assert (now.run.error_code, now.run.error_message) == ("not_a_video", "This is no video.")
    assert now.run.original == original


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "name"), [("plays, another file was refused", "b.mov"), ("plays, its own file failed", "")]
)
def test_the_note_of_a_refusal_stays(ids: dict[str, int], kind: str, name: str) -> None:
    now = film(ids[kind])
    assert now.refusal
    assert (now.refusal.error_code, now.refused_file, now.state) == ("not_a_video", name, State.READY)
    assert now.run != now.refusal


@pytest.mark.django_db
def test_a_film_without_a_file_still_waits_for_it(ids: dict[str, int]) -> None:
    now = film(ids["has no file"])
    assert (now.state, now.run) == (State.UPLOADING, None)


@pytest.mark.django_db(transaction=True)
def test_a_site_that_goes_back_finds_its_columns_as_they_were(owner: User) -> None:
    playing = make_playable(owner, title="Plays", work_s=9.0)
    refuse_candidate(playing)
    failed = make_video(owner, title="Failed", state=State.ERROR, error_code="truncated")
    waiting = make_playable(owner, title="Waits", state=State.PENDING, original="originals/other.mp4")
    try:
        columns = migrate(BEFORE).get_model("content_app", "Video").objects
        back = columns.get(pk=playing.pk)
        assert (back.state, back.version, back.work_s, back.refused_code) == ("ready", "v1", 9.0, "not_a_video")
        assert back.accepted_original == back.played_original == playing.video_file.name
        assert sorted(rung.name for rung in back.renditions.all()) == ["360p", "720p"]
        assert (columns.get(pk=failed.pk).state, columns.get(pk=failed.pk).error_code) == ("error", "truncated")
        back = columns.get(pk=waiting.pk)
        assert (back.state, back.video_file.name, back.version) == ("pending", "originals/other.mp4", "v1")
    finally:
        migrate_to_latest()
    assert film(playing.pk).version
    assert film(waiting.pk).state == State.PENDING


# --- older migrations -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_films_with_a_version_keep_their_original_and_are_not_failed() -> None:
    failed = {"state": "error", "error_code": "not_a_video", "error_message": "This is no video."}
    films: dict[str, dict[str, Any]] = {
        "Ready": {"state": "ready", "version": "v1", "verdict": {"verdict": "fine"}},
        "Plays on": {"version": "v1", **failed},
        "Never played": failed,
        "May pass": {"state": "error", "error_code": "storage_unavailable"},
        "Waits": {"state": "pending"},
    }
    try:
        ids = add_films(BEFORE_ORIGINALS, films)
        videos = migrate(AFTER_ORIGINALS).get_model("content_app", "Video").objects
        now = {name: videos.get(pk=pk) for name, pk in ids.items()}
    finally:
        migrate_to_latest()
    for name in ("Ready", "Plays on"):
        film = now[name]
        assert (film.state, film.played_original, film.played_name) == ("ready", "originals/a.mp4", "a.mp4")
    assert now["Ready"].played_verdict == {"verdict": "fine"}
    told = now["Plays on"]
    assert (told.refused_code, told.refused_message, told.error_code) == ("not_a_video", "This is no video.", "")
    assert [now[name].error_is_final for name in ("Never played", "May pass")] == [True, False]
    assert now["Never played"].state == "error"
    assert now["Waits"].queued_at is not None


# --- the release before, while this one starts -----------------------------------------------------------------------


def write_as_before(pk: int, **columns: Any) -> None:
    values = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE content_app_video SET {values} WHERE id = %s", [*columns.values(), pk])  # noqa: S608


@pytest.mark.django_db
def test_the_columns_of_the_release_before_are_there_with_a_default(owner: User) -> None:
    assert takeover.has_older_columns()
    film = make_video(owner)  # names none of them
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, attempts, version FROM content_app_video WHERE id = %s", [film.pk])
        assert cursor.fetchone() == ("uploading", 0, "")


@pytest.mark.django_db
@pytest.mark.usefixtures("enqueued")
def test_a_file_that_the_release_before_accepted_is_processed(ids: dict[str, int]) -> None:
    pk = ids["has no file"]
    write_as_before(pk, state="pending", accepted_original="originals/new.mp4", original_name="new.mp4")
    assert takeover.take_over() == 1
    now = film(pk)
    assert now.run
    assert (now.state, now.run.original) == (State.PENDING, "originals/new.mp4")
    assert takeover.take_over() == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("enqueued")
def test_a_version_that_the_release_before_published_plays(ids: dict[str, int]) -> None:
    pk = ids["is processed"]
    write_as_before(
        pk, state="ready", version="v7", played_original="originals/a.mp4", played_name="a.mp4", duration_s=12.0,
        claim_token=None, lease_until=None, work_s=3.0,
    )  # fmt: skip
    assert takeover.take_over() == 1
    now = film(pk)
    assert now.version
    assert (now.state, now.version.folder, now.version.duration_s) == (State.READY, "v7", 12.0)
    assert [run.state for run in now.runs.all()] == [RunState.DONE], "the run that the old worker held has ended"
    assert takeover.take_over() == 0


@pytest.mark.django_db
def test_an_edit_of_the_release_before_is_seen_though_it_raised_no_revision(ids: dict[str, int]) -> None:
    pk = ids["plays"]
    before = film(pk).revision
    write_as_before(pk, title="Edited", updated_at=timezone.now())
    assert film(pk).revision == before
    takeover.take_over()
    assert film(pk).revision > before
