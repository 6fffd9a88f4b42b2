"""The admin form of a video whose file was uploaded directly."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from content_app.models import DirectUpload, Discard, Video
from content_app.services.storage import discards
from content_app.services.uploads import direct_uploads
from content_app.states import State
from content_app.tests.conftest import assert_one_whole
from content_app.tests.factories import make_playable, make_run
from users_app.models import User

ADD = "/admin/content_app/video/add/"
SIGN = "/api/v1/upload/videos/sign/"
FIELDS = {"title": "Brought", "description": "", "visibility": "PUBLIC", "price": "0", "currency": "EUR"}
JSON = {"accept": "application/json"}

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture
def to_check(to_check: list[int], commits_at_once: None) -> list[int]:
    return to_check


def bring(person: User, *, has_arrived: bool = True) -> DirectUpload:
    upload = direct_uploads.announce(owner=person, name="Holiday.mp4", size_bytes=5)
    if has_arrived:
        direct_uploads.mark_arrived(upload=upload)
    return upload


def change_page(video: Video) -> str:
    return f"/admin/content_app/video/{video.pk}/change/"


def send(staff: Client, path: str, upload: DirectUpload | str, **fields: Any) -> Any:
    key = upload if isinstance(upload, str) else upload.key
    return staff.post(path, {**FIELDS, "upload_key": key, **fields}, headers=JSON)


def test_a_new_video_gets_its_file_once_it_is_checked(
    staff: Client, admin: User, owner: User, to_check: list[int]
) -> None:
    upload = bring(admin)
    answer = send(staff, ADD, upload, owner=owner.pk)
    video = Video.objects.get()
    assert (answer.status_code, answer.json()["location"]) == (201, change_page(video))
    assert (video.public_id, video.owner, video.state) == (upload.public_id, owner, State.UPLOADING)
    assert video.original_name == "Holiday.mp4"
    upload.refresh_from_db()
    assert (upload.video, to_check) == (video, [upload.pk])


@pytest.mark.django_db(transaction=True)
def test_the_check_is_queued_after_the_form_is_committed(
    staff: Client, admin: User, owner: User, checks_seen: list[Any]
) -> None:
    """The admin saves in one transaction: a check that is enqueued within it would find an upload without a video."""
    assert send(staff, ADD, bring(admin), owner=owner.pk).status_code == 201
    assert_one_whole(checks_seen, "Brought")


def test_a_file_that_is_still_arriving_is_checked_later(staff: Client, admin: User, to_check: list[int]) -> None:
    upload = bring(admin, has_arrived=False)
    assert send(staff, ADD, upload, owner=admin.pk).status_code == 201
    upload.refresh_from_db()
    assert upload.video is not None
    assert to_check == []


def test_a_video_keeps_its_original_until_the_new_file_is_checked(
    staff: Client, admin: User, owner: User, to_check: list[int]
) -> None:
    video = make_playable(owner)
    upload = bring(admin)
    assert send(staff, change_page(video), upload, owner=owner.pk).status_code == 201
    video.refresh_from_db()
    assert (video.state, video.title) == (State.READY, "Brought")
    assert to_check == [upload.pk]


@pytest.mark.parametrize("whose", ["somebody else's", "unknown", "used"])
def test_a_file_of_another_user_is_an_error_of_the_form(
    staff: Client, admin: User, owner: User, to_check: list[int], whose: str
) -> None:
    upload: DirectUpload | str = "originals/of/nobody.mp4"
    if whose != "unknown":
        upload = bring(owner if whose == "somebody else's" else admin)
    if whose == "used":
        send(staff, ADD, upload, owner=admin.pk)
    answer = send(staff, ADD, upload, owner=admin.pk)
    assert answer.status_code == 400
    assert "no longer there" in answer.json()["video_file"][0]
    assert Video.objects.count() == (whose == "used")


def test_a_new_video_needs_a_file_or_an_upload(staff: Client, admin: User) -> None:
    assert send(staff, ADD, "", owner=admin.pk).json()["video_file"] == ["This field is required."]


def test_deleting_a_video_removes_an_original_outside_its_folder(owner: User) -> None:
    video = make_playable(owner, original="originals/other/a.mp4")
    make_run(video, original="originals/another/b.mp4")
    discards.discard_video(video=video)
    assert set(Discard.objects.values_list("prefix", flat=True)) == {
        *("originals/other/a.mp4", "originals/another/b.mp4"),
        *(f"originals/{video.public_id}", f"videos/{video.public_id}"),
    }


# --- The session of the admin site at the upload routes --------------------------------------------------------------


def signed(client: Client, *, token: str | None) -> int:
    headers = {} if token is None else {"X-CSRFToken": token}
    body = {"method": "POST", "key": "film.mp4"}
    return client.post(SIGN, body, content_type="application/json", headers=headers).status_code


@pytest.mark.usefixtures("_on_bucket")
def test_staff_upload_files_with_the_session_and_token_of_the_admin_site(admin: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin)
    browser.get(ADD)
    token = browser.cookies["csrftoken"].value
    assert signed(browser, token=None) == 401
    assert signed(browser, token="x" * 32) == 403
    assert signed(browser, token=token) == 200
    assert DirectUpload.objects.get().owner == admin


@pytest.mark.usefixtures("_on_bucket")
def test_a_session_of_a_user_who_is_not_staff_does_not_count(owner: User) -> None:
    browser = Client()
    browser.force_login(owner)
    assert signed(browser, token="x" * 32) == 401


@pytest.mark.usefixtures("_on_bucket")
def test_the_session_opens_the_upload_routes_only(admin: User) -> None:
    browser = APIClient()
    browser.force_login(admin)
    assert browser.get("/content/", headers={"X-CSRFToken": "x" * 32}).status_code == 401
