"""Faults with real processes: they are killed, and the film is finished all the same."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from local.linux import descendants
from tests.client import Client
from tests.services import Platform, running_with, wait_for


def start_encoding(platform: Platform, clip: Path) -> tuple[Client, int]:
    """Uploads a film and waits until its ffmpeg runs. Returns the client and the id of the video."""
    admin = platform.sign_in()
    uploaded = admin.upload(clip, title="Under fire")
    assert uploaded.status == 201, uploaded.body
    wait_for(lambda: ffmpegs(platform), what="ffmpeg")
    return admin, uploaded.json()["id"]


def ffmpegs(platform: Platform) -> list[int]:
    return [pid for pid in running_with(str(platform.folder / "work")) if is_ffmpeg(pid)]


def is_ffmpeg(pid: int) -> bool:
    try:
        return "ffmpeg" in Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return False


def test_a_killed_work_horse_leaves_no_ffmpeg_and_the_film_is_finished(own_platform: Platform, long_clip: Path) -> None:
    own_platform.start_all()
    admin, video_id = start_encoding(own_platform, long_clip)
    first = ffmpegs(own_platform)
    worker = own_platform.programs["worker"]
    (horse,) = [pid for pid in descendants(worker.pid) if not is_ffmpeg(pid)]
    os.kill(horse, signal.SIGKILL)
    wait_for(lambda: not set(first) & set(ffmpegs(own_platform)), limit_s=15, what="the end of the orphan ffmpeg")
    video = own_platform.wait_until_done(admin, video_id, limit_s=120)
    assert video["processing_state"] == "ready"


def test_a_killed_worker_tree_is_replaced_by_another_worker(own_platform: Platform, long_clip: Path) -> None:
    own_platform.start_all()
    admin, video_id = start_encoding(own_platform, long_clip)
    worker = own_platform.programs["worker"]
    for pid in [worker.pid, *(p for p in descendants(worker.pid) if not is_ffmpeg(p))]:
        with suppress(ProcessLookupError):  # the process ended with its parent
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not ffmpegs(own_platform), limit_s=15, what="the end of the orphan ffmpeg")
    own_platform.start_worker("second")
    video = own_platform.wait_until_done(admin, video_id, limit_s=120)
    assert video["processing_state"] == "ready"
    wait_for(lambda: not list((own_platform.folder / "work").iterdir()), what="an empty work folder")


def test_a_worker_that_is_asked_to_end_hands_the_film_back(own_platform: Platform, long_clip: Path) -> None:
    own_platform.env["LEASE_SECONDS"] = "600"  # the reaper could not take the film back in time
    own_platform.start_all()
    admin, video_id = start_encoding(own_platform, long_clip)
    worker = own_platform.programs.pop("worker")
    worker.terminate()
    assert worker.wait(timeout=15) == 0
    assert not ffmpegs(own_platform)
    assert admin.get(f"/content/{video_id}/").json()["processing_state"] == "pending"
    own_platform.start_worker("second")
    assert own_platform.wait_until_done(admin, video_id)["processing_state"] == "ready"


def test_without_redis_an_upload_waits_and_is_finished_later(own_platform: Platform, clip: Path) -> None:
    own_platform.prepare()
    own_platform.start_web()
    admin = own_platform.sign_in()
    assert admin.get("/health/").json()["status"] == "degraded"
    uploaded = admin.upload(clip, title="Patient")
    assert uploaded.status == 201
    assert admin.get(f"/content/{uploaded.json()['id']}/").json()["processing_state"] == "pending"
    own_platform.start_redis()
    own_platform.start_worker()
    own_platform.start_reaper()
    assert own_platform.wait_until_done(admin, uploaded.json()["id"])["processing_state"] == "ready"
    assert admin.get("/health/").json()["status"] == "ok"


def test_a_redis_that_restarts_empty_loses_no_work(own_platform: Platform, clip: Path) -> None:
    own_platform.start_redis()
    own_platform.prepare()
    own_platform.start_web()
    admin = own_platform.sign_in()
    uploaded = admin.upload(clip, title="Flushed")
    own_platform.kill("redis")
    own_platform.start_redis()
    own_platform.start_worker()
    own_platform.start_reaper()
    assert own_platform.wait_until_done(admin, uploaded.json()["id"])["processing_state"] == "ready"


def test_a_film_deleted_while_it_is_encoded_stops_the_work(own_platform: Platform, long_clip: Path) -> None:
    own_platform.start_all()
    admin, video_id = start_encoding(own_platform, long_clip)
    assert admin.request("DELETE", f"/api/v1/videos/{video_id}/", headers={"Origin": admin.origin}).status == 204
    wait_for(lambda: not ffmpegs(own_platform), limit_s=10, what="the end of ffmpeg")
    wait_for(lambda: not list((own_platform.folder / "work").iterdir()), what="an empty work folder")
    assert not list((own_platform.folder / "media" / "videos").glob("*/*"))


def test_a_hung_encoder_is_ended_and_the_film_given_up_in_the_end(own_platform: Platform, clip: Path) -> None:
    fake = own_platform.folder / "ffmpeg"
    real = "ffmpeg"
    fake.write_text(f'#!/bin/sh\ncase "$*" in *filter_complex*) exec sleep 600;; *) exec {real} "$@";; esac\n')
    fake.chmod(0o755)
    own_platform.env |= {"FFMPEG_BIN": str(fake), "STALL_SECONDS": "1", "MAX_ATTEMPTS": "2"}
    own_platform.start_all()
    admin = own_platform.sign_in()
    began = time.monotonic()
    video = own_platform.wait_until_done(admin, admin.upload(clip, title="Hung").json()["id"])
    assert (video["processing_state"], video["processing_error_code"]) == ("error", "encoder_failed")
    assert time.monotonic() - began < 60
    assert not running_with(str(own_platform.folder / "work"))
