"""`manage.py rqworker` with real work-horses, on a Redis of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job

from local import redis
from tests.services import PROJECT, Platform, wait_for

LIMIT_S = 30


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    socket_path = redis.choose_socket(tmp_path)
    with subprocess.Popen(redis.server_args(redis.find_server(), socket_path=socket_path, folder=tmp_path)) as server:
        wait_for(lambda: redis.is_up(socket_path))
        yield redis.url_of(socket_path)
        server.terminate()


@pytest.fixture
def start_worker(redis_url: str) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    workers: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, "REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        workers.append(subprocess.Popen([sys.executable, "manage.py", "rqworker", *arguments], cwd=PROJECT, env=env))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


@pytest.fixture
def queues(redis_url: str) -> Iterator[dict[str, Queue]]:
    with Redis.from_url(redis_url) as connection:
        yield {name: Queue(name, connection=connection) for name in ("default", "media")}


def is_alive(pid: int) -> bool:
    """True while the process runs; False also for a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def horse_of(worker: subprocess.Popen[bytes], job: Job) -> int:
    """Returns the worker's only child once the job runs; before that, loading libraries may start programs."""
    wait_for(lambda: job.get_status(refresh=True) == "started")
    (horse,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    return int(horse)


def test_without_arguments_it_serves_every_queue(
    start_worker: Callable[..., subprocess.Popen[bytes]], queues: dict[str, Queue]
) -> None:
    jobs = [queue.enqueue("os.getpid") for queue in queues.values()]
    assert start_worker("--burst").wait(LIMIT_S) == 0
    assert all(job.get_status(refresh=True) == "finished" for job in jobs)


def test_with_arguments_it_serves_these_only(
    start_worker: Callable[..., subprocess.Popen[bytes]], queues: dict[str, Queue]
) -> None:
    jobs = [queue.enqueue("os.getpid") for queue in queues.values()]
    assert start_worker("media", "--burst").wait(LIMIT_S) == 0
    assert [job.get_status(refresh=True) for job in jobs] == ["queued", "finished"]


def test_a_worker_that_is_killed_takes_its_work_horse_along(
    start_worker: Callable[..., subprocess.Popen[bytes]], queues: dict[str, Queue]
) -> None:
    job = queues["media"].enqueue("time.sleep", 1000)
    worker = start_worker()
    horse = horse_of(worker, job)
    worker.kill()
    wait_for(lambda: not is_alive(horse))


def test_a_worker_that_is_asked_to_end_does_not_wait_for_its_job(
    start_worker: Callable[..., subprocess.Popen[bytes]], queues: dict[str, Queue]
) -> None:
    job = queues["media"].enqueue("time.sleep", 1000)
    worker = start_worker()
    horse = horse_of(worker, job)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert not is_alive(horse)


# Jobs as the former version put them on the queues of running sites: (queue, function, arguments).
QUEUED_BEFORE = [
    ("media", "content_app.jobs.process_video", (404,)),
    ("default", "content_app.jobs.inspect_video", (404,)),
    ("default", "content_app.jobs.check_upload", (404,)),
    ("default", "content_app.jobs.remove_discards", ()),
    ("default", "users_app.jobs.send_mail", (404,)),
]


def test_jobs_that_the_version_before_put_on_the_queue_are_done(own_platform: Platform) -> None:
    own_platform.start_redis()
    own_platform.prepare()
    with Redis.from_url(own_platform.env["REDIS_URL"]) as connection:
        jobs = [
            Queue(name, connection=connection).enqueue_call(function, args=args, meta={"origin": {"request_id": "x"}})
            for name, function, args in QUEUED_BEFORE
        ]
        worked = own_platform.manage("rqworker", "--burst")
        assert worked.returncode == 0, worked.stderr
        assert {job.func_name: job.get_status(refresh=True).value for job in jobs} == {
            function: "finished" for _, function, _ in QUEUED_BEFORE
        }
