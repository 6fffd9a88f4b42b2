"""Resumable uploads by tus: answers, refusals, and the files that the server keeps."""

import base64
import errno
import fcntl
import hashlib
import io
import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.api.uploads.forms import CHUNK_TYPE
from content_app.input_rules import MEGABYTE
from content_app.models import DirectUpload, Discard, Video
from content_app.services.storage import discards, disk_space
from content_app.services.storage.stores import get_store
from content_app.services.uploads import checks, direct_uploads, tus
from content_app.states import State
from content_app.tests.conftest import assert_one_whole
from content_app.tests.factories import make_category, make_playable, make_video, original_files
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.buckets import Buckets, S3Connection
from media_pipeline.storage.store import LocalStore
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = pytest.mark.usefixtures("commits_at_once", "memory_queue")
SignIn = Callable[[User], APIClient]
BASE = "/api/v1/upload/tus/"
V1 = {"Tus-Resumable": "1.0.0"}
LATER = timedelta(days=2)


@pytest.fixture(autouse=True)
def _is_not_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "PATIENCE_S", 0)


@pytest.fixture
def creators(as_user: SignIn, owner: User) -> APIClient:
    return as_user(owner)


def metadata(**texts: str) -> str:
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in texts.items())


def send(client: APIClient, method: str, url: str, body: bytes, **request: Any) -> Any:
    data: Any = body  # the type stubs of this client know texts only
    return client.generic(method, url, data, **request)


def begin(client: APIClient, length: object = 10, body: bytes = b"", /, **texts: str) -> Any:
    told = metadata(**{"filename": "film.mp4", **texts})
    headers = {**V1, "Upload-Length": str(length), "Upload-Metadata": told}
    return send(client, "POST", BASE, body, content_type=CHUNK_TYPE if body else "", headers=headers)


def begun(client: APIClient, length: int = 10, **texts: str) -> str:
    """Begins an upload. Returns its address."""
    answer = begin(client, length, **texts)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def patch(client: APIClient, url: str, body: bytes, offset: object = 0, **headers: str) -> Any:
    sent = {**V1, "Upload-Offset": str(offset)} | {name.replace("_", "-"): text for name, text in headers.items()}
    return send(client, "PATCH", url, body, content_type=CHUNK_TYPE, headers=sent)


def head(client: APIClient, url: str) -> Any:
    return client.head(url, headers=V1)


def offset_of(client: APIClient, url: str) -> int:
    return int(head(client, url)["Upload-Offset"])


def checksum(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}"


def said(answer: Any) -> tuple[int, str]:
    """Returns status and code; asserts that the error has a sentence, a code and the version of tus."""
    assert answer["Tus-Resumable"] == "1.0.0"
    body = answer.json()
    assert body.get("detail") or len(body) > 1
    return answer.status_code, body["code"]


def partial_files() -> list[Path]:
    return sorted(disk_space.arriving_folder().iterdir()) if disk_space.arriving_folder().exists() else []


def only_upload() -> DirectUpload:
    return DirectUpload.objects.get()


