"""The form of a video in Django admin, and the lists of categories and favourites."""

import errno
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client

from content_app.models import Category, Favorite, Video
from content_app.states import State
from content_app.tests.factories import (
    make_category,
    make_playable,
    make_upload,
    make_video,
    original_files,
    publish_version,
)
from users_app.models import User

LIST = "/admin/content_app/video/"
AS_SCRIPT = {"Accept": "application/json"}

pytestmark = pytest.mark.usefixtures("enqueued")


def fields(**changes: Any) -> dict[str, Any]:
    return {"title": "Holiday", "visibility": "PUBLIC", "price": "0", "currency": "EUR", **changes}


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def test_staff_upload_a_video_and_own_it(
    staff: Client, admin: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(f"{LIST}add/", fields(video_file=make_upload("film.mkv"), currency="chf"))
    video = Video.objects.get()
    assert response.status_code == 302
    assert (video.owner, video.state, video.currency) == (admin, State.PENDING, "CHF")
    assert (video.original_name, video.original_bytes) == ("film.mkv", 17)
    assert enqueued == [video.pk]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "video_file"),
        ({"video_file": make_upload("notes.txt")}, "video_file"),
        ({"video_file": make_upload(content=b"")}, "video_file"),
        ({"video_file": make_upload(), "title": "x" * 201}, "title"),
        ({"video_file": make_upload(), "price": "-1"}, "price"),
        ({"video_file": make_upload(), "is_paid": "on"}, "price"),
        ({"video_file": make_upload(), "currency": "E1R"}, "currency"),
        ({"video_file": make_upload(), "owner": "999"}, "owner"),
        ({"video_file": make_upload(), "owner": "9" * 30}, "owner"),
        ({"video_file": make_upload(), "owner": "x"}, "owner"),
        ({"video_file": make_upload(), "category": "9" * 30}, "category"),
        ({"video_file": make_upload(), "title": "null \0 byte"}, "title"),
        ({"video_file": make_upload(), "description": "x" * 5001}, "description"),
        ({"video_file": make_upload(), "price": "1e400"}, "price"),
        ({"video_file": make_upload(), "visibility": "SECRET"}, "visibility"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(changes: dict[str, Any], field: str, staff: Client) -> None:
    response = staff.post(f"{LIST}add/", fields(**changes))
    assert response.status_code == 200
    assert list(errors(response)) == [field]
    assert not Video.objects.exists()
    assert original_files() == []


def test_a_change_writes_only_the_changed_fields(
    staff: Client, owner: User, enqueued: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker publishes a version after the form has read the row, and before it saves it."""
    video = make_video(owner, state=State.PROCESSING)
    save = Video.save

    def save_after_the_worker(self: Video, **options: Any) -> None:
        publish_version(self)
        save(self, **options)

    monkeypatch.setattr(Video, "save", save_after_the_worker)
    response = staff.post(f"{LIST}{video.pk}/change/", fields(title="New", owner=owner.pk))
    assert response.status_code == 302
    changed = Video.objects.get()
    assert (changed.title, changed.state, changed.folder) == ("New", State.READY, "v1")
    assert enqueued == []


def test_a_new_file_is_processed(
    staff: Client, owner: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    video = make_playable(owner)
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(f"{LIST}{video.pk}/change/", fields(owner=owner.pk, video_file=make_upload("new.mov")))
    changed = Video.objects.get()
    assert changed.run
    assert (changed.state, changed.run.name, changed.folder) == (State.PENDING, "new.mov", "v1")
    assert changed.original_name == video.original_name, "until the new file plays"
    assert enqueued == [video.pk]


def test_if_two_files_are_sent_the_last_one_counts(staff: Client) -> None:
    staff.post(f"{LIST}add/", fields(video_file=[make_upload("first.mp4"), make_upload("second.mov")]))
    assert Video.objects.get().original_name == "second.mov"
    assert len(original_files()) == 1


def test_an_upload_leads_to_the_page_of_the_video(staff: Client) -> None:
    response = staff.post(f"{LIST}add/", fields(video_file=make_upload()))
    assert response.headers["Location"] == f"{LIST}{Video.objects.get().pk}/change/"


# --- For the script that shows the progress of an upload ---


def test_a_script_gets_the_address_and_the_message_is_kept(staff: Client) -> None:
    response = staff.post(f"{LIST}add/", fields(video_file=make_upload()), headers=AS_SCRIPT)
    page = f"{LIST}{Video.objects.get().pk}/change/"
    assert (response.status_code, response.json()) == (201, {"location": page})
    assert "was added successfully" in staff.get(page).content.decode()


def test_a_script_gets_the_errors_by_field(staff: Client) -> None:
    response = staff.post(f"{LIST}add/", fields(title="", video_file=make_upload("a.txt")), headers=AS_SCRIPT)
    assert response.status_code == 400
    assert response.json()["title"] == ["This field is required."]
    assert response.json()["video_file"][0].startswith("Upload a video file:")
    assert (response.json()["code"], bool(response.json()["detail"])) == ("invalid", True)


def test_a_change_is_answered_to_a_script_in_json_too(staff: Client, owner: User) -> None:
    video = make_video(owner)
    upload = fields(owner=owner.pk, video_file=make_upload(), _continue="1")
    response = staff.post(f"{LIST}{video.pk}/change/", upload, headers=AS_SCRIPT)
    assert (response.status_code, response.json()) == (201, {"location": f"{LIST}{video.pk}/change/"})


def test_a_form_whose_declared_length_is_too_large_is_refused_with_a_sentence(staff: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 1
    response = staff.post(f"{LIST}add/", fields(video_file=make_upload(content=b"x" * 2_200_000)), headers=AS_SCRIPT)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


# --- When the file cannot be stored ---


@pytest.mark.parametrize("headers", [{}, AS_SCRIPT])
def test_a_disk_that_fills_up_while_a_file_arrives_keeps_the_form(
    headers: dict[str, str], staff: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: TemporaryUploadedFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryUploadedFile, "write", fail, raising=False)
    response = staff.post(f"{LIST}add/", fields(title="Kept", video_file=make_upload()), headers=headers)
    assert_not_kept(response, "no room left")


@pytest.mark.parametrize(("error", "sentence"), [(errno.ENOSPC, "no room left"), (errno.EROFS, "cannot be written to")])
@pytest.mark.parametrize("headers", [{}, AS_SCRIPT])
def test_a_storage_that_refuses_the_file_keeps_the_form(
    headers: dict[str, str], error: int, sentence: str, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise OSError(error, "no")

    monkeypatch.setattr(FileSystemStorage, "_save", fail)
    response = staff.post(f"{LIST}add/", fields(title="Kept", video_file=make_upload()), headers=headers)
    assert_not_kept(response, sentence)


def assert_not_kept(response: Any, sentence: str) -> None:
    if response.status_code == 400:
        said = response.json()["video_file"]
    else:
        assert response.status_code == 200
        assert 'value="Kept"' in response.content.decode()
        said = errors(response)["video_file"]
    assert sentence in said[0]
    assert not Video.objects.exists()
    assert original_files() == []


# --- Categories and favourites ---


def test_a_category_gets_a_unique_slug(staff: Client) -> None:
    add = "/admin/content_app/category/add/"
    assert staff.post(add, {"name": "Sci Fi", "slug": "", "position": "1"}).status_code == 302
    taken = staff.post(add, {"name": "Sci-Fi", "slug": "", "position": "2"})
    assert list(errors(taken)) == ["slug"]
    assert staff.post(add, {"name": "科幻", "slug": "", "position": "3"}).status_code == 302
    assert Category.objects.count() == 2


def test_favourites_and_categories_are_listed(staff: Client, owner: User) -> None:
    Favorite.objects.create(user=owner, video=make_playable(owner, category=make_category("Drama")))
    for model in ("favorite", "category"):
        assert staff.get(f"/admin/content_app/{model}/").status_code == 200
        assert staff.get(f"/admin/content_app/{model}/add/").status_code == 200


def test_users_who_are_not_staff_are_redirected_to_the_sign_in_page(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get(LIST).status_code == 302
    assert client.get("/admin").headers["Location"] == "/admin/"
