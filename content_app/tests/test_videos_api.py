"""Uploading, changing, deleting and restoring videos by the API."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.input_rules import EXTENSIONS
from content_app.models import Discard, Video
from content_app.services.catalogue import videos
from content_app.services.catalogue.videos import UNDO_MINUTES
from content_app.services.processing import lifecycle
from content_app.services.processing.external_results import TranscoderFailed
from content_app.states import State, Visibility
from content_app.tests.factories import (
    make_category,
    make_in_state,
    make_playable,
    make_upload,
    make_video,
    original_files,
    publish_version,
)
from media_pipeline.errors import (
    EncoderFailed,
    EncoderOverLimit,
    NotAVideo,
    OutOfTime,
    PipelineError,
    SourceMissing,
    StorageUnavailable,
)
from users_app.models import User

SignIn = Callable[[User], APIClient]
VIDEOS = "/api/v1/videos/"

pytestmark = pytest.mark.usefixtures("enqueued")


def upload(client: APIClient, path: str = VIDEOS, **fields: Any) -> Any:
    return client.post(path, {"title": "Holiday", "file": make_upload(), **fields}, format="multipart")


# --- uploading -------------------------------------------------------------------------------------------------------


def test_a_creator_uploads_a_video(
    owner: User, as_user: SignIn, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    category = make_category("Drama")
    fields = {"description": "By the sea.", "category": "drama", "visibility": "UNLISTED", "is_paid": "true"}
    with django_capture_on_commit_callbacks(execute=True):
        response = upload(as_user(owner), **fields, price="3.50", currency="chf")
    video = Video.objects.get()
    assert response.status_code == 201
    assert response.json()["id"] == video.pk
    assert response.json()["processing_state"] == "pending"
    assert (video.owner, video.category, video.visibility) == (owner, category, Visibility.UNLISTED)
    assert (video.is_paid, str(video.price), video.currency) == (True, "3.50", "CHF")
    assert (video.original_name, video.original_bytes, video.state) == ("holiday.mp4", 17, State.PENDING)
    assert enqueued == [video.pk]
    assert [path.read_bytes() for path in original_files()] == [b"not really a film"]


@pytest.mark.parametrize("path", ["/api/v1/videos/", "/api/v1/videos"])
def test_the_job_is_enqueued_once_and_after_the_commit(
    path: str, owner: User, as_user: SignIn, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        upload(as_user(owner), path)
    assert enqueued == []
    for callback in callbacks:
        callback()
    assert enqueued == [Video.objects.get().pk]


def test_admins_upload_and_viewers_do_not(viewer: User, admin: User, as_user: SignIn) -> None:
    assert upload(as_user(admin)).status_code == 201
    refused = upload(as_user(viewer))
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert upload(APIClient()).status_code == 401
    assert Video.objects.count() == len(original_files()) == 1


def test_a_video_may_come_before_its_file(owner: User, as_user: SignIn, enqueued: list[int]) -> None:
    client = as_user(owner)
    created = client.post(VIDEOS, {"title": "Later"}, format="json")
    assert (created.status_code, created.json()["status"]) == (201, "UPLOADED")
    assert Video.objects.get().state == State.UPLOADING
    added = client.patch(f"{VIDEOS}{created.json()['id']}/", {"file": make_upload("film.MKV")}, format="multipart")
    assert added.status_code == 200
    video = Video.objects.get()
    assert (video.state, video.title, video.original_name) == (State.PENDING, "Later", "film.MKV")
    assert video.run
    assert video.run.original == video.video_file.name


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_extensions_are_accepted_in_upper_and_lower_case(extension: str, owner: User, as_user: SignIn) -> None:
    assert upload(as_user(owner), file=make_upload(f"Film.{extension.upper()}")).status_code == 201


@pytest.mark.parametrize("name", ["notes.txt", "photo.jpg", "list.m3u8", "song.mp3", "film", "film.mp4.exe", ".mp4"])
def test_other_files_are_refused_and_the_allowed_types_named(name: str, owner: User, as_user: SignIn) -> None:
    response = upload(as_user(owner), file=make_upload(name))
    assert (response.status_code, response.json()["code"]) == (400, "unsupported_type")
    assert "mp4, m4v, mov" in response.json()["detail"]
    assert not Video.objects.exists()
    assert original_files() == []


def test_control_characters_of_a_name_are_not_stored() -> None:
    video = Video()
    videos.take_upload(video=video, upload=make_upload("Zoë\0\n\x85 🎬.mp4\0"))
    assert video.original_name == "Zoë 🎬.mp4"


def test_an_empty_file_is_refused(owner: User, as_user: SignIn) -> None:
    response = upload(as_user(owner), file=make_upload(content=b""))
    assert (response.status_code, response.json()["code"]) == (400, "empty_file")
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "  "),
        ("title", "x" * 10_000),
        ("title", "a\0b"),
        ("title", None),
        ("title", []),
        ("title", "\ud800"),
        ("description", "x" * 5001),
        ("category", "Western"),
        ("category", "9" * 40),
        ("category", "a\0b"),
        ("visibility", "SECRET"),
        ("visibility", "\ud800"),
        ("visibility", {}),
        ("is_paid", "perhaps"),
        ("price", "-1"),
        ("price", "1.234"),
        ("price", "NaN"),
        ("price", "1e400"),
        ("price", 10**9),
        ("price", "9" * 5000),
        ("currency", "EURO"),
        ("currency", "E1R"),
        ("currency", "ÄÖÜ"),
        ("file", "not a file"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, owner: User, as_user: SignIn) -> None:
    body = json.dumps({"title": "Holiday", field: value})
    video = make_video(owner)
    for response in (
        as_user(owner).post(VIDEOS, body, content_type="application/json"),
        as_user(owner).patch(f"{VIDEOS}{video.pk}", body, content_type="application/json"),
    ):
        assert response.status_code == 400
        assert response.json()["code"] == "invalid"
        assert isinstance(response.json()[field], list)
    assert Video.objects.get().title == video.title


def test_a_title_is_required(owner: User, as_user: SignIn) -> None:
    response = as_user(owner).post(VIDEOS, {"file": make_upload()}, format="multipart")
    assert (response.status_code, list(response.json())) == (400, ["title", "code"])
    assert original_files() == []


def test_a_paid_video_needs_a_price(owner: User, as_user: SignIn) -> None:
    client = as_user(owner)
    assert "price" in upload(client, is_paid="1").json()
    video = make_video(owner, is_paid=True, price=3)
    assert "price" in client.patch(f"{VIDEOS}{video.pk}", {"price": "0"}, format="json").json()
    assert client.patch(f"{VIDEOS}{video.pk}", {"price": "0", "is_paid": False}, format="json").status_code == 200


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "17", "{", "", "[" * 100_000, '{"title": "x"} trailing'])
def test_a_body_that_is_no_object_is_refused(body: str, owner: User, as_user: SignIn) -> None:
    response = as_user(owner).post(VIDEOS, body, content_type="application/json")
    assert response.status_code == 400
    assert "code" in response.json()


def test_a_failing_database_leaves_no_file(owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr("content_app.services.processing.lifecycle.accept_original", fail)
    with pytest.raises(DatabaseError):
        upload(as_user(owner))
    assert original_files() == []
    assert not Video.objects.exists()


# --- changing --------------------------------------------------------------------------------------------------------


def test_the_owner_changes_the_texts(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, category=make_category("Drama"))
    response = as_user(owner).patch(f"{VIDEOS}{video.public_id}/", {"title": "New", "category": ""}, format="json")
    assert (response.status_code, response.json()["title"], response.json()["category"]) == (200, "New", None)
    assert Video.objects.get().description == video.description


def test_a_change_never_undoes_the_writes_of_a_worker(
    owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker publishes a version between the read and the write of the request."""
    video = make_video(owner, state=State.PROCESSING)
    save = Video.save

    def save_after_the_worker(self: Video, **options: Any) -> None:
        publish_version(self)
        save(self, **options)

    monkeypatch.setattr(Video, "save", save_after_the_worker)
    body = as_user(owner).patch(f"{VIDEOS}{video.pk}/", {"title": "New"}, format="json").json()
    assert (body["title"], body["processing_state"], body["is_playable"]) == ("New", "ready", True)