class Line(io.BytesIO):
    """A client that goes away after these bytes: the rest of the declared length never comes."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise ConnectionResetError
        return data


def patch_and_leave(client: APIClient, url: str, came: bytes, *, of_bytes: int, **headers: str) -> Any:
    environ: Any = {"CONTENT_LENGTH": str(of_bytes), "wsgi.input": Line(came)}
    sent = {**V1, "Upload-Offset": "0"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return client.generic("PATCH", url, content_type=CHUNK_TYPE, headers=sent, **environ)


# --- capabilities ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [BASE, BASE.rstrip("/"), f"{BASE}{uuid.uuid4()}/"])
def test_any_client_may_ask_for_the_capabilities(url: str, client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 7
    answer = client.options(url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (answer["Tus-Resumable"], answer["Tus-Version"]) == ("1.0.0", "1.0.0")
    assert answer["Tus-Extension"] == "creation,creation-with-upload,expiration,termination,checksum"
    assert (answer["Tus-Max-Size"], answer["Tus-Checksum-Algorithm"]) == (str(7 * MEGABYTE), "sha1,sha256")


def test_a_page_of_a_trusted_site_may_send_and_read_its_headers(client: Client, settings: Any) -> None:
    site = settings.CORS_ALLOWED_ORIGINS[0]
    wanted = "tus-resumable,upload-length,upload-metadata,upload-offset,upload-checksum"
    asked = {"Origin": site, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": wanted}
    preflight = client.options(BASE, headers=asked)
    assert set(wanted.split(",")) <= set(preflight["Access-Control-Allow-Headers"].split(", "))
    assert {"PATCH", "DELETE"} <= set(preflight["Access-Control-Allow-Methods"].split(", "))
    shown = client.options(BASE, headers={"Origin": site})["Access-Control-Expose-Headers"].split(", ")
    assert {"Location", "Tus-Resumable", "Upload-Expires", "Upload-Length", "Upload-Offset"} <= set(shown)


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "1.0.0, 1.0.0"])
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_is_refused(method: str, version: str | None, creators: APIClient) -> None:
    url = BASE if method == "POST" else begun(creators)
    answer = creators.generic(method, url, headers={"Tus-Resumable": version} if version else {})
    assert (answer.status_code, answer["Tus-Version"], answer["Tus-Resumable"]) == (412, "1.0.0", "1.0.0")


def test_with_buckets_every_route_refuses(creators: APIClient, settings: Any) -> None:
    settings.S3_CONNECTION = S3Connection(Buckets("a", "a", "a"), "us-east-1")
    url = f"{BASE}{uuid.uuid4()}/"
    answers = [begin(creators), patch(creators, url, b"x"), creators.delete(url, headers=V1), creators.options(BASE)]
    assert {said(answer) for answer in answers} == {(409, "in_bucket")}
    assert head(creators, url).status_code == 409


# --- permissions -----------------------------------------------------------------------------------------------------


def test_it_refuses_strangers_and_viewers(as_user: SignIn, viewer: User) -> None:
    assert said(begin(APIClient()))[0] == 401
    assert said(begin(as_user(viewer))) == (403, "permission_denied")
    assert not DirectUpload.objects.exists()


def test_an_admin_may_upload(as_user: SignIn, admin: User) -> None:
    assert begin(as_user(admin)).status_code == 201


def test_the_upload_of_another_user_is_not_found(
    creators: APIClient, as_user: SignIn, creator: User, admin: User
) -> None:
    url = begun(creators)
    for stranger in (as_user(creator), as_user(admin)):
        assert head(stranger, url).status_code == 404
        assert said(patch(stranger, url, b"x"))[0] == 404
        assert said(stranger.delete(url, headers=V1))[0] == 404
    assert offset_of(creators, url) == 0


def test_a_page_of_another_site_cannot_use_cookies(client: Client, owner: User, settings: Any) -> None:
    login = {"email": owner.email, "password": "correct horse battery staple"}
    assert client.post("/users/login/", login, content_type="application/json").status_code == 200
    headers = {**V1, "Upload-Length": "3", "Upload-Metadata": metadata(filename="film.mp4")}
    foreign = client.generic("POST", BASE, headers={**headers, "Origin": "https://elsewhere.example"})
    assert said(foreign) == (403, "cross_site")
    own = client.generic("POST", BASE, headers={**headers, "Origin": "http://testserver"})
    assert own.status_code == 201


def test_staff_of_the_admin_site_may_upload_with_its_token(admin: User) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(admin)
    page.cookies["csrftoken"] = token = "y" * 32
    headers = {**V1, "Upload-Length": "3", "Upload-Metadata": metadata(filename="film.mp4")}
    assert page.generic("POST", BASE, headers=headers).status_code == 401
    assert page.generic("POST", BASE, headers={**headers, "X-CSRFToken": "x" * 32}).status_code == 403
    url = page.generic("POST", BASE, headers={**headers, "X-CSRFToken": token})["Location"]
    sent = {**V1, "Upload-Offset": "0", "X-CSRFToken": token}
    assert page.generic("PATCH", url, b"abc", content_type=CHUNK_TYPE, headers=sent).status_code == 204


# --- beginning -------------------------------------------------------------------------------------------------------


def test_an_upload_is_begun(creators: APIClient, owner: User) -> None:
    answer = begin(creators, 10, filetype="video/mp4")
    upload = only_upload()
    assert answer.status_code == 201
    assert answer["Location"] == f"http://testserver{BASE}{upload.public_id}/"
    assert (answer["Upload-Offset"], answer["Tus-Resumable"]) == ("0", "1.0.0")
    assert answer["Upload-Expires"].endswith("GMT")
    assert answer.json() == {"media_id": str(upload.public_id), "key": upload.key}
    assert (upload.owner, upload.name, upload.content_type, upload.declared_bytes) == (
        owner, "film.mp4", "video/mp4", 10,
    )  # fmt: skip
    assert upload.video is None


def test_an_upload_with_a_title_makes_a_video(creators: APIClient, owner: User) -> None:
    drama = make_category("Drama")
    begun(creators, title="Grüße", description="Long ago", category="Drama", visibility="PRIVATE", relativePath="")
    video = Video.objects.get()
    assert (video.title, video.description, video.category) == ("Grüße", "Long ago", drama)
    assert (video.visibility, video.owner, video.state) == ("PRIVATE", owner, State.UPLOADING)
    assert video.public_id == only_upload().public_id


def test_it_replaces_the_file_of_a_video(creators: APIClient, owner: User) -> None:
    video = make_playable(owner)
    url = begun(creators, 4, video_id=str(video.public_id))
    assert patch(creators, url, b"film").status_code == 204
    assert (only_upload().video, video.title) == (video, Video.objects.get().title)
    begun(creators, 4, video_id=str(video.pk), title="Renamed")
    assert Video.objects.get().title == "Renamed"


def test_it_never_replaces_the_file_of_another_user(creators: APIClient, creator: User) -> None:
    assert said(begin(creators, video_id=str(make_playable(creator).pk))) == (403, "permission_denied")
    assert said(begin(creators, video_id=str(make_video(creator).pk))) == (404, "not_found")
    assert said(begin(creators, video_id="seven")) == (400, "invalid")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        *((0, (400, "empty_file")), (MEGABYTE, (201, "")), (MEGABYTE + 1, (413, "too_large"))),
        *(("9" * 30, (413, "too_large")), ("9" * 7000, (413, "too_large"))),
        *((text, (400, "bad_header")) for text in ("", "-1", "+1", "1.5", "1e3", "0x10", "ten", "1 0", "1, 1")),
        *((text, (400, "bad_header")) for text in ("٣", "²", "\u00a01", "1_0", "\x00")),
    ],
)
def test_an_unusable_length_is_refused(
    length: object, expected: tuple[int, str], creators: APIClient, settings: Any
) -> None:
    settings.MAX_UPLOAD_MB = 1
    answer = begin(creators, length)
    assert answer.status_code == 201 if expected[0] == 201 else said(answer) == expected
    assert len(partial_files()) == DirectUpload.objects.count() == (expected[0] == 201)


@pytest.mark.parametrize(
    ("header", "code"), [("Upload-Defer-Length", "deferred_length"), ("Upload-Concat", "no_concatenation")]
)
def test_unsupported_extensions_are_refused(header: str, code: str, creators: APIClient) -> None:
    headers = {**V1, "Upload-Metadata": metadata(filename="film.mp4"), "Upload-Length": "10", header: "1"}
    assert said(creators.generic("POST", BASE, headers=headers)) == (400, code)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        *(("", "invalid"), ("filetype dmlkZW8=", "invalid"), ("filename", "invalid"), ("filename ", "invalid")),
        *(
            (text, "bad_metadata")
            for text in ("filename !!!", "filename Zg", "filename /w==", "filename ZmlsbQ== Zg==")
        ),
        *((text, "bad_metadata") for text in ("filename Zg==,filename Zg==", ",,,", "filename Zg==,", "filename é")),
        (metadata(filename="film.txt"), "unsupported_type"),
        (metadata(filename="no ending"), "unsupported_type"),
        (metadata(filename="a\x00b.mp4"), "invalid"),
        (metadata(filename="a.mp4", title="a\x00b"), "invalid"),
        (metadata(filename="a.mp4", title="x" * 201), "invalid"),
        (metadata(filename="a.mp4", title="x", visibility="\ud7ff"), "invalid"),
        (metadata(filename="a.mp4", title="x", category="There is none"), "invalid"),
    ],
)
def test_invalid_metadata_are_refused(header: str, code: str, creators: APIClient) -> None:
    headers = {**V1, "Upload-Length": "10", "Upload-Metadata": header}
    assert said(creators.generic("POST", BASE, headers=headers)) == (400, code)
    assert not DirectUpload.objects.exists()


@pytest.mark.parametrize(
    "name", ["x" * 10_000 + ".mp4", "../../etc/passwd.mp4", "Zoë 🎬.MP4", "a\nb\r.mp4", "a'\"<b>.mkv"]
)
def test_any_name_with_the_extension_of_a_film_is_accepted(name: str, creators: APIClient) -> None:
    url = begun(creators, 4, filename=name)
    assert patch(creators, url, b"film").status_code == 204
    assert head(creators, url).status_code == 200
    assert [path.read_bytes() for path in original_files()] == [b"film"]


def test_control_characters_of_a_name_are_not_stored(creators: APIClient, owner: User) -> None:
    begun(creators, 4, filename="Zoë\n\x01\x85 🎬.mp4\x7f")
    assert only_upload().name == "Zoë 🎬.mp4"
    assert direct_uploads.announce(owner=owner, name="fi\0lm.mp4\0").name == "film.mp4"
    assert said(begin(creators, 4, filename="\x01")) == (400, "unsupported_type")


@pytest.mark.parametrize("filetype", ["x" * 300, "video/", "video/mp4\nX: y", "é/ü", 'video/mp4; codecs="avc1"'])
def test_a_malformed_type_is_left_out(filetype: str, creators: APIClient) -> None:
    begun(creators, filetype=filetype)
    assert only_upload().content_type == direct_uploads.ANY_TYPE


def test_the_number_of_unfinished_uploads_is_limited(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_uploads, "MAX_OPEN", 1)
    begun(creators)
    assert said(begin(creators)) == (409, "too_many_uploads")


# --- beginning with the file -----------------------------------------------------------------------------------------


def test_the_first_bytes_may_come_with_the_creation(creators: APIClient, to_check: list[int]) -> None:
    assert begin(creators, 10, b"half ")["Upload-Offset"] == "5"
    assert begin(creators, 4, b"film", title="Whole")["Upload-Offset"] == "4"
    assert [path.read_bytes() for path in original_files()] == [b"film"]
    assert to_check == [DirectUpload.objects.get(name="film.mp4", declared_bytes=4).pk]


def test_a_creation_with_too_many_bytes_leaves_nothing(creators: APIClient) -> None:
    assert said(begin(creators, 3, b"film", title="Long")) == (413, "too_much")
    assert (partial_files(), DirectUpload.objects.count(), Video.objects.count()) == ([], 0, 0)


# --- going on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [str, lambda url: url.rstrip("/")])
def test_a_film_arrives_in_chunks(form: Callable[[str], str], creators: APIClient, to_check: list[int]) -> None:
    url = form(begun(creators, 10, title="Chunks"))
    for offset, chunk in ((0, b"one "), (4, b"two "), (8, b"3.")):
        answer = patch(creators, url, chunk, offset)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(offset + len(chunk)))
        assert "Upload-Expires" in answer
    upload = only_upload()
    assert get_store().read_bytes(upload.key) == b"one two 3."
    assert (upload.arrived_at is not None, to_check, partial_files()) == (True, [upload.pk], [])
    assert original_files()[0].stat().st_mode & 0o777 == 0o640


def test_a_film_that_arrived_is_checked_and_used(
    creators: APIClient, to_check: list[int], enqueued: list[int], tmp_path: Path
) -> None:
    film = make_clip(tmp_path, Clip(size="160x120", rate="25", duration_s=1)).read_bytes()
    patch(creators, begun(creators, len(film), title="Real"), film)
    before = Video.objects.get().updated_at
    checks.check(upload_id=to_check.pop())
    video = Video.objects.get()
    assert (video.state, video.original_bytes, enqueued) == (State.PENDING, len(film), [video.pk])
    assert video.updated_at > before


def test_a_file_that_is_refused_changes_its_video_now(creators: APIClient, to_check: list[int]) -> None:
    """The admin site lists the film that failed last first."""
    patch(creators, begun(creators, 4, title="No film"), b"text")
    before = Video.objects.get().updated_at
    checks.check(upload_id=to_check.pop())
    video = Video.objects.get()
    assert (video.state, video.updated_at > before) == (State.ERROR, True)


def test_head_tells_the_offset(creators: APIClient) -> None:
    url = begun(creators)
    patch(creators, url, b"film")
    answer = head(creators, url)
    assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (200, "4", "10")
    assert (answer["Cache-Control"], answer["Tus-Resumable"]) == ("no-store", "1.0.0")
    assert answer["Upload-Metadata"] == metadata(filename="film.mp4")
    assert "Upload-Expires" in answer


def test_a_complete_upload_accepts_no_more_bytes(creators: APIClient) -> None:
    url = begun(creators, 4)
    patch(creators, url, b"film")
    assert offset_of(creators, url) == 4
    assert patch(creators, url, b"", 4).status_code == 204
    assert said(patch(creators, url, b"more", 4)) == (413, "too_much")
    assert said(patch(creators, url, b"film", 0)) == (409, "wrong_offset")
    assert said(creators.delete(url, headers=V1)) == (409, "already_arrived")
    assert get_store().read_bytes(only_upload().key) == b"film"


@pytest.mark.parametrize("offset", [0, 3, 5, "9" * 40])
def test_a_wrong_offset_is_refused_with_the_right_one(offset: object, creators: APIClient) -> None:
    url = begun(creators)
    patch(creators, url, b"film")
    answer = patch(creators, url, b"x", offset)
    assert (said(answer), answer["Upload-Offset"]) == ((409, "wrong_offset"), "4")
    assert offset_of(creators, url) == 4


@pytest.mark.parametrize("offset", ["", "-1", "+0", "0.0", "zero", "0, 0", "٠", "²", "\x00"])
def test_a_malformed_offset_is_refused(offset: str, creators: APIClient) -> None:
    assert said(patch(creators, begun(creators), b"x", offset)) == (400, "bad_header")


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", ""])
def test_a_chunk_has_a_type_of_its_own(content_type: str, creators: APIClient) -> None:
    url = begun(creators)
    headers = {**V1, "Upload-Offset": "0"}
    answer = send(creators, "PATCH", url, b"film", content_type=content_type, headers=headers)
    assert said(answer) == (415, "unsupported_media_type")
    assert offset_of(creators, url) == 0


def test_a_chunk_beyond_the_announced_length_is_dropped(creators: APIClient) -> None:
    url = begun(creators, 6)
    patch(creators, url, b"film")
    assert said(patch(creators, url, b"too much", 4)) == (413, "too_much")
    assert offset_of(creators, url) == 4


def test_a_client_that_goes_away_keeps_what_has_arrived(creators: APIClient) -> None:
    url = begun(creators, 300_000)
    patch_and_leave(creators, url, b"x" * 200_000, of_bytes=300_000)
    assert offset_of(creators, url) == 200_000
    patch(creators, url, b"y" * 100_000, 200_000)
    assert get_store().read_bytes(only_upload().key) == b"x" * 200_000 + b"y" * 100_000


def test_a_body_is_never_read_as_a_whole(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def write(file: FileIO, block: bytes) -> None:
        sizes.append(len(block))
        write_all(file, block)

    write_all = tus.write_all
    monkeypatch.setattr(tus, "write_all", write)
    patch(creators, begun(creators, MEGABYTE), b"x" * MEGABYTE)
    assert sum(sizes) == MEGABYTE
    assert max(sizes) <= tus.BLOCK_BYTES


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_an_unknown_upload_is_not_found(method: str, creators: APIClient) -> None:
    headers = {**V1, "Upload-Offset": "0"}
    answer = send(creators, method, f"{BASE}{uuid.uuid4()}/", b"", content_type=CHUNK_TYPE, headers=headers)
    assert (answer.status_code, answer["Tus-Resumable"]) == (404, "1.0.0")
    assert said(creators.get(begun(creators), headers=V1)) == (405, "method_not_allowed")


# --- checksums -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_with_a_right_checksum_is_accepted(algorithm: str, creators: APIClient) -> None:
    url = begun(creators)
    answer = patch(creators, url, b"film", Upload_Checksum=checksum(b"film", algorithm))
    assert (answer.status_code, offset_of(creators, url)) == (204, 4)
    assert len(partial_files()) == 1


def test_a_chunk_with_a_wrong_checksum_is_dropped(creators: APIClient) -> None:
    url = begun(creators)
    patch(creators, url, b"film")
    answer = patch(creators, url, b"corrup", 4, Upload_Checksum=checksum(b"proper"))
    assert said(answer) == (460, "wrong_checksum")
    assert offset_of(creators, url) == 4
    patch(creators, url, b"proper", 4, Upload_Checksum=checksum(b"proper"))
    assert get_store().read_bytes(only_upload().key) == b"filmproper"


def test_half_a_chunk_with_a_checksum_is_dropped(creators: APIClient) -> None:
    url = begun(creators)
    patch_and_leave(creators, url, b"fil", of_bytes=4, Upload_Checksum=checksum(b"film"))
    assert (offset_of(creators, url), len(partial_files())) == (0, 1)


def test_a_chunk_that_was_not_verified_when_the_process_died_does_not_count(creators: APIClient) -> None:
    url = begun(creators)
    patch(creators, url, b"film")
    upload = only_upload()
    tus.note_of(upload).symlink_to("4")
    with tus.path_of(upload).open("ab") as file:
        file.write(b"corrup")
    assert offset_of(creators, url) == 4
    assert patch(creators, url, b"proper", 4).status_code == 204
    assert get_store().read_bytes(upload.key) == b"filmproper"


@pytest.mark.parametrize("header", ["", "md5 AAAA", "sha256", "sha256 !", "sha256 é", "sha1 AAAA AAAA", "sha256  AA=="])
def test_a_malformed_checksum_is_refused(header: str, creators: APIClient) -> None:
    url = begun(creators)
    assert said(patch(creators, url, b"film", Upload_Checksum=header))[0] in (400, 460)
    assert offset_of(creators, url) == 0


def test_a_creation_with_a_wrong_checksum_leaves_nothing(creators: APIClient) -> None:
    headers = {**V1, "Upload-Length": "4", "Upload-Metadata": metadata(filename="film.mp4")}
    headers["Upload-Checksum"] = checksum(b"another")
    answer = send(creators, "POST", BASE, b"film", content_type=CHUNK_TYPE, headers=headers)
    assert said(answer) == (460, "wrong_checksum")
    assert (partial_files(), DirectUpload.objects.count()) == ([], 0)


# --- one writer at a time --------------------------------------------------------------------------------------------


def test_two_requests_cannot_write_at_once(creators: APIClient) -> None:
    url = begun(creators)
    with tus.path_of(only_upload()).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert said(patch(creators, url, b"film")) == (423, "locked")
        assert said(creators.delete(url, headers=V1)) == (423, "locked")
        assert offset_of(creators, url) == 0
    assert patch(creators, url, b"film").status_code == 204


def test_a_request_that_waited_until_the_file_was_stored_does_not_write(creators: APIClient) -> None:
    begun(creators)
    upload = only_upload()
    with FileIO(tus.path_of(upload), "r+b") as opened_before:
        tus.remove_received(upload)
        assert not tus.is_named(opened_before, tus.path_of(upload))


# --- a full disk -----------------------------------------------------------------------------------------------------


class NearlyFull(FileIO):
    """A file on a disk with room for three more bytes."""

    room = 3

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = super().write(bytes(data[: self.room]))
        self.room -= taken
        return taken


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(tus, "FileIO", NearlyFull)
    return monkeypatch


def test_a_full_disk_is_reported_and_the_offset_stays_right(creators: APIClient, full_disk: pytest.MonkeyPatch) -> None:
    url = begun(creators)
    assert said(patch(creators, url, b"film")) == (507, "insufficient_storage")
    assert offset_of(creators, url) == 3
    full_disk.undo()
    assert patch(creators, url, b"m", 3).status_code == 204
    assert tus.path_of(only_upload()).read_bytes() == b"film"


def test_a_full_disk_drops_a_chunk_that_was_not_verified(creators: APIClient, full_disk: pytest.MonkeyPatch) -> None:
    url = begun(creators)
    assert said(patch(creators, url, b"film", Upload_Checksum=checksum(b"film"))) == (507, "insufficient_storage")
    assert offset_of(creators, url) == 0


@pytest.mark.usefixtures("full_disk")
def test_a_creation_on_a_full_disk_leaves_nothing(creators: APIClient) -> None:
    assert said(begin(creators, 4, b"film")) == (507, "insufficient_storage")
    assert (partial_files(), DirectUpload.objects.count()) == ([], 0)


# --- the end of an upload --------------------------------------------------------------------------------------------


def test_an_upload_is_cancelled(creators: APIClient) -> None:
    url = begun(creators)
    patch(creators, url, b"film")
    answer = creators.delete(url, headers=V1)
    assert (answer.status_code, answer["Tus-Resumable"]) == (204, "1.0.0")
    assert (partial_files(), DirectUpload.objects.count()) == ([], 0)
    assert head(creators, url).status_code == 404


def test_an_upload_that_arrives_while_it_is_cancelled_is_kept(creators: APIClient) -> None:
    url = begun(creators, 4)
    read_before = only_upload()
    patch(creators, url, b"film")
    with pytest.raises(tus.AlreadyArrived):
        tus.cancel(upload=read_before)
    assert only_upload().arrived_at


def test_an_upload_expires(creators: APIClient) -> None:
    url = begun(creators)
    DirectUpload.objects.update(expires_at=timezone.now())
    assert head(creators, url).status_code == 410
    assert said(patch(creators, url, b"film")) == (410, "upload_expired")
    assert said(creators.delete(url, headers=V1)) == (410, "upload_expired")


def test_every_chunk_renews_the_lifetime_of_the_upload(creators: APIClient) -> None:
    url = begun(creators)
    soon = timezone.now() + timedelta(minutes=1)
    DirectUpload.objects.update(expires_at=soon)
    before = head(creators, url)["Upload-Expires"]
    assert patch(creators, url, b"film")["Upload-Expires"] != before
    assert only_upload().expires_at > soon + timedelta(hours=1)


def test_an_upload_does_not_expire_during_a_long_chunk(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[DirectUpload] = []
    monkeypatch.setattr(direct_uploads, "extend_expiry", lambda *, upload: renewed.append(upload))
    monkeypatch.setattr(tus, "RENEW_S", 0)
    patch(creators, begun(creators, MEGABYTE), b"x" * 3 * tus.BLOCK_BYTES)
    assert len(renewed) == 4


def test_an_empty_chunk_does_not_renew_the_lifetime(creators: APIClient) -> None:
    url = begun(creators)
    soon = timezone.now() + timedelta(minutes=1)
    DirectUpload.objects.update(expires_at=soon)
    assert patch(creators, url, b"").status_code == 204
    assert only_upload().expires_at == soon


def test_an_upload_whose_file_is_lost_is_gone_and_can_be_cancelled(creators: APIClient) -> None:
    url = begun(creators)
    tus.remove_received(only_upload())
    assert head(creators, url).status_code == 410
    assert said(patch(creators, url, b"film")) == (410, "upload_gone")
    assert creators.delete(url, headers=V1).status_code == 204
    assert not DirectUpload.objects.exists()


# --- a process that dies ---------------------------------------------------------------------------------------------


@pytest.fixture
def whole(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a complete upload, whose process died before it stored the file."""
    url = begun(creators, 4, title="Whole")
    with tus.path_of(only_upload()).open("ab") as file:
        file.write(b"film")
    return url


