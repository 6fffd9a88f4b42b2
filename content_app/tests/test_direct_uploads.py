"""Files that browsers upload straight into a bucket of a real server, and their checks."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from django.utils import timezone
from rest_framework.test import APIClient

from background.leases import Heartbeat, LeaseLost
from background.tests.memory_queue import MemoryQueue
from content_app.models import DirectUpload, Discard, Run, Version, Video
from content_app.services.catalogue import videos
from content_app.services.storage import discards, work_folder
from content_app.services.uploads import checks, direct_uploads, presigning
from content_app.states import State
from content_app.tests.conftest import assert_one_whole
from content_app.tests.factories import RUN_STATES, make_picture, make_playable, make_run, make_video
from media_pipeline.errors import SourceExchanged
from media_pipeline.storage.buckets import Buckets, S3Connection
from tests.ceph import Ceph
from tests.clips import Clip, make_clip
from users_app.models import User

pytestmark = pytest.mark.usefixtures("commits_at_once")
SignIn = Callable[[User], APIClient]
http = urllib3.PoolManager(retries=False)
BASE = "/api/v1/upload/videos"
S3_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
PART_BYTES = 5 * 1024**2


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_clip(tmp_path_factory.mktemp("film"), Clip(size="160x120", rate="25", duration_s=1)).read_bytes()


@pytest.fixture(scope="module")
def bucket(s3_server: Ceph) -> str:
    return s3_server.make_bucket()


@pytest.fixture(autouse=True)
def _on_bucket(s3_server: Ceph, bucket: str, settings: Any) -> None:
    settings.S3_CONNECTION = S3Connection(
        Buckets(bucket, bucket, bucket), s3_server.region, s3_server.url, timeout_s=5, attempts=2,
        access_key_id=s3_server.access_key_id, secret_access_key=s3_server.secret_access_key,
    )  # fmt: skip


@pytest.fixture
def creators(as_user: SignIn, owner: User) -> APIClient:
    return as_user(owner)


def run(to_check: list[int]) -> None:
    """Runs the queued checks, as workers do."""
    while to_check:
        checks.check(upload_id=to_check.pop())


def ask(client: APIClient, route: str, **body: Any) -> Any:
    return client.post(f"{BASE}/{route}/", body, format="json")


def put(answer: dict[str, Any], body: bytes, **headers: str) -> int:
    """Sends the request as a browser does. Returns the status."""
    return http.request("PUT", answer["url"], body=body, headers={**answer["headers"], **headers}).status


def post(form: dict[str, Any], body: bytes, **fields: str) -> int:
    encoded = {**form["fields"], **fields, "file": ("film.mp4", body)}
    return http.request("POST", form["url"], fields=encoded).status


def describe(client: APIClient, key: str, title: str = "Brought", **fields: Any) -> Any:
    return ask(client, "metadata", title=title, video_s3_key=key, **fields)


def newest_run() -> Run:
    """The run of the only film: of its file, or of a file that was refused."""
    return Video.objects.get().runs.latest("pk")


def move_to(video: Video, state: State) -> None:
    """Moves a film without a file to the state. A film that is ready plays."""
    made_by = make_run(video, RUN_STATES[state])
    version = Version.objects.create(video=video, run=made_by, folder=made_by.folder) if made_by.folder else None
    Video.objects.filter(pk=video.pk).update(state=state, run=made_by, version=version)


def exists(server: Ceph, bucket: str, key: str) -> bool:
    found = server.client().list_objects_v2(Bucket=bucket, Prefix=key)
    return bool(found.get("KeyCount"))


# --- one PUT ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_described_first", [False, True])
def test_a_file_that_was_put_becomes_a_film_to_process(
    creators: APIClient, film: bytes, to_check: list[int], enqueued: list[int], owner: User,
    memory_queue: MemoryQueue, is_described_first: bool,
) -> None:  # fmt: skip
    address = ask(creators, "upload-url", filename="Holiday.MP4", content_type="video/mp4", size=len(film)).json()
    told = [describe(creators, address["key"], visibility="PRIVATE")] if is_described_first else []
    assert put(address, film) == 200
    told.append(describe(creators, address["key"], visibility="PRIVATE"))
    assert [answer.status_code for answer in told] == [201, 200][: len(told)]
    video = told[-1].json()
    assert (video["public_id"], video["processing_status"], video["visibility"]) == (
        address["media_id"], "IN_PROGRESS", "PRIVATE",
    )  # fmt: skip
    assert enqueued == []  # a film is queued only after its check
    run(to_check)
    stored, made_by = Video.objects.get(), newest_run()
    assert (stored.state, stored.video_file.name, stored.owner) == (State.PENDING, address["key"], owner)
    assert (stored.original_name, stored.original_bytes) == ("Holiday.MP4", len(film))
    assert (stored.run, made_by.original, made_by.size_bytes) == (made_by, address["key"], len(film))
    assert made_by.etag
    assert made_by.verdict
    assert enqueued == [stored.pk]
    assert memory_queue.put_keys["inspect_video"] == [], "the check has examined it"
    assert not Discard.objects.filter(prefix=address["key"]).exists()


def test_an_address_accepts_only_the_file_that_it_was_signed_for(creators: APIClient, film: bytes) -> None:
    address = ask(creators, "upload-url", filename="a.mp4", content_type="video/mp4", size=len(film)).json()
    assert put(address, film, **{"Content-Type": "text/html"}) == 403
    assert put(address, film + b"more") == 403
    elsewhere = {**address, "url": address["url"].replace(address["key"], "originals/of/another.mp4")}
    assert put(elsewhere, film) == 403
    assert put(address, film) == 200


def test_the_form_is_capped_by_the_storage_itself(creators: APIClient, film: bytes, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 1
    form = ask(creators, "upload-url", filename="a.mp4", content_type="video/mp4").json()["post"]
    assert post(form, bytes(1024**2 + 1)) in (400, 413)
    assert post(form, b"") in (400, 413)
    assert post(form, film, **{"Content-Type": "text/html"}) in (400, 403)
    assert post(form, film, key="originals/of/another.mp4") in (400, 403)
    assert post(form, film) == 204


def test_addresses_expire(creators: APIClient, film: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presigning, "lifetime_s", lambda wanted_s=None: -1)  # the shortest lifetime, one second
    address = ask(creators, "upload-url", filename="a.mp4").json()
    time.sleep(2)
    assert put(address, film) == 403


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"filename": "notes.txt"}, 400, "unsupported_type"),
        ({"filename": "a.mp4", "size": 0}, 400, "empty_file"),
        ({"filename": "a.mp4", "size": 10**15}, 413, "too_large"),
        ({"filename": "a.mp4", "size": -1}, 400, "invalid"),
        ({"filename": "a.mp4", "size": "x"}, 400, "invalid"),
        ({"filename": "a.mp4", "content_type": "video"}, 400, "invalid"),
        ({"filename": "a.mp4", "content_type": "video/mp4\r\nX: y"}, 400, "invalid"),
        ({"filename": "a" * 300 + ".mp4"}, 400, "invalid"),
        ({"filename": "a.mp4", "video_id": "none"}, 400, "invalid"),
        ({"filename": "a.mp4", "video_id": 999999}, 404, "not_found"),
    ],
)
def test_a_file_that_cannot_become_a_film_gets_no_address(
    creators: APIClient, body: Any, status: int, code: str
) -> None:
    answer = ask(creators, "upload-url", **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not DirectUpload.objects.exists()


def test_viewers_and_strangers_get_no_address(as_user: SignIn, viewer: User) -> None:
    for route in ("upload-url", "sign", "metadata", "thumbnail/upload-url"):
        assert ask(as_user(viewer), route).status_code == 403
        assert ask(APIClient(), route).status_code == 401


def test_the_uploads_of_another_user_are_not_found(
    creators: APIClient, as_user: SignIn, creator: User, film: bytes
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    assert put(address, film) == 200
    assert describe(as_user(creator), address["key"]).status_code == 404
    for method, more in {"GET": {}, "PUT": {"partNumber": 1}, "POST": {}, "DELETE": {}}.items():
        answer = ask(as_user(creator), "sign", method=method, key=address["key"], uploadId="x", **more)
        assert answer.status_code == 404
    assert ask(creators, "upload-url", video_id=str(make_video(creator).pk)).status_code in (403, 404)


@pytest.mark.parametrize(
    ("content", "code"), [(b"not a film at all, really", "not_a_video"), (b"", "too_large")], ids=["text", "empty"]
)
def test_a_file_that_is_not_a_film_fails_and_is_removed(
    creators: APIClient, to_check: list[int], enqueued: list[int], s3_server: Ceph, bucket: str, content: bytes,
    code: str,
) -> None:  # fmt: skip
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, content)
    video = describe(creators, address["key"]).json()
    run(to_check)
    shown = creators.get(f"{BASE}/{video['id']}/").json()
    assert (shown["processing_status"], shown["processing_error_code"]) == ("FAILED", code)
    assert shown["processing_error"] == shown["upload_problem"] != ""
    assert enqueued == []
    assert put(address, content) == 200  # the address is still good
    Discard.objects.update(due_at=timezone.now())
    discards.remove_due()
    assert not exists(s3_server, bucket, address["key"])


def test_a_refused_file_is_removed_when_its_addresses_have_ended(
    creators: APIClient, to_check: list[int], settings: Any
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, b"no film")
    describe(creators, address["key"])
    run(to_check)
    due_at = Discard.objects.get(prefix=address["key"]).due_at
    assert due_at > timezone.now() + timedelta(minutes=settings.UPLOAD_URL_MINUTES)


def test_a_file_that_is_too_large_is_refused_after_it_has_arrived(
    creators: APIClient, to_check: list[int], settings: Any, enqueued: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, bytes(1024**2 + 1))
    settings.MAX_UPLOAD_MB = 1
    describe(creators, address["key"])
    run(to_check)
    assert newest_run().error_code == "too_large"
    assert enqueued == []


# --- exchanged after it was checked ----------------------------------------------------------------------------------


def test_an_object_that_was_exchanged_after_its_check_is_not_used(
    creators: APIClient, film: bytes, to_check: list[int], tmp_path: Path
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4", content_type="video/mp4").json()
    put(address, film)
    describe(creators, address["key"])
    run(to_check)
    work_folder.drop_kept(older_than_s=0)  # another machine has no local copy
    waiting = newest_run()
    assert put(address, b"something else") == 200  # the address is still good
    with pytest.raises(SourceExchanged):
        work_folder.fetch_original(waiting.original, tmp_path / "x", etag=waiting.etag)


def test_an_object_that_was_exchanged_before_its_check_is_refused(
    creators: APIClient, film: bytes, to_check: list[int], enqueued: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    put(address, film + b"\0")
    run(to_check)
    assert (newest_run().error_code, enqueued) == ("source_missing", [])


# --- in parts, as Uppy signs them ------------------------------------------------------------------------------------


def sign(client: APIClient, method: str, key: str, **more: Any) -> dict[str, Any]:
    answer = ask(client, "sign", method=method, key=key, **more)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def begin(client: APIClient, name: str = "big.mp4") -> tuple[str, str]:
    """Begins an upload in parts. Returns the key and the upload id."""
    begun = sign(client, "POST", name)
    said = ET.fromstring(http.request("POST", begun["url"]).data)  # noqa: S314 - of our own server
    return begun["key"], str(said.findtext(f"{S3_NAMESPACE}UploadId"))


def put_part(client: APIClient, key: str, upload_id: str, number: int, body: bytes) -> str:
    url = sign(client, "PUT", key, uploadId=upload_id, partNumber=number)["url"]
    return str(http.request("PUT", url, body=body).headers["ETag"])


def complete(url: str, etags: dict[int, str]) -> urllib3.BaseHTTPResponse:
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in etags.items())
    return http.request("POST", url, body=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")


def test_a_file_in_parts_becomes_a_film(
    creators: APIClient, film: bytes, to_check: list[int], enqueued: list[int]
) -> None:
    whole = film + bytes(PART_BYTES)  # the bytes behind the film are not read
    key, upload_id = begin(creators)
    etags = {
        number: put_part(creators, key, upload_id, number, whole[first : first + PART_BYTES])
        for number, first in enumerate(range(0, len(whole), PART_BYTES), start=1)
    }
    listed = http.request("GET", sign(creators, "GET", key, uploadId=upload_id)["url"]).data.decode()
    assert listed.count("<PartNumber>") == len(etags) == 2
    assert complete(sign(creators, "POST", key, uploadId=upload_id)["url"], etags).status == 200
    describe(creators, key)
    run(to_check)
    assert enqueued == [Video.objects.get().pk]


def test_parts_come_in_any_order_and_missing_or_wrong_ones_are_refused(creators: APIClient) -> None:
    key, upload_id = begin(creators)
    second, first = (put_part(creators, key, upload_id, n, bytes(PART_BYTES)) for n in (2, 1))  # in any order
    url = sign(creators, "POST", key, uploadId=upload_id)["url"]
    assert complete(url, {1: first, 3: second}).status == 400
    assert complete(url, {1: first, 2: '"0123"'}).status == 400
    assert complete(url, {1: first, 2: second}).status == 200


def test_an_upload_in_parts_that_is_given_up_leaves_nothing(creators: APIClient, s3_server: Ceph, bucket: str) -> None:
    key, upload_id = begin(creators)
    put_part(creators, key, upload_id, 1, b"x")
    assert http.request("DELETE", sign(creators, "DELETE", key, uploadId=upload_id)["url"]).status == 204
    assert not s3_server.client().list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads")


def test_more_parts_than_a_film_may_have_are_not_put_together(creators: APIClient, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 10
    key, upload_id = begin(creators)
    assert ask(creators, "sign", method="PUT", key=key, uploadId=upload_id, partNumber=3).status_code == 413
    assert ask(creators, "sign", method="PUT", key=key, uploadId=upload_id, partNumber=0).status_code == 413
    put_part(creators, key, upload_id, 1, bytes(6 * 1024**2))
    put_part(creators, key, upload_id, 2, bytes(6 * 1024**2))
    refused = ask(creators, "sign", method="POST", key=key, uploadId=upload_id)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_else_is_signed(creators: APIClient, method: str) -> None:
    key = ask(creators, "upload-url", filename="a.mp4").json()["key"]
    answer = ask(creators, "sign", method=method, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_signable")
    assert ask(creators, "sign", method="PATCH", key=key).status_code == 400


def test_a_small_file_is_signed_as_a_capped_form(creators: APIClient, film: bytes) -> None:
    form = sign(creators, "PUT", "small.mp4", contentType="video/mp4")
    assert form["fields"]["key"] == form["key"]
    assert post(form, film) == 204


# --- posters ---------------------------------------------------------------------------------------------------------


def test_a_picture_becomes_the_poster_of_a_film_that_plays(
    creators: APIClient, owner: User, to_check: list[int]
) -> None:
    video = make_playable(owner)
    query = f"associated_video_id={video.public_id}&content_type=image/png"
    address = creators.post(f"{BASE}/thumbnail/upload-url/?{query}", format="json").json()
    assert put(address, make_picture()) == 200
    DirectUpload.objects.update(look_at=timezone.now())
    assert direct_uploads.find_arrived() == 1
    run(to_check)
    video.refresh_from_db()
    assert not video.poster.startswith("v1/")


def test_a_picture_waits_for_its_film_and_a_bad_one_is_refused(
    creators: APIClient, owner: User, to_check: list[int]
) -> None:
    video = make_video(owner)
    address = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video.pk}", format="json").json()
    put(address, b"no picture")
    upload = DirectUpload.objects.get()
    direct_uploads.note_arrival(upload=upload)
    run(to_check)
    upload.refresh_from_db()
    assert (upload.settled_at, upload.attempts) == (None, 0), "it may wait as often as it has to"
    move_to(video, State.READY)
    checks.check(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.problem_code
    assert creators.get(f"{BASE}/{video.pk}/").json()["upload_problem"] == upload.problem


@pytest.mark.parametrize("query", ["", "?associated_video_id=x", "?associated_video_id=999999"])
def test_a_picture_needs_a_video_of_its_uploader(creators: APIClient, query: str) -> None:
    assert creators.post(f"{BASE}/thumbnail/upload-url/{query}", format="json").status_code in (400, 404)


# --- replacing -------------------------------------------------------------------------------------------------------


def test_a_film_is_replaced_and_a_bad_replacement_changes_nothing(
    creators: APIClient, owner: User, film: bytes, to_check: list[int], enqueued: list[int]
) -> None:
    video = make_playable(owner)
    for content in (b"no film", film):
        address = ask(creators, "upload-url", filename="new.mp4", video_id=video.pk).json()
        put(address, content)
        direct_uploads.note_arrival(upload=DirectUpload.objects.latest("pk"))
        run(to_check)
        shown = creators.get(f"{BASE}/{video.pk}/").json()
        assert shown["is_playable"]
        assert bool(shown["upload_problem"]) == (content != film)
    video.refresh_from_db()
    assert (video.state, newest_run().original, enqueued) == (State.PENDING, address["key"], [video.pk])
    assert video.run == newest_run()


# --- unreported arrivals, and late uploads ---------------------------------------------------------------------------


def test_an_arrival_that_the_client_never_reports_is_found(
    creators: APIClient, film: bytes, to_check: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    describe(creators, address["key"])
    assert direct_uploads.find_arrived() == 0
    put(address, film)
    DirectUpload.objects.update(look_at=timezone.now())
    assert direct_uploads.find_arrived() == 1
    assert len(to_check) == 1


def test_a_lost_check_is_put_on_the_queue_again(
    creators: APIClient, film: bytes, to_check: list[int], memory_queue: MemoryQueue
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    to_check.clear()
    assert direct_uploads.enqueue_lost_checks() == 0
    long_ago = timezone.now() - timedelta(minutes=1)
    DirectUpload.objects.update(arrived_at=long_ago, look_at=long_ago)
    memory_queue.take_all()
    assert direct_uploads.enqueue_lost_checks() == 1
    memory_queue.take_all()
    assert direct_uploads.enqueue_lost_checks() == 0  # not again for a while, although the queue is empty
    run(to_check)
    assert Video.objects.get().state == State.PENDING


def test_an_upload_that_never_arrives_is_given_up(
    creators: APIClient, to_check: list[int], s3_server: Ceph, bucket: str
) -> None:
    key, upload_id = begin(creators)
    put_part(creators, key, upload_id, 1, b"x")
    describe(creators, key)
    DirectUpload.objects.update(expires_at=timezone.now())
    assert direct_uploads.expire() == 1
    assert (Video.objects.get().state, newest_run().error_code) == (State.ERROR, "upload_expired")
    assert not DirectUpload.objects.exists()
    assert not s3_server.client().list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads")
    assert ask(creators, "sign", method="PUT", key=key, uploadId=upload_id, partNumber=2).status_code == 404


def test_rows_of_settled_uploads_are_removed_a_day_later(creators: APIClient, film: bytes, to_check: list[int]) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    run(to_check)
    direct_uploads.expire()
    assert DirectUpload.objects.exists()
    DirectUpload.objects.update(settled_at=timezone.now() - timedelta(days=2))
    direct_uploads.expire()
    assert not DirectUpload.objects.exists()
    discards.remove_due()
    assert Video.objects.get().state == State.PENDING


def test_a_check_runs_once(creators: APIClient, film: bytes, to_check: list[int], enqueued: list[int]) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    for _ in range(3):
        describe(creators, address["key"])
    assert len(set(to_check)) == 1
    run(to_check)
    assert len(enqueued) == 1


def test_a_user_has_a_limited_number_of_uploads_under_way(creators: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_uploads, "MAX_OPEN", 2)
    codes = [ask(creators, "upload-url", filename="a.mp4").status_code for _ in range(3)]
    assert codes == [201, 201, 409]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_public_films_are_listed_and_others_are_not(
    creators: APIClient, as_user: SignIn, owner: User, viewer: User, django_assert_max_num_queries: Any
) -> None:
    public = make_playable(owner)
    make_playable(owner, visibility="PRIVATE")
    make_video(owner)
    with django_assert_max_num_queries(2):
        answer = as_user(viewer).get(f"{BASE}/").json()
    assert [(one["id"], one["processing_status"]) for one in answer["results"]] == [(public.pk, "COMPLETED")]
    assert APIClient().get(f"{BASE}/").status_code == 401


def test_without_a_bucket_no_address_is_signed(creators: APIClient, settings: Any, owner: User) -> None:
    settings.S3_CONNECTION = None
    for route in ("upload-url", f"thumbnail/upload-url/?associated_video_id={make_video(owner).pk}&x="):
        answer = ask(creators, route, filename="a.mp4")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_bucket")
    assert ask(creators, "sign", method="POST", key="a.mp4").status_code == 409
    assert not DirectUpload.objects.exists()


# --- rights, leases and details that change meanwhile ----------------------------------------------------------------


def test_a_user_who_may_no_longer_change_the_video_changes_nothing_by_an_upload(
    creators: APIClient, owner: User, creator: User, film: bytes, to_check: list[int], enqueued: list[int]
) -> None:
    video = make_playable(owner)
    address = ask(creators, "upload-url", filename="new.mp4", video_id=video.pk).json()
    put(address, film)
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    Video.objects.update(owner=creator, visibility="PRIVATE")
    assert describe(creators, address["key"], "Hijacked", visibility="PUBLIC").status_code in (403, 404)
    run(to_check)
    video.refresh_from_db()
    assert (video.title, video.visibility, video.state, enqueued) == ("Big Buck Bunny", "PRIVATE", State.READY, [])
    assert DirectUpload.objects.get().problem_code == "not_allowed"


def test_an_upload_for_a_video_that_was_deleted_is_settled(
    creators: APIClient, owner: User, to_check: list[int]
) -> None:
    video = make_playable(owner)
    address = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video.pk}", format="json").json()
    put(address, make_picture(kind="jpeg"))
    Video.objects.update(deleted_at=timezone.now())
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    run(to_check)
    assert DirectUpload.objects.get().problem_code == "video_deleted"


def test_an_upload_for_a_deleted_film_waits_while_the_deletion_may_be_undone(
    creators: APIClient, film: bytes, owner: User, to_check: list[int], enqueued: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    pk = describe(creators, address["key"]).json()["id"]
    videos.soft_delete(video_id=pk, by=owner)
    run(to_check)
    assert DirectUpload.objects.get().settled_at is None
    assert videos.undo_deletion(video_id=pk, by=owner)
    checks.check(upload_id=DirectUpload.objects.get().pk)
    assert (Video.objects.get().state, enqueued) == (State.PENDING, [pk])


def test_a_picture_that_is_too_large_is_refused_without_being_fetched(
    creators: APIClient, owner: User, to_check: list[int]
) -> None:
    video = make_playable(owner)
    address = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video.pk}", format="json").json()
    put(address, bytes(address["max_bytes"] + 1))
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    run(to_check)
    assert DirectUpload.objects.get().problem_code == "too_large"


def test_a_job_that_lost_its_lease_settles_nothing(
    creators: APIClient, film: bytes, to_check: list[int], enqueued: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    slow = taken()
    DirectUpload.objects.update(free_at=timezone.now())  # the lease has expired
    run(to_check)
    with pytest.raises(LeaseLost):
        checks.refuse_upload(slow, code="x", sentence="y")
    with pytest.raises(LeaseLost):
        Heartbeat(slow)()
    with pytest.raises(LeaseLost):
        slow.release()
    assert (Video.objects.get().state, len(enqueued)) == (State.PENDING, 1)
    assert not Discard.objects.exists()


def test_a_job_that_lost_its_lease_takes_nothing_from_the_job_that_has_it_now(
    creators: APIClient, film: bytes, to_check: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    slow = taken()
    DirectUpload.objects.update(free_at=timezone.now())
    now_held = taken()
    for late in (slow.renew, slow.release, lambda: checks.refuse_upload(slow, code="x", sentence="y")):
        with pytest.raises(LeaseLost):
            late()
    run(to_check)  # a third job finds the upload taken
    assert Video.objects.get().state == State.UPLOADING
    now_held.release(settled_at=timezone.now())
    assert DirectUpload.objects.get().problem_code == ""


def taken() -> DirectUpload:
    """The only upload, as the job that checks it holds it."""
    upload: DirectUpload | None = DirectUpload.objects.filter(settled_at=None).take()
    assert upload
    return upload


def a_week_passes() -> None:
    """Time passes without workers; then the reaper and a cleanup job run, in both orders."""
    long_ago = timezone.now() - timedelta(days=6)
    DirectUpload.objects.update(expires_at=long_ago)
    Discard.objects.update(due_at=long_ago)
    for look_after in (discards.remove_due, direct_uploads.settle_overdue_uploads, discards.remove_due):
        look_after()


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_an_upload_that_has_arrived_is_kept_until_a_worker_checks_it(
    creators: APIClient, film: bytes, to_check: list[int], s3_server: Ceph, bucket: str, is_known: bool
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    describe(creators, address["key"])
    put(address, film)
    if is_known:
        describe(creators, address["key"])
    a_week_passes()
    assert exists(s3_server, bucket, address["key"])
    run(to_check)
    assert Video.objects.get().state == State.PENDING
    discards.remove_due()
    assert exists(s3_server, bucket, address["key"])


def test_an_upload_that_was_never_described_is_removed_in_the_end(
    creators: APIClient, film: bytes, to_check: list[int], s3_server: Ceph, bucket: str
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    a_week_passes()
    assert not DirectUpload.objects.exists()
    assert not exists(s3_server, bucket, address["key"])


def test_an_upload_that_may_have_arrived_is_kept_while_the_storage_is_away(
    creators: APIClient, film: bytes, to_check: list[int], settings: Any
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    describe(creators, address["key"])
    put(address, film)
    connection = settings.S3_CONNECTION
    settings.S3_CONNECTION = replace(connection, endpoint_url="http://127.0.0.1:1", attempts=1)
    a_week_passes()
    settings.S3_CONNECTION = connection
    a_week_passes()
    run(to_check)
    assert Video.objects.get().state == State.PENDING


@pytest.mark.parametrize(
    ("state", "is_kept"), [(State.PENDING, True), (State.PROCESSING, True), (State.READY, True), (State.ERROR, False)]
)
def test_a_picture_is_kept_as_long_as_its_film_may_still_play(
    creators: APIClient, owner: User, to_check: list[int], state: State, is_kept: bool
) -> None:
    video = make_video(owner)
    address = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video.pk}", format="json").json()
    put(address, make_picture())
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    move_to(video, state)
    a_week_passes()
    assert DirectUpload.objects.exists() == is_kept


def test_a_picture_is_kept_while_its_film_waits_for_its_check(
    creators: APIClient, film: bytes, to_check: list[int]
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    video = describe(creators, address["key"]).json()
    picture = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video['id']}", format="json").json()
    for one, content in ((address, film), (picture, make_picture())):
        put(one, content)
        direct_uploads.note_arrival(upload=DirectUpload.objects.get(key=one["key"]))
    a_week_passes()
    assert DirectUpload.objects.count() == 2
    DirectUpload.objects.filter(purpose="video").delete()
    a_week_passes()
    assert not DirectUpload.objects.exists()


def test_an_upload_does_not_expire_during_its_check(creators: APIClient, film: bytes, to_check: list[int]) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    held = taken()
    a_week_passes()
    held.release()
    a_week_passes()
    run(to_check)
    assert Video.objects.get().state == State.PENDING


def test_a_late_upload_is_given_up_only_once_the_job_that_checks_it_is_gone(
    creators: APIClient, owner: User, to_check: list[int]
) -> None:
    video = make_video(owner)
    address = creators.post(f"{BASE}/thumbnail/upload-url/?associated_video_id={video.pk}", format="json").json()
    put(address, make_picture())
    direct_uploads.note_arrival(upload=DirectUpload.objects.get())
    held = taken()
    move_to(video, State.ERROR)  # the picture is of no use any more
    a_week_passes()
    held.renew()
    DirectUpload.objects.update(free_at=timezone.now())  # the job was killed
    a_week_passes()
    assert not DirectUpload.objects.exists()


def test_a_check_that_waits_on_the_queue_is_not_put_there_again(
    creators: APIClient, film: bytes, to_check: list[int], memory_queue: MemoryQueue
) -> None:
    address = ask(creators, "upload-url", filename="a.mp4").json()
    put(address, film)
    describe(creators, address["key"])
    long_ago = timezone.now() - timedelta(minutes=1)
    DirectUpload.objects.update(arrived_at=long_ago, look_at=long_ago)
    memory_queue.waiting["check_upload"] = set(to_check)
    assert direct_uploads.enqueue_lost_checks() == 0


def test_metadata_are_validated_together_with_the_stored_ones(creators: APIClient, owner: User) -> None:
    video = make_video(owner, is_paid=True, price=5)
    address = ask(creators, "upload-url", filename="a.mp4", video_id=video.pk).json()
    assert describe(creators, address["key"], price="0").status_code == 400
    assert describe(creators, address["key"], is_paid=True).status_code == 200


def test_the_key_alone_is_enough_for_an_existing_film(creators: APIClient, owner: User) -> None:
    """An upload without details overwrites none that another user has changed meanwhile."""
    video = make_video(owner, title="Renamed meanwhile")
    address = ask(creators, "upload-url", filename="a.mp4", video_id=video.pk).json()
    assert ask(creators, "metadata", video_s3_key=address["key"]).status_code == 200
    assert Video.objects.get().title == "Renamed meanwhile"
    new = ask(creators, "upload-url", filename="b.mp4").json()
    assert ask(creators, "metadata", video_s3_key=new["key"]).json()["title"] == ["This field is required."]


@pytest.mark.parametrize("route", ["upload-url", "sign", "metadata"])
def test_text_that_cannot_be_encoded_is_refused(creators: APIClient, route: str) -> None:
    body = '{"method": "\\ud800", "key": "\\ud800", "filename": "\\ud800", "title": "\\ud800", "video_s3_key": "x"}'
    answer = creators.post(f"{BASE}/{route}/", body, content_type="application/json")
    assert 400 <= answer.status_code < 500


# --- with real commits -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_described_first", [False, True])
def test_the_check_is_queued_once_a_worker_can_see_file_and_film(
    is_described_first: bool, creators: APIClient, film: bytes, checks_seen: list[Any]
) -> None:
    answer = ask(creators, "upload-url", filename="film.mp4", content_type="video/mp4").json()
    if is_described_first:
        describe(creators, answer["key"])
        assert checks_seen == []
    assert put(answer, film) == 200
    describe(creators, answer["key"])
    assert_one_whole(checks_seen, "Brought")
