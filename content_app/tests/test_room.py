"""A small disk: announced files have to fit beside others that were announced, and a reserve is never touched."""

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.api.uploads import forms
from content_app.api.uploads.forms import CHUNK_TYPE
from content_app.input_rules import MEGABYTE
from content_app.models import DirectUpload, Run, Video
from content_app.services.processing import encoding, lifecycle
from content_app.services.processing.encode_settings import plan_settings
from content_app.services.storage import disk_space, work_folder
from content_app.services.uploads import direct_uploads, half_received
from content_app.states import State
from content_app.tests.factories import make_upload, make_video, original_files
from content_app.tests.test_tus import V1, begin, begun, head, metadata, offset_of, patch, said
from content_app.tests.test_uploads import BOUNDARY, FORM, form
from media_pipeline.errors import StorageUnavailable
from media_pipeline.pipeline import Job, Made
from media_pipeline.tests.reports import probed
from users_app.models import User

SignIn = Callable[[User], APIClient]
DISK, RESERVE = 10 * MEGABYTE, 2 * MEGABYTE
ADD = "/admin/content_app/video/add/"
VIDEOS = "/api/v1/videos/"
NO_ROOM = (507, "insufficient_storage")

pytestmark = pytest.mark.usefixtures("enqueued", "disk")


