"""The cache of videos: never older than the last commit, and not needed."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from rest_framework.test import APIClient

from content_app import queries, video_cache
from content_app.models import CacheDoubt, Category, Rendition, Video
from content_app.services.additions import captions, posters
from content_app.services.catalogue import videos
from content_app.services.processing import lifecycle
from content_app.services.processing.lifecycle import Published
from content_app.states import State
from content_app.tests.factories import make_caption, make_category, make_playable, make_video, store_objects
from local import redis
from media_pipeline.errors import NotAVideo
from tests.services import wait_for
from users_app.models import User

SignIn = Callable[[User], APIClient]


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("redis")
    path = redis.choose_socket(folder)
    server = subprocess.Popen(redis.server_args(redis.find_server(), socket_path=path, folder=folder))
    try:
        wait_for(lambda: redis.is_up(path), what="Redis")
        yield path
    finally:
        server.kill()
        server.wait()


@pytest.fixture(autouse=True)
def _own_cache(socket: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, enqueued: list[int]) -> Iterator[None]:
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    monkeypatch.setattr(video_cache, "breaker", video_cache.CacheBreaker())
    use(settings, redis.url_of(socket))
    cache.clear()
    yield
    cache.close()


def use(settings: Any, url: str) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": url}}


@pytest.fixture
def video(owner: User) -> Video:
    original = {"video_file": "originals/x/y.mp4", "accepted_original": "originals/x/y.mp4"}
    return make_playable(owner, category=make_category("Drama"), **original)


@pytest.mark.parametrize("name", ["pk", "public_id"])
def test_a_second_read_needs_no_query(video: Video, viewer: User, django_assert_num_queries: Any, name: str) -> None:
    first = queries.find_visible(viewer, getattr(video, name))
    with django_assert_num_queries(0):
        second = queries.find_visible(viewer, getattr(video, name))
        assert second.category is not None
        assert [one.name for one in second.renditions.all()] == [one.name for one in first.renditions.all()]
    assert second.title == first.title


def test_the_cache_does_not_decide_who_may_find_a_video(
    video: Video, owner: User, creator: User, admin: User, as_user: SignIn
) -> None:
    Video.objects.filter(pk=video.pk).update(visibility="PRIVATE")
    for _ in range(2):
        answers = [as_user(person).get(f"/content/{video.pk}/").status_code for person in (owner, admin, creator)]
        assert answers == [200, 200, 404]
    Video.objects.filter(pk=video.pk).update(visibility="UNLISTED")
    by_id, by_link = f"/content/{video.pk}/", f"/content/{video.public_id}/"
    assert [as_user(creator).get(path).status_code for path in (by_id, by_link)] == [404, 200]


def edit_title(video: Video) -> None:
    videos.edit(video_id=video.pk, by=video.owner, changes={"title": "Another title"})


def hide(video: Video) -> None:
    videos.soft_delete(video_id=video.pk)


def save(video: Video) -> None:
    video.description = "Said anew"
    video.save()


def rename_category(video: Video) -> None:
    category = Category.objects.get()
    category.name = "Comedy"
    category.save()


def retry(video: Video) -> None:
    lifecycle.retry(video_id=video.pk)


def choose_poster(video: Video) -> None:
    posters.choose(video_id=video.pk, number=2)


def publish(video: Video) -> None:
    Video.objects.update(state=State.PENDING)
    claim = lifecycle.claim(video_id=video.pk)
    assert claim
    lifecycle.mark_ready(
        claim=claim,
        published=Published(
            "v2", 5.0, 640, 360, 10, [rendition_of(video)], [], poster_choices=1, work_pixels=1, work_s=1
        ),
    )


def rendition_of(video: Video) -> Rendition:
    return Rendition(video=video, version="v2", name="360p", width=640, height=360, frame_rate="24", codecs="",
                     peak_bps=1, average_bps=1, size_bytes=1, frames=1)  # fmt: skip


def fail(video: Video) -> None:
    Video.objects.update(state=State.PENDING)
    claim = lifecycle.claim(video_id=video.pk)
    assert claim
    lifecycle.mark_failed(claim=claim, error=NotAVideo())


def progress(video: Video) -> None:
    Video.objects.update(state=State.PENDING)
    claim = lifecycle.claim(video_id=video.pk)
    assert claim
    lifecycle.record_progress(claim=claim, percent=42)


CHANGES = [edit_title, hide, save, rename_category, retry, choose_poster, publish, fail, progress]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_change_is_seen_at_once(
    video: Video, owner: User, as_user: SignIn, change: Callable[[Video], None]
) -> None:
    paths = (f"/content/{video.pk}/", f"/content/{video.public_id}/")
    before = [as_user(owner).get(path).json() for path in paths]
    change(video)
    after = [as_user(owner).get(path).json() for path in paths]
    assert all(new != old for new, old in zip(after, before, strict=True))
    fresh = Video.objects.filter(pk=video.pk, deleted_at=None).first()
    assert all(("id" in answer) == (fresh is not None) for answer in after)


def test_captions_are_not_cached(video: Video, owner: User, as_user: SignIn) -> None:
    store_objects(video)
    path = f"/api/v1/stream/{video.public_id}/master.m3u8"
    assert "SUBTITLES" not in as_user(owner).get(path).content.decode()
    make_caption(video)
    assert "SUBTITLES" in as_user(owner).get(path).content.decode()
    captions.remove_captions(video_id=video.pk, language="de")
    assert "SUBTITLES" not in as_user(owner).get(path).content.decode()


def test_a_row_read_before_a_change_is_not_cached_after_it(video: Video, owner: User) -> None:
    def load_slowly() -> Video:
        found = Video.objects.get(pk=video.pk)
        edit_title(video)  # another request changes the row first
        return found

    assert video_cache.get_or_load(video.pk, load_slowly)
    assert queries.find_visible(owner, video.pk).title == "Another title"


def test_a_change_that_is_rolled_back_changes_nothing(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    queries.find_visible(owner, video.pk)
    monkeypatch.setattr(transaction, "on_commit", lambda function: None)  # the transaction is not committed
    Video.objects.filter(pk=video.pk).update(title="Never")
    with django_assert_num_queries(0):
        assert queries.find_visible(owner, video.pk).title == video.title


def test_without_redis_requests_succeed_and_the_log_says_it_once(
    video: Video, owner: User, as_user: SignIn, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    for _ in range(3):
        assert as_user(owner).get(f"/content/{video.pk}/").status_code == 200
        edit_title(video)
    assert sum("the cache cannot be reached" in record.message for record in caplog.records) == 1


def test_when_redis_is_back_old_entries_are_dropped(
    video: Video, owner: User, settings: Any, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_cache, "PAUSE_S", 0.0)
    queries.find_visible(owner, video.pk)
    use(settings, "redis://127.0.0.1:1/0")
    edit_title(video)  # the cache cannot be told
    use(settings, redis.url_of(socket))
    assert queries.find_visible(owner, video.pk).title == "Another title"


def test_a_missing_video_is_not_cached(owner: User) -> None:
    assert video_cache.get_or_load(999_999, lambda: None) is None
    video = make_video(owner, pk=999_999)
    assert queries.find_visible(owner, video.pk).title == video.title


def test_a_long_running_process_notices_an_outage(
    video: Video, owner: User, settings: Any, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_cache, "PAUSE_S", 0.0)
    queries.find_visible(owner, video.pk)
    use(settings, "redis://127.0.0.1:1/0")
    video_cache.watch_cache()
    Video.objects.filter(pk=video.pk).update(title="Changed by a process that has ended")
    use(settings, redis.url_of(socket))
    video_cache.watch_cache()
    assert queries.find_visible(owner, video.pk).title == "Changed by a process that has ended"


def test_a_change_by_a_process_that_has_ended_is_handled_by_the_next_one(
    video: Video, owner: User, settings: Any, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries.find_visible(owner, video.pk)
    use(settings, "redis://127.0.0.1:1/0")
    edit_title(video)
    assert CacheDoubt.objects.exists()
    # Another process, which has not seen the outage.
    monkeypatch.setattr(video_cache, "breaker", video_cache.CacheBreaker())
    use(settings, redis.url_of(socket))
    video_cache.watch_cache()
    assert not CacheDoubt.objects.exists()
    assert queries.find_visible(owner, video.pk).title == "Another title"
