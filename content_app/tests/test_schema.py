"""What must never be true of the rows of films: the database refuses it, also where no rule of Python is asked."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from content_app.models import Chunk, DirectUpload, Run, Version, Video
from content_app.states import RunState, State
from content_app.tests.factories import make_playable, make_video
from users_app.models import Mail, User


@pytest.fixture
def ids(owner: User) -> Mapping[str, int]:
    """A film that plays while a worker makes another version of it, a failed film, an upload and a mail."""
    playing = make_playable(owner, state=State.PROCESSING)
    failed = make_video(owner, state=State.ERROR)
    assert playing.run
    assert playing.version
    assert failed.run
    chunk = Chunk.objects.create(run=playing.run, number=0, first_segment=0, segments=3)
    upload = DirectUpload.objects.create(owner=owner, key="originals/a.mp4", expires_at=playing.created_at)
    mail = Mail.objects.create(kind="reset_password", to="viewer@example.com")
    return {
        "playing": playing.pk, "failed": failed.pk, "running": playing.run.pk, "made": playing.version.run_id,
        "failure": failed.run.pk, "version": playing.version.pk, "chunk": chunk.pk, "upload": upload.pk,
        "mail": mail.pk,
    }  # fmt: skip


def execute(statement: str, ids: Mapping[str, Any]) -> None:
    # A transaction of its own: foreign keys are checked at its end.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(**ids))


RUN = "UPDATE content_app_run SET "
FILM = "UPDATE content_app_video SET "
IMPOSSIBLE = {
    "two live runs of a film": RUN + "state = 'waiting', ended_at = NULL, folder = '' WHERE id = {made}",
    "a running run without a lease": RUN + "lease_token = NULL WHERE id = {running}",
    "a running run whose lease never ends": RUN + "free_at = NULL WHERE id = {running}",
    "a waiting run that is leased": RUN + "state = 'waiting' WHERE id = {running}",
    "a live run without an original": RUN + "original = '' WHERE id = {running}",
    "a live run that has ended": RUN + "ended_at = queued_at WHERE id = {running}",
    "a run that is over and has not ended": RUN + "ended_at = NULL WHERE id = {failure}",
    "a failed run without a reason": RUN + "error_code = '' WHERE id = {failure}",
    "a finished run with an error": RUN + "error_code = 'not_a_video' WHERE id = {made}",
    "a finished run without objects": RUN + "folder = '' WHERE id = {made}",
    "two chunks of one number": (
        "INSERT INTO content_app_chunk (run_id, number, first_segment, segments, attempts)"
        " VALUES ({running}, 0, 3, 1, 0)"
    ),
    "two chunks with the same first segment": (
        "INSERT INTO content_app_chunk (run_id, number, first_segment, segments, attempts)"
        " VALUES ({running}, 1, 0, 1, 0)"
    ),
    "a chunk without segments": "UPDATE content_app_chunk SET segments = 0 WHERE id = {chunk}",
    "an encoded chunk that is leased": (
        "UPDATE content_app_chunk SET encoded_at = (SELECT queued_at FROM content_app_run WHERE id = {running}),"
        " lease_token = (SELECT lease_token FROM content_app_run WHERE id = {running}) WHERE id = {chunk}"
    ),
    "a version without a folder": "UPDATE content_app_version SET folder = '' WHERE id = {version}",
    "two versions of one run": (
        "INSERT INTO content_app_version (video_id, run_id, folder, size_bytes, poster_choices, has_small_choices,"
        " has_storyboard, has_manifest, created_at)"
        " SELECT video_id, run_id, 'v2', size_bytes, poster_choices, has_small_choices, has_storyboard, has_manifest,"
        " created_at FROM content_app_version WHERE id = {version}"
    ),
    "two versions in one folder": (
        "INSERT INTO content_app_version (video_id, run_id, folder, size_bytes, poster_choices, has_small_choices,"
        " has_storyboard, has_manifest, created_at)"
        " SELECT video_id, {failure}, folder, size_bytes, poster_choices, has_small_choices, has_storyboard,"
        " has_manifest, created_at FROM content_app_version WHERE id = {version}"
    ),
    "one rendition twice": (
        "INSERT INTO content_app_version_rendition (version_id, name, width, height, frame_rate, codecs, peak_bps,"
        " average_bps, size_bytes, frames) SELECT version_id, name, width, height, frame_rate, codecs, peak_bps,"
        " average_bps, size_bytes, frames FROM content_app_version_rendition WHERE version_id = {version}"
    ),
    "a film that is ready and has no version": FILM + "film_state = 'ready' WHERE id = {failed}",
    "a failed film that plays": FILM + "film_state = 'error' WHERE id = {playing}",
    "a film under way without a run": FILM + "run_id = NULL WHERE id = {playing}",
    "a film with the version of another one": FILM + "version_id = {version} WHERE id = {failed}",
    "a film with the run of another one": FILM + "run_id = {running} WHERE id = {failed}",
    "a paid film without a price": FILM + "is_paid = (1 = 1), price = 0 WHERE id = {playing}",
    "a price below zero": FILM + "price = -1 WHERE id = {playing}",
    "two films at the top": FILM + "is_featured = (1 = 1)",
    "a settled upload that is leased": (
        "UPDATE content_app_directupload SET settled_at = created_at,"
        " lease_token = (SELECT lease_token FROM content_app_run WHERE id = {running}) WHERE id = {upload}"
    ),
    "a mail that was given up and is leased": (
        "UPDATE users_app_mail SET given_up_at = created_at,"
        " lease_token = (SELECT lease_token FROM content_app_run WHERE id = {running}) WHERE id = {mail}"
    ),
    "a run of no film": RUN + "video_id = 999999 WHERE id = {made}",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_the_database_refuses(statement: str, ids: Mapping[str, int]) -> None:
    with pytest.raises(IntegrityError):
        execute(statement, ids)


@pytest.mark.django_db(transaction=True)
def test_the_rows_of_these_tests_are_otherwise_possible(ids: Mapping[str, int]) -> None:
    for statement in (
        RUN + "attempts = 2, progress = 50 WHERE id = {running}",
        FILM + "title = 'Another' WHERE id = {playing}",
        "UPDATE content_app_chunk SET segments = 4 WHERE id = {chunk}",
    ):
        execute(statement, ids)
    assert Run.objects.get(pk=ids["running"]).state == RunState.RUNNING
    assert Version.objects.count() == 1
    assert Video.objects.get(pk=ids["playing"]).title == "Another"