class Disk:
    """A disk of ten megabytes, some taken by the folders of the test and by `others`."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self.others = 0

    def usage(self, _: Path) -> Any:
        blocks = sum(path.lstat().st_blocks for folder in self.folders for path in folder.rglob("*") if path.is_file())
        used = blocks * disk_space.BLOCK_BYTES + self.others
        return SimpleNamespace(total=DISK, used=used, free=DISK - used)


@pytest.fixture
def disk(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    settings.DISK_RESERVE_MB = RESERVE // MEGABYTE
    small = Disk(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", small.usage)
    return small


@pytest.fixture
def creators(as_user: SignIn, owner: User) -> APIClient:
    return as_user(owner)


# --- the reserve -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen_mb", "disk_mb", "expected_mb"),
    [(None, 400, 40), (None, 5_000, 500), (None, 2_000_000, 1024), (64, 400, 64), (0, 400, 0)],
)
def test_the_reserve_is_the_setting_or_a_share_of_the_disk(
    chosen_mb: int | None, disk_mb: int, expected_mb: int, settings: Any
) -> None:
    settings.DISK_RESERVE_MB = chosen_mb
    assert disk_space.reserve_bytes(disk_mb * MEGABYTE) == expected_mb * MEGABYTE


# --- announcing ------------------------------------------------------------------------------------------------------


def test_an_upload_that_would_touch_the_reserve_is_refused(creators: APIClient) -> None:
    fits = DISK - RESERVE
    assert said(begin(creators, fits + 1, title="Large")) == NO_ROOM
    assert (DirectUpload.objects.exists(), Video.objects.exists()) == (False, False)
    assert list(disk_space.arriving_folder().glob("*")) == []
    assert begin(creators, fits).status_code == 201


def test_room_that_is_promised_to_other_uploads_counts_as_taken(
    creators: APIClient, as_user: SignIn, creator: User
) -> None:
    first = begun(as_user(creator), 5 * MEGABYTE)
    assert said(begin(creators, 4 * MEGABYTE)) == NO_ROOM
    patch(as_user(creator), first, bytes(3 * MEGABYTE))
    # Received bytes are not counted twice: three megabytes are on the disk, two are still to come.
    assert said(begin(creators, 4 * MEGABYTE)) == NO_ROOM
    assert begin(creators, 3 * MEGABYTE).status_code == 201


def test_no_room_is_kept_for_an_upload_that_has_been_silent_for_long(
    creators: APIClient, as_user: SignIn, creator: User
) -> None:
    begun(as_user(creator), 5 * MEGABYTE)
    assert said(begin(creators, 5 * MEGABYTE)) == NO_ROOM
    long_ago = time.time() - disk_space.SILENT_S - 1
    os.utime(disk_space.arriving_path(DirectUpload.objects.get().public_id), (long_ago, long_ago))
    assert begin(creators, 5 * MEGABYTE).status_code == 201


def test_cancelled_and_late_uploads_take_no_room(creators: APIClient) -> None:
    first = begun(creators, 5 * MEGABYTE)
    creators.delete(first, headers=V1)
    begun(creators, 5 * MEGABYTE)
    assert said(begin(creators, 5 * MEGABYTE)) == NO_ROOM
    DirectUpload.objects.update(expires_at=timezone.now())
    assert begin(creators, 5 * MEGABYTE).status_code == 201


def test_with_buckets_the_disk_is_not_asked(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (direct_uploads, disk_space):
        monkeypatch.setattr(module, "is_in_bucket", lambda: True)
    direct_uploads.announce(owner=owner, size_bytes=100 * MEGABYTE)
    assert disk_space.promised_bytes() == 0


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


def post_form(client: APIClient, body: io.BytesIO, size: int, path: str = VIDEOS, method: str = "POST") -> Any:
    environ: Any = {"CONTENT_LENGTH": str(size), "wsgi.input": body}
    return client.generic(method, path, content_type=FORM, **environ)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_form_is_refused_by_its_length(method: str, creators: APIClient, owner: User) -> None:
    path = f"{VIDEOS}{make_video(owner).pk}/" if method == "PATCH" else VIDEOS
    body = io.BytesIO(form(bytes(100_000), closing=b""))
    answer = post_form(creators, body, DISK - RESERVE + 1, path, method)
    assert (answer.status_code, answer.json()["code"]) == NO_ROOM
    assert body.tell() <= 2 * 64 * 1024, "hardly any of the body was read"
    assert (original_files(), list(Path(django_settings.FILE_UPLOAD_TEMP_DIR).iterdir())) == ([], [])


class Watched(io.BytesIO):
    """A body that calls a function when half of it has been read."""

    def __init__(self, body: bytes, question: Callable[[], object]) -> None:
        super().__init__(body)
        self.question: Callable[[], object] | None = question

    def read(self, size: int | None = -1) -> bytes:
        if self.question and self.tell() > len(self.getbuffer()) // 2:
            question, self.question = self.question, None
            question()
        return super().read(size)


def test_an_unfinished_form_counts_with_its_missing_bytes(creators: APIClient) -> None:
    said_meanwhile: list[Any] = []

    def begin_another() -> None:
        said_meanwhile.append(said(begin(creators, 4 * MEGABYTE)))  # five megabytes are promised to the form
        said_meanwhile.append(begin(creators, 2 * MEGABYTE).status_code)

    body = form(bytes(5 * MEGABYTE))
    assert post_form(creators, Watched(body, begin_another), len(body)).status_code == 201
    assert said_meanwhile == [NO_ROOM, 201]
    assert [path.stat().st_size for path in original_files()] == [5 * MEGABYTE]


def test_a_form_without_a_file_needs_no_room(creators: APIClient, staff: Client, owner: User, disk: Disk) -> None:
    disk.others = DISK
    video = make_video(owner)
    head, tail = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\n', f"\r\n--{BOUNDARY}--\r\n"
    body = f"{head}Renamed{tail}".encode()
    assert creators.patch(f"{VIDEOS}{video.pk}/", body, content_type=FORM).status_code == 200
    fields = {"title": "Again", "owner": owner.pk, "visibility": "PUBLIC", "price": "0", "currency": "EUR"}
    answer = staff.post(f"/admin/content_app/video/{video.pk}/change/", fields, headers={"Accept": "application/json"})
    assert answer.status_code == 201
    video.refresh_from_db()
    assert video.title == "Again"


def test_the_script_of_the_admin_site_gets_its_refusal_before_the_body_is_read(staff: Client) -> None:
    environ: Any = {"CONTENT_LENGTH": str(DISK), "CONTENT_TYPE": FORM, "wsgi.input": Unread()}
    answer = staff.generic("POST", ADD, headers={"Accept": "application/json"}, **environ)
    assert (answer.status_code, answer.json()["code"]) == NO_ROOM
    assert "no room" in answer.json()["detail"]


def test_the_refused_form_of_the_admin_site_keeps_its_fields(staff: Client, owner: User, disk: Disk) -> None:
    disk.others = DISK
    fields = {"title": "Kept", "owner": owner.pk, "visibility": "PUBLIC", "price": "0", "currency": "EUR"}
    answer = staff.post(ADD, {**fields, "video_file": make_upload()})
    page = answer.content.decode()
    assert "no room left" in page
    assert 'value="Kept"' in page
    assert (Video.objects.exists(), original_files()) == (False, [])


def test_a_user_sends_a_limited_number_of_forms_at_once(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_FORMS", 1)
    second: list[Any] = []
    body = form(bytes(200_000))

    def send_another() -> None:
        second.append(creators.post(VIDEOS, body, content_type=FORM))

    assert post_form(creators, Watched(body, send_another), len(body)).status_code == 201
    assert [(answer.status_code, answer.json()["code"]) for answer in second] == [(409, "too_many_uploads")]
    assert creators.post(VIDEOS, body, content_type=FORM).status_code == 201


# --- while bytes come ------------------------------------------------------------------------------------------------


def test_a_chunk_stops_before_the_reserve_and_goes_on_when_there_is_room(creators: APIClient, disk: Disk) -> None:
    url = begun(creators, 4 * MEGABYTE)
    disk.others = 5 * MEGABYTE  # taken after the announcement
    assert said(patch(creators, url, bytes(4 * MEGABYTE))) == NO_ROOM
    came = offset_of(creators, url)
    assert 2 * MEGABYTE < came <= 3 * MEGABYTE
    assert disk_space.left_bytes(django_settings.MEDIA_ROOT) >= 0
    assert head(creators, url).status_code == 200
    disk.others = 0
    assert patch(creators, url, bytes(4 * MEGABYTE - came), came).status_code == 204
    assert [path.stat().st_size for path in original_files()] == [4 * MEGABYTE]


def test_a_form_stops_before_the_reserve_and_leaves_nothing(creators: APIClient, disk: Disk) -> None:
    def fill() -> None:
        disk.others = 6 * MEGABYTE

    body = form(bytes(4 * MEGABYTE))
    answer = post_form(creators, Watched(body, fill), len(body))
    assert (answer.status_code, answer.json()["code"]) == NO_ROOM
    assert (original_files(), list(Path(django_settings.FILE_UPLOAD_TEMP_DIR).iterdir())) == ([], [])
    assert not Video.objects.exists()


def test_an_upload_that_runs_out_of_room_while_it_begins_leaves_nothing(creators: APIClient, disk: Disk) -> None:
    headers = {**V1, "Upload-Length": str(2 * MEGABYTE), "Upload-Metadata": metadata(filename="film.mp4")}

    def fill() -> None:
        disk.others = 7 * MEGABYTE

    environ: Any = {"CONTENT_LENGTH": str(2 * MEGABYTE), "wsgi.input": Watched(bytes(2 * MEGABYTE), fill)}
    answer = creators.generic("POST", "/api/v1/upload/tus/", content_type=CHUNK_TYPE, headers=headers, **environ)
    assert said(answer) == NO_ROOM
    assert (DirectUpload.objects.exists(), list(disk_space.arriving_folder().iterdir())) == (False, [])


# --- giving up -------------------------------------------------------------------------------------------------------


def test_cancelling_makes_room_before_the_database_is_changed(
    creators: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(creators, 4)
    patch(creators, url, b"fi")

    def fail(*, upload: DirectUpload) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(direct_uploads, "cancel", fail)
        assert creators.delete(url, headers=V1).status_code == 503
    assert list(disk_space.arriving_folder().iterdir()) == []
    assert creators.delete(url, headers=V1).status_code == 204
    assert not DirectUpload.objects.exists()


MAKE_HALF = """
import fcntl, sys, time
file = open(sys.argv[1], "wb")
fcntl.flock(file, fcntl.LOCK_EX)
file.truncate(6 * 1024 * 1024)
print(flush=True)
time.sleep(1000)
"""


def test_a_form_keeps_its_room_and_its_place_while_its_process_lives(
    creators: APIClient, owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "MOST_FORMS", 1)
    half = Path(settings.FILE_UPLOAD_TEMP_DIR, f"{owner.pk}-half.upload")
    body = form(bytes(1000))
    with subprocess.Popen([sys.executable, "-c", MAKE_HALF, half], stdout=subprocess.PIPE) as web:
        try:
            assert web.stdout
            web.stdout.readline()
            assert said(begin(creators, 3 * MEGABYTE)) == NO_ROOM
            assert creators.post(VIDEOS, body, content_type=FORM).json()["code"] == "too_many_uploads"
            os.utime(half, (0, time.time() - 3600))
            assert half_received.sweep_incoming() == 0
        finally:
            web.kill()
    assert begin(creators, 3 * MEGABYTE).status_code == 201
    assert creators.post(VIDEOS, body, content_type=FORM).status_code == 201
    assert half_received.sweep_incoming() == 1
    assert not half.exists()


def test_a_new_file_is_left_to_its_process(settings: Any) -> None:
    Path(settings.FILE_UPLOAD_TEMP_DIR, "1-new.upload").touch()
    assert half_received.sweep_incoming() == 0


# --- workers ---------------------------------------------------------------------------------------------------------


def test_an_encoder_is_ended_before_the_reserve_and_the_film_waits(
    owner: User, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = probed(width=64, height=48)
    video = make_video(owner, state=State.PENDING, report=small, settings=plan_settings().to_json())
    was_there_when_failing: list[Path] = []

    def encode(job: Job) -> Made:
        with (job.work / "rung.mp4").open("wb") as rung:
            for _ in range(10):
                rung.write(bytes(MEGABYTE))
                rung.flush()
                job.report(None)
        raise AssertionError("the disk was written full")

    def mark_failed(**arguments: Any) -> State:
        was_there_when_failing.extend(Path(django_settings.WORK_DIR).glob("*/work/rung.mp4"))
        return really(**arguments)

    really = lifecycle.mark_failed
    monkeypatch.setattr(encoding, "MARGIN_BYTES", MEGABYTE)
    monkeypatch.setattr(encoding, "process", encode)
    monkeypatch.setattr(lifecycle, "mark_failed", mark_failed)
    monkeypatch.setattr(work_folder, "fetch_original", lambda key, path, *_: path.write_bytes(b"film"))
    for state in (State.PENDING, State.PENDING, State.ERROR):  # the third attempt is the last (MAX_ATTEMPTS)
        Run.objects.update(free_at=None)
        run = lifecycle.claim(video_id=video.pk)
        assert run
        encoding.make_version(run=run)
        video.refresh_from_db()
        assert video.state == state
    assert was_there_when_failing == []
    failed = Run.objects.get()
    assert (failed.error_code, failed.error_message) == ("storage_unavailable", encoding.NO_ROOM)
    assert not list(Path(django_settings.WORK_DIR).iterdir())
    assert lifecycle.retry(video_id=video.pk)


def test_the_scratch_space_of_a_film_does_not_touch_the_reserve(disk: Disk, settings: Any) -> None:
    work_folder.require_scratch_space(DISK - RESERVE)
    with pytest.raises(StorageUnavailable):
        work_folder.require_scratch_space(DISK - RESERVE + 1)


def test_a_version_that_has_to_be_copied_to_another_disk_needs_room_there(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "720p.mp4").write_bytes(bytes(3 * MEGABYTE))
    disk.others = DISK - RESERVE - 4 * MEGABYTE
    encoding.require_room_to_publish(tmp_path)  # a version that is linked needs no room
    monkeypatch.setattr(encoding, "can_link", lambda source, target: False)
    with pytest.raises(disk_space.NoRoom):
        encoding.require_room_to_publish(tmp_path)
