"""Uploads that are too large, cut off or broken leave nothing behind."""

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from content_app.api.uploads.forms import OTHER_FIELDS_BYTES
from content_app.input_rules import MEGABYTE
from content_app.models import Video
from content_app.services.uploads import half_received
from content_app.tests.factories import make_playable, make_upload, original_files
from media_pipeline.errors import StorageUnavailable
from users_app.models import User

SignIn = Callable[[User], APIClient]
Fault = Callable[[Path, pytest.MonkeyPatch], None]
VIDEOS = "/api/v1/videos/"
BOUNDARY = "the-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture(autouse=True)
def incoming(settings: Any, tmp_path: Path) -> Path:
    """Where unfinished uploads lie; every upload goes there, however small."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = folder
    settings.MAX_UPLOAD_MB = 1
    return folder


def form(content: bytes, *, closing: bytes = f"\r\n--{BOUNDARY}--\r\n".encode()) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nHoliday\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="holiday.mp4"\r\n'
        "Content-Type: video/mp4\r\n\r\n"
    ).encode() + content + closing  # fmt: skip


def nothing_is_left(incoming: Path) -> bool:
    return not Video.objects.exists() and original_files() == [] and list(incoming.iterdir()) == []


def test_a_whole_upload_is_taken(owner: User, as_user: SignIn, incoming: Path) -> None:
    response = as_user(owner).post(VIDEOS, form(b"x" * 200_000), content_type=FORM)
    assert response.status_code == 201
    assert [path.stat().st_size for path in original_files()] == [200_000]
    assert list(incoming.iterdir()) == []


@pytest.mark.parametrize("closing", [f"\r\n--{BOUNDARY}--".encode(), f"\r\n--{BOUNDARY}--\r\nepilogue".encode()])
def test_a_closing_boundary_may_be_followed_by_any_bytes(closing: bytes, owner: User, as_user: SignIn) -> None:
    assert as_user(owner).post(VIDEOS, form(b"film", closing=closing), content_type=FORM).status_code == 201


@pytest.mark.parametrize("size", [0, 10, 65_536 - 250, 200_000])
@pytest.mark.parametrize("closing", [b"", b"\r\n", b"\r\n--the-bound", b"\r\n--the-boundary", b"\r\n--the-boundary-"])
def test_an_upload_without_its_end_is_refused(
    size: int, closing: bytes, owner: User, as_user: SignIn, incoming: Path
) -> None:
    response = as_user(owner).post(VIDEOS, form(b"x" * size, closing=closing), content_type=FORM)
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert nothing_is_left(incoming)


class BrokenLine(io.BytesIO):
    """A client that goes away: the rest of the declared length never comes."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise ConnectionResetError
        return data


def post_from(body: BrokenLine, client: APIClient, *, declared_bytes: int) -> Any:
    environ: Any = {"CONTENT_LENGTH": str(declared_bytes), "wsgi.input": body}
    return client.generic("POST", VIDEOS, content_type=FORM, **environ)


def test_a_client_that_goes_away_leaves_nothing(owner: User, as_user: SignIn, incoming: Path) -> None:
    body = form(b"x" * 100_000, closing=b"")
    response = post_from(BrokenLine(body), as_user(owner), declared_bytes=len(body) + 500_000)
    assert response.status_code == 400
    assert nothing_is_left(incoming)


def test_a_second_file_that_is_cut_off_takes_the_first_with_it(owner: User, as_user: SignIn, incoming: Path) -> None:
    body = form(b"x" * 100_000, closing=b"\r\n") + form(b"y" * 100_000, closing=b"")
    assert as_user(owner).post(VIDEOS, body, content_type=FORM).status_code == 400
    assert nothing_is_left(incoming)


def test_an_upload_with_too_large_a_declared_length_is_refused_unread(
    owner: User, as_user: SignIn, incoming: Path
) -> None:
    unread = BrokenLine(b"")
    response = post_from(unread, as_user(owner), declared_bytes=MEGABYTE + OTHER_FIELDS_BYTES + 1)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert "1 MB" in response.json()["detail"]
    assert nothing_is_left(incoming)


@pytest.mark.parametrize(("size", "status"), [(MEGABYTE, 201), (MEGABYTE + 1, 413)])
def test_the_limit_is_exact(size: int, status: int, owner: User, as_user: SignIn, incoming: Path) -> None:
    response = as_user(owner).post(VIDEOS, form(b"x" * size), content_type=FORM)
    assert response.status_code == status
    assert status == 201 or (response.json()["code"] == "too_large" and nothing_is_left(incoming))


def test_a_full_disk_is_reported_and_nothing_is_left(
    owner: User, as_user: SignIn, incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: TemporaryUploadedFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryUploadedFile, "write", fail, raising=False)
    response = as_user(owner).post(VIDEOS, form(b"x" * 100_000), content_type=FORM)
    assert (response.status_code, response.json()["code"]) == (507, "insufficient_storage")
    assert nothing_is_left(incoming)


# --- a folder that cannot be written to ------------------------------------------------------------------------------


def read_only(incoming: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)


