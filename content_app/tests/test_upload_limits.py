"""The number of uploads that a user begins is limited, and cancelled ones are removed without delaying others."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import django_rq
import pytest
from django.db import transaction
from django.utils import timezone
from redis import Redis
from rest_framework.test import APIClient
from rq import Queue

from background.queue import HOUSEKEEPING
from content_app import jobs, queue
from content_app.models import DirectUpload, Discard
from content_app.services.storage import discards
from content_app.services.uploads import direct_uploads
from content_app.tests.factories import make_upload, make_video
from content_app.tests.test_tus import V1, begin, begun, head, offset_of, patch
from local import redis
from tests.services import wait_for
from users_app.models import User
from users_app.queue import enqueue_mail

SignIn = Callable[[User], APIClient]
UPLOAD = "/api/v1/upload/videos"
VIDEOS = "/api/v1/videos/"


@pytest.fixture
def creators(as_user: SignIn, owner: User) -> APIClient:
    return as_user(owner)


# --- a minute, and at once -------------------------------------------------------------------------------------------


def ask(route: str, **body: Any) -> Callable[[APIClient, User], Any]:
    return lambda client, owner: client.post(f"{UPLOAD}/{route}/", body, format="json")


def thumbnail(client: APIClient, owner: User) -> Any:
    return client.post(f"{UPLOAD}/thumbnail/upload-url/?associated_video_id={make_video(owner).pk}", format="json")


IN_A_FOLDER: dict[str, Callable[[APIClient, User], Any]] = {
    "tus": lambda client, owner: begin(client),
    "a form": lambda client, owner: client.post(VIDEOS, {"title": "x", "file": make_upload()}),
    "another file": lambda client, owner: client.patch(f"{VIDEOS}{make_video(owner).pk}/", {"file": make_upload()}),
}
IN_A_BUCKET: dict[str, Callable[[APIClient, User], Any]] = {
    "an address": ask("upload-url", filename="a.mp4"),
    "an address for a picture": thumbnail,
    "parts": ask("sign", method="POST", key="a.mp4"),
    "a signed form": ask("sign", method="PUT", key="a.mp4"),
}


@pytest.mark.usefixtures("enqueued")
@pytest.mark.parametrize("way", [*IN_A_FOLDER, *IN_A_BUCKET])
def test_a_user_begins_a_limited_number_a_minute(
    way: str, creators: APIClient, owner: User, creator: User, as_user: SignIn, settings: Any,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if way in IN_A_BUCKET:
        request.getfixturevalue("_on_bucket")
    do = {**IN_A_FOLDER, **IN_A_BUCKET}[way]
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "upload": 2}
    assert [do(creators, owner).status_code < 300 for _ in range(2)] == [True, True]
    before = DirectUpload.objects.count()
    refused = do(creators, owner)
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert int(refused["Retry-After"]) > 0
    assert DirectUpload.objects.count() == before
    assert do(as_user(creator), creator).status_code < 300, "other users are counted separately"


@pytest.mark.usefixtures("enqueued")
def test_requests_of_a_begun_upload_are_not_counted(creators: APIClient, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "upload": 1}
    url = begun(creators, 20)
    for offset in range(10):
        assert patch(creators, url, b"x", offset).status_code == 204
    assert (offset_of(creators, url), head(creators, url).status_code) == (10, 200)
    assert creators.get(VIDEOS).status_code == 200
    assert creators.delete(url, headers=V1).status_code == 204
    assert begin(creators).status_code == 429


# --- removal ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def housekeeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """The queue of mails and cleanups, on a real Redis and without a worker."""
    socket_path = redis.choose_socket(tmp_path)
    with Popen(redis.server_args(redis.find_server(), socket_path=socket_path, folder=tmp_path)) as server:
        wait_for(lambda: redis.is_up(socket_path), what="Redis")
        with Redis.from_url(redis.url_of(socket_path)) as connection:
            monkeypatch.setattr(django_rq, "get_queue", lambda name: Queue(name, connection=connection))
            yield Queue(HOUSEKEEPING, connection=connection)
        server.terminate()


def names(of: Queue) -> list[str]:
    return [job_id.partition("-")[0] for job_id in of.get_job_ids()]


def take_up_all(of: Queue) -> None:
    """Empties the queue, as a worker does."""
    of.connection.delete(of.key)


def let_go(number: int) -> None:
    with transaction.atomic():
        discards.discard(prefixes=[f"originals/{number}"])


@pytest.mark.django_db(transaction=True)
def test_a_thousand_cancelled_uploads_are_one_cleanup(housekeeping: Queue, owner: User) -> None:
    for _ in range(100):
        direct_uploads.cancel(upload=direct_uploads.announce(owner=owner, size_bytes=1))
    assert names(housekeeping) == ["remove_discards"]
    take_up_all(housekeeping)
    with ThreadPoolExecutor(8) as pool:  # as several web processes do
        assert all(pool.map(lambda _: queue.enqueue_cleanup(), range(1000)))
    assert Discard.objects.count() == 100
    assert names(housekeeping) == ["remove_discards"]


@pytest.mark.django_db(transaction=True)
def test_mails_do_not_wait_for_the_end_of_a_long_cleanup(housekeeping: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_DISCARDS", 2)
    for number in range(3):
        let_go(number)
    take_up_all(housekeeping)  # a worker has taken up the cleanup
    enqueue_mail(7)
    jobs.remove_discards()
    assert (Discard.objects.count(), names(housekeeping)) == (1, ["send_mail", "remove_discards"])
    take_up_all(housekeeping)
    jobs.remove_discards()
    assert (Discard.objects.count(), names(housekeeping)) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_a_cleanup_is_enqueued_again_once_the_last_one_was_taken_up(housekeeping: Queue) -> None:
    let_go(1)
    take_up_all(housekeeping)
    let_go(2)
    assert names(housekeeping) == ["remove_discards"]


def test_without_a_queue_the_reaper_removes_it(db: None) -> None:
    assert not queue.enqueue_cleanup()
    discards.discard(prefixes=["originals/x"], due_at=timezone.now() - timedelta(seconds=1))
    assert discards.remove_due() == 1