def is_stored(to_check: list[int]) -> bool:
    upload = only_upload()
    stored = get_store().read_bytes(upload.key) == b"film"
    return stored and (upload.arrived_at is not None) and to_check == [upload.pk] and not partial_files()


def test_a_request_for_the_offset_finishes_a_complete_upload(
    creators: APIClient, whole: str, to_check: list[int]
) -> None:
    assert offset_of(creators, whole) == 4
    assert is_stored(to_check)


def test_an_empty_chunk_finishes_a_complete_upload(creators: APIClient, whole: str, to_check: list[int]) -> None:
    assert patch(creators, whole, b"", 4).status_code == 204
    assert is_stored(to_check)


def test_the_reaper_finishes_a_complete_upload(whole: str, to_check: list[int]) -> None:
    tus.sweep()
    tus.sweep()
    assert is_stored(to_check)


def test_a_file_that_was_stored_already_is_stored_again(creators: APIClient, whole: str, to_check: list[int]) -> None:
    upload = only_upload()
    get_store().put(tus.path_of(upload), upload.key, "")
    tus.sweep()
    assert is_stored(to_check)


def test_a_storage_that_fails_is_tried_again(
    creators: APIClient, to_check: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable(detail="away")

    url = begun(creators, 4, title="Later")
    with monkeypatch.context() as away:
        away.setattr(LocalStore, "put", fail)
        assert said(patch(creators, url, b"film")) == (503, "storage_unavailable")
        assert offset_of(creators, url) == 4
        tus.sweep()
    tus.sweep()
    assert is_stored(to_check)


def test_an_upload_is_described_while_it_arrives(
    creators: APIClient, to_check: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe_meanwhile(*args: Any, **kwargs: Any) -> int:
        direct_uploads.set_details(upload=only_upload(), fields={"title": "Meanwhile"})
        return receive(*args, **kwargs)

    receive = tus.receive
    monkeypatch.setattr(tus, "receive", describe_meanwhile)
    patch(creators, begun(creators, 4), b"film")
    assert is_stored(to_check)


def test_an_upload_that_has_arrived_is_kept_until_a_worker_checks_it(
    creators: APIClient, to_check: list[int], tmp_path: Path
) -> None:
    film = make_clip(tmp_path, Clip(size="160x120", rate="25", duration_s=1)).read_bytes()
    patch(creators, begun(creators, len(film), title="Patient"), film)
    a_week_passes()
    checks.check(upload_id=to_check.pop())
    discards.remove_due()
    assert (Video.objects.get().state, len(original_files())) == (State.PENDING, 1)


def test_a_complete_file_is_kept_while_it_cannot_be_stored(whole: str, to_check: list[int]) -> None:
    DirectUpload.objects.update(expires_at=timezone.now() - timedelta(days=3))
    direct_uploads.settle_overdue_uploads()  # runs before the sweep here, as after a failed sweep
    assert DirectUpload.objects.get().settled_at is None
    tus.sweep()
    assert DirectUpload.objects.get().arrived_at


def test_a_file_that_cannot_be_removed_stops_no_other_from_being_stored(whole: str, to_check: list[int]) -> None:
    folder = disk_space.arriving_folder()
    for number in range(20):  # enough that some come before the file in any order of the folder
        (folder / f"{number:032x}").mkdir()
        os.utime(folder / f"{number:032x}", (0, 0))
    with pytest.raises(OSError, match="directory"):
        tus.sweep()
    assert DirectUpload.objects.get().arrived_at


def test_a_complete_file_is_stored_even_a_week_later(whole: str, to_check: list[int]) -> None:
    a_week_passes()
    assert is_stored(to_check)


def a_week_passes() -> None:
    """Time passes without workers and reaper; then a cleanup job runs, then the reaper."""
    long_ago = timezone.now() - timedelta(days=6)
    DirectUpload.objects.update(expires_at=long_ago)
    Discard.objects.update(due_at=long_ago)
    for path in partial_files():
        age(path, 7 * 24 * 3600)
    for look_after in (discards.remove_due, tus.sweep, direct_uploads.settle_overdue_uploads, discards.remove_due):
        look_after()


# --- sweeping --------------------------------------------------------------------------------------------------------


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def test_a_file_without_an_upload_is_removed_after_an_hour(creators: APIClient) -> None:
    tus.sweep()  # there is no folder yet
    begun(creators)
    kept = tus.path_of(only_upload())
    names = (uuid.uuid4().hex, uuid.uuid4().hex, "old.unproved")
    fresh, old, note = (disk_space.arriving_folder() / name for name in names)
    fresh.touch()
    old.touch()
    note.symlink_to("12")
    for path in (kept, old, note):
        age(path, 2 * tus.ABANDONED_S)
    tus.sweep()
    assert partial_files() == sorted([kept, fresh])


def test_the_file_of_an_expired_upload_is_removed(creators: APIClient) -> None:
    begun(creators)
    age(tus.path_of(only_upload()), 2 * tus.ABANDONED_S)
    DirectUpload.objects.update(expires_at=timezone.now() - LATER)
    tus.sweep()
    assert partial_files() == []


def test_sweeping_takes_as_many_queries_for_any_number(
    creators: APIClient, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _ in range(3):
        begun(creators)
    with django_assert_num_queries(1):
        tus.sweep()


# --- with real commits -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_check_is_queued_once_a_worker_can_see_the_complete_upload(
    creators: APIClient, checks_seen: list[Any]
) -> None:
    url = begun(creators, 4, title="In order")
    assert checks_seen == []
    assert patch(creators, url, b"film").status_code == 204
    assert_one_whole(checks_seen, "In order")


@pytest.mark.django_db(transaction=True)
def test_a_file_that_comes_with_its_creation_is_queued_once_it_is_described(
    creators: APIClient, checks_seen: list[Any]
) -> None:
    assert begin(creators, 4, b"film", title="At once").status_code == 201
    assert_one_whole(checks_seen, "At once")


@pytest.mark.django_db(transaction=True)
def test_an_arrival_that_is_rolled_back_queues_nothing(creators: APIClient, checks_seen: list[Any]) -> None:
    begun(creators, 4, title="Taken back")
    with transaction.atomic():
        assert direct_uploads.mark_arrived(upload=only_upload())
        assert checks_seen == []
        transaction.set_rollback(True)
    assert checks_seen == []
    assert only_upload().arrived_at is None