def cannot_be_made(incoming: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    incoming.rmdir()
    incoming.touch()


def unmounted(incoming: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    incoming.rmdir()
    monkeypatch.setattr(django_settings, "MEDIA_ROOT", incoming / "away")


def fails_while_bytes_come(incoming: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: TemporaryUploadedFile, data: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(TemporaryUploadedFile, "write", fail, raising=False)


FAULTS = [read_only, cannot_be_made, unmounted, fails_while_bytes_come]
ADD = "/admin/content_app/video/add/"
FIELDS = {"title": "Kept", "visibility": "PUBLIC", "price": "0", "currency": "EUR"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("method", "route"), [("POST", ""), ("PATCH", "{}/"), ("PUT", "{}/poster/"), ("POST", "{}/captions/en/")]
)
def test_a_folder_that_cannot_be_written_to_is_the_storage_being_away(
    method: str, route: str, fault: Fault, owner: User, as_user: SignIn, incoming: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    video = make_playable(owner)
    fault(incoming, monkeypatch)
    body: Any = form(b"x" * 100_000)  # the type stubs of this client know texts only
    answer = as_user(owner).generic(method, VIDEOS + route.format(video.pk), body, content_type=FORM)
    assert answer.status_code == 503
    assert answer.json() == {"detail": StorageUnavailable.sentence, "code": "storage_unavailable"}
    assert Video.objects.count() == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("size", [100_000, OTHER_FIELDS_BYTES])
def test_the_admins_form_says_that_the_file_was_not_stored_and_keeps_its_fields(
    size: int, fault: Fault, admin: User, staff: Client, incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(incoming, monkeypatch)
    answers = [
        staff.post(ADD, {**FIELDS, "owner": admin.pk, "video_file": make_upload(content=bytes(size))}, headers=headers)
        for headers in ({}, {"Accept": "application/json"})
    ]
    page = answers[0].content.decode()
    assert StorageUnavailable.sentence in page
    assert 'value="Kept"' in page
    assert (answers[1].status_code, answers[1].json()["video_file"]) == (400, [StorageUnavailable.sentence])
    assert not Video.objects.exists()


def test_a_folder_that_was_removed_is_made_again(owner: User, as_user: SignIn, incoming: Path) -> None:
    incoming.rmdir()
    assert as_user(owner).post(VIDEOS, form(b"x" * 100_000), content_type=FORM).status_code == 201
    incoming.rmdir()
    assert half_received.sweep_incoming() == 0


def test_an_original_that_cannot_be_moved_to_its_place_is_the_storage_being_away(
    owner: User, as_user: SignIn, incoming: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileSystemStorage, "_save", refuse)
    answer = as_user(owner).post(VIDEOS, form(b"film"), content_type=FORM)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert nothing_is_left(incoming)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=", "text/plain"])
def test_a_body_that_cannot_be_read_is_refused(content_type: str, owner: User, as_user: SignIn) -> None:
    response = as_user(owner).post(VIDEOS, form(b"film"), content_type=content_type)
    assert response.status_code in (400, 415)
    assert "code" in response.json()
    assert not Video.objects.exists()


def test_the_admins_form_has_the_same_limits(admin: User, client: Client, incoming: Path) -> None:
    client.force_login(admin)
    path = "/admin/content_app/video/add/"
    too_large = client.post(
        path, {"title": "Big", "video_file": make_upload(content=b"x" * 3 * MEGABYTE)}, headers={"Accept": "text/html"}
    )
    assert (too_large.status_code, too_large["Content-Type"]) == (413, "text/plain")
    cut_off = client.post(path, form(b"x" * 100_000, closing=b""), content_type=FORM)
    assert cut_off.status_code == 400
    assert nothing_is_left(incoming)


@pytest.mark.parametrize("path", ["/admin/login/", "/users/login/", "/login/", "/admin/content_app/category/add/"])
@pytest.mark.parametrize("content_type", [FORM, FORM.replace("form-data", "*"), FORM.upper()])
def test_a_stranger_cannot_have_a_file_stored_by_sending_it_elsewhere(
    client: Client, path: str, content_type: str, db: None
) -> None:
    """The CSRF check would read the form, and so store its file, before anyone is known."""
    answer = client.post(path, form(b"x" * (OTHER_FIELDS_BYTES + 1)), content_type=content_type)
    assert answer.status_code == 413


@pytest.mark.parametrize("content_type", ["multipart/*; boundary={}", "multipart/mixed; boundary={}"])
def test_a_form_that_only_pretends_to_have_files_may_not_be_large(
    content_type: str, owner: User, as_user: SignIn
) -> None:
    boundary = FORM.partition("boundary=")[2]
    answer = as_user(owner).post(
        VIDEOS, form(b"x" * (OTHER_FIELDS_BYTES + 1)), content_type=content_type.format(boundary)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_staff_may_send_large_files_to_the_admin(client: Client, admin: User, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 4
    client.force_login(admin)
    body = form(b"x" * (OTHER_FIELDS_BYTES + 1))
    answer = client.post("/admin/content_app/video/add/", body, content_type=FORM)
    assert answer.status_code == 200, "the form says what is missing"


@pytest.mark.parametrize("path", ["video", "video/", "video/add/", "video/add", "video/1/change/"])
@pytest.mark.parametrize("kind", ["form-data", "*"])
def test_a_strangers_form_for_a_film_is_not_read(client: Client, path: str, kind: str, db: None) -> None:
    client.cookies["csrftoken"] = "a" * 32
    unread: Any = {"CONTENT_LENGTH": "900000", "wsgi.input": BrokenLine(b"")}
    content_type = f"multipart/{kind}; boundary=x"
    answer = client.generic("POST", f"/admin/content_app/{path}", content_type=content_type, **unread)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/?next=")