def test_a_new_file_is_processed_while_the_old_version_plays(
    owner: User, as_user: SignIn, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    upload(as_user(owner))
    video = Video.objects.get()
    publish_version(video)
    old = video.video_file.name
    with django_capture_on_commit_callbacks(execute=True):
        response = as_user(owner).patch(f"{VIDEOS}{video.pk}/", {"file": make_upload("new.mov")}, format="multipart")
    assert (response.json()["processing_state"], response.json()["is_playable"]) == ("pending", True)
    assert enqueued == [video.pk]
    assert Video.objects.get().video_file.name == old
    assert not Discard.objects.filter(prefix=old).exists(), "the original may be needed again"


def test_a_refused_replacement_changes_nothing(owner: User, as_user: SignIn) -> None:
    upload(as_user(owner))
    video = Video.objects.get()
    fields = {"title": "New", "file": make_upload("new.txt")}
    assert as_user(owner).patch(f"{VIDEOS}{video.pk}/", fields, format="multipart").status_code == 400
    assert Video.objects.get().title == video.title
    assert Video.objects.get().video_file == video.video_file
    assert len(original_files()) == 1


@pytest.mark.parametrize(
    ("method", "route"), [("patch", "{}/"), ("delete", "{}/"), ("post", "{}/retry/"), ("patch", "{}")]
)
def test_other_peoples_videos_cannot_be_changed(
    method: str, route: str, owner: User, creator: User, as_user: SignIn
) -> None:
    listed, hidden = make_playable(owner), make_playable(owner, visibility=Visibility.PRIVATE)
    client = as_user(creator)
    answers = [
        getattr(client, method)(f"{VIDEOS}{route.format(video.pk)}", {}, format="json") for video in (listed, hidden)
    ]
    assert [answer.status_code for answer in answers] == [403, 404]
    assert Video.objects.filter(deleted_at=None).count() == 2


def test_line_ends_are_normalized(owner: User, as_user: SignIn) -> None:
    video, client = make_playable(owner), as_user(owner)
    for kind in ("json", "multipart"):
        told = client.patch(f"{VIDEOS}{video.pk}/", {"description": "One\r\nTwo\rThree"}, format=kind)
        assert told.json()["description"] == "One\nTwo\nThree"


# --- deleting and restoring ------------------------------------------------------------------------------------------


def test_a_deleted_video_is_hidden_from_all_until_an_admin_restores_it(
    owner: User, admin: User, as_user: SignIn
) -> None:
    video = make_playable(owner)
    assert as_user(owner).delete(f"{VIDEOS}{video.pk}/").status_code == 204
    assert [as_user(person).get(f"{VIDEOS}{video.pk}/").status_code for person in (owner, admin)] == [404, 404]
    assert as_user(owner).delete(f"{VIDEOS}{video.pk}/").status_code == 404
    Video.objects.update(deleted_at=timezone.now() - timedelta(minutes=UNDO_MINUTES, seconds=1))
    assert as_user(owner).patch(f"{VIDEOS}{video.pk}/restore/").status_code == 403
    assert as_user(admin).patch(f"{VIDEOS}{video.public_id}/restore/").json()["id"] == video.pk
    assert as_user(owner).get(f"{VIDEOS}{video.pk}/").status_code == 200
    assert as_user(admin).patch(f"{VIDEOS}{video.pk}/restore/").status_code == 404


def test_an_owner_restores_a_video_deleted_just_now(owner: User, creator: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    as_user(owner).delete(f"{VIDEOS}{video.pk}/")
    assert as_user(creator).patch(f"{VIDEOS}{video.pk}/restore/").status_code == 403
    assert as_user(owner).patch(f"{VIDEOS}{video.pk}/restore/").json()["id"] == video.pk
    assert as_user(owner).get(f"{VIDEOS}{video.pk}/").status_code == 200
    assert as_user(owner).patch(f"{VIDEOS}{video.pk}/restore/").status_code == 403, "the video is no longer deleted"


def test_an_owner_does_not_restore_a_video_that_staff_deleted(owner: User, admin: User, as_user: SignIn) -> None:
    by_api, in_admin = make_playable(owner), make_playable(owner)
    as_user(admin).delete(f"{VIDEOS}{by_api.pk}/")
    videos.soft_delete(video_id=in_admin.pk)
    for video in (by_api, in_admin):
        assert as_user(owner).patch(f"{VIDEOS}{video.pk}/restore/").status_code == 403
    assert not Video.objects.filter(deleted_at=None).exists()


def test_a_final_error_is_not_retried(owner: User, admin: User, as_user: SignIn, enqueued: list[int]) -> None:
    upload(as_user(owner))
    video = Video.objects.get()
    run = lifecycle.claim(video_id=video.pk)
    assert run
    lifecycle.mark_failed(run=run, error=NotAVideo())
    for person in (owner, admin):
        assert as_user(person).get(f"{VIDEOS}{video.pk}/").json()["can_retry"] is False
        response = as_user(person).post(f"{VIDEOS}{video.pk}/retry/")
        assert (response.status_code, response.json()["code"]) == (409, "cannot_retry")
        assert "replace it by another one" in response.json()["detail"]
    assert (Video.objects.get().state, enqueued) == (State.ERROR, [])


@pytest.mark.parametrize(
    ("error", "can_help"),
    [
        (NotAVideo(), False),
        (SourceMissing(), False),
        (EncoderOverLimit(), False),
        (EncoderFailed(), True),
        (OutOfTime(), True),
        (StorageUnavailable(), True),
        (TranscoderFailed(), True),
    ],
)
def test_retry_is_offered_where_it_can_help(
    error: PipelineError, can_help: bool, owner: User, as_user: SignIn, settings: Any
) -> None:
    settings.MAX_ATTEMPTS = 1
    upload(as_user(owner))
    run = lifecycle.claim(video_id=Video.objects.get().pk)
    assert run
    lifecycle.mark_failed(run=run, error=error)
    assert as_user(owner).get(f"{VIDEOS}{run.video_id}/").json()["can_retry"] is can_help


# --- two editors at once ---------------------------------------------------------------------------------------------


def test_an_edit_over_unseen_changes_is_refused(owner: User, as_user: SignIn) -> None:
    video, client = make_playable(owner), as_user(owner)
    seen = f'"{client.get(f"{VIDEOS}{video.pk}/").json()["updated_at"]}"'
    first = client.patch(f"{VIDEOS}{video.pk}/", {"title": "First"}, format="json", headers={"If-Match": seen})
    assert first.status_code == 200
    second = client.patch(f"{VIDEOS}{video.pk}/", {"title": "Second"}, format="json", headers={"If-Match": seen})
    assert (second.status_code, second.json()["code"]) == (412, "changed_meanwhile")
    assert Video.objects.get().title == "First"
    now = f'"{first.json()["updated_at"]}"'
    again = client.patch(f"{VIDEOS}{video.pk}/", {"title": "Second"}, format="json", headers={"If-Match": now})
    assert again.json()["title"] == "Second"


@pytest.mark.parametrize(
    ("seen", "status"),
    [("*", 200), ("", 200), ('"yesterday"', 412), ('"2026-13-45T00:00:00Z"', 412), ("2026-01-01T00:00:00", 412)],
)
def test_an_invalid_if_match_matches_no_video(seen: str, status: int, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner)
    answer = as_user(owner).patch(f"{VIDEOS}{video.pk}/", {"title": "New"}, format="json", headers={"If-Match": seen})
    assert answer.status_code == status


@pytest.mark.parametrize("state", State)
def test_only_a_failed_video_is_retried(
    state: State, owner: User, as_user: SignIn, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    video = make_in_state(owner, state)
    with django_capture_on_commit_callbacks(execute=True):
        response = as_user(owner).post(f"{VIDEOS}{video.pk}/retry/")
    if state == State.ERROR:
        assert (response.status_code, response.json()["processing_state"]) == (200, "pending")
        assert enqueued == [video.pk]
    else:
        assert (response.status_code, response.json()["code"]) == (409, "cannot_retry")
        assert enqueued == []
