"""The pages of the queue at /django-rq/: for staff, with failed jobs, without secrets, and never a 500."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker

from local import redis
from tests.services import wait_for
from users_app.models import User

PASSWORD = "a-secret-of-the-queue"


@pytest.fixture
def media_queue(tmp_path: Path, settings: Any) -> Iterator[Queue]:
    """A queue on a Redis of this test with a password."""
    socket = redis.choose_socket(tmp_path)
    args = redis.server_args(redis.find_server(), socket_path=socket, folder=tmp_path)
    server = subprocess.Popen([*args, "--requirepass", PASSWORD], stdout=subprocess.DEVNULL)
    url = redis.url_of(socket).replace("unix://", f"unix://:{PASSWORD}@")
    settings.RQ_QUEUES = {"default": {"URL": url}, "media": {"URL": url}}
    try:
        with Redis.from_url(url) as connection:
            wait_for(lambda: is_up(connection), what="Redis")
            yield Queue("media", connection=connection)
    finally:
        server.kill()
        server.wait()


def is_up(connection: Redis) -> bool:
    try:
        return bool(connection.ping())
    except RedisError:
        return False


def crash() -> None:
    raise ValueError("what went wrong in the job")


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_staff_see_failed_jobs_and_no_secrets(staff: Client, media_queue: Queue) -> None:
    job = media_queue.enqueue(crash)
    SimpleWorker([media_queue], connection=media_queue.connection).work(burst=True)
    result = job.latest_result()
    assert result is not None
    pages = {
        path: staff.get(f"/django-rq/{path}")
        for path in (
            *("", "queues/1/details/", "queues/1/failed/", "workers/1/", "stats.json"),
            *(f"queues/1/{job.id}/", f"queues/1/{job.id}/results/{result.id}/"),
        )
    }
    assert {page.status_code for page in pages.values()} == {200}
    assert job.id in pages["queues/1/failed/"].content.decode()
    assert "what went wrong in the job" in pages[f"queues/1/{job.id}/results/{result.id}/"].content.decode()
    for path, page in pages.items():
        assert PASSWORD not in page.content.decode(), path
        assert "another-secret" not in page.content.decode(), path


@pytest.mark.parametrize("path", ["queues/99/details/", "queues/1/no-such-job/", "workers/1/nobody/", "queues/99/"])
def test_unknown_queues_jobs_and_workers_are_not_found(path: str, staff: Client, media_queue: Queue) -> None:
    assert staff.get(f"/django-rq/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "queues/0/", "queues/0/failed/", "stats.json"])
def test_without_redis_a_sentence_says_so(path: str, staff: Client) -> None:
    """Nothing listens at the REDIS_URL of the tests."""
    response = staff.get(f"/django-rq/{path}")
    assert response.status_code == 503
    assert "The queue cannot be reached" in response.content.decode()


@pytest.mark.parametrize("path", ["", "queues/0/", "queues/0/failed/", "stats.json"])
def test_users_who_are_not_staff_are_refused(path: str, client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get(f"/django-rq/{path}").status_code in (302, 401)
