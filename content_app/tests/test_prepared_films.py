"""The prepared JSON of films: always that of the last commit, whatever is kept where."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import F, prefetch_related_objects
from redis import Redis
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient

from content_app.api import film_bytes
from content_app.api.links import Links
from content_app.api.serializers import VideoSerializer
from content_app.models import Category, Favorite, Run, Version, Video
from content_app.queries import visible_to, with_details, with_rows_of_making
from content_app.services.additions import captions, posters
from content_app.services.catalogue import personal_data, prepared_films, videos
from content_app.services.catalogue.prepared_films import PreparedFilm, PreparedFilms, ProcessStore, RedisStore
from content_app.services.processing import lifecycle
from content_app.services.processing.forecast import Forecast
from content_app.services.processing.lifecycle import Published
from content_app.states import State, Visibility
from content_app.tests.factories import (
    make_caption,
    make_category,
    make_playable,
    make_rendition,
    make_video,
    refuse_candidate,
    store_objects,
)
from local import redis
from media_pipeline.errors import EncoderFailed, NotAVideo
from tests.services import wait_for
from users_app.models import User

SignIn = Callable[[User], APIClient]
ORIGINAL = "originals/x/y.mp4"


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


class Processes:
    """Two web processes, each with a store of its own, and one Redis behind them."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.redis = Redis.from_url(url)
        self.redis.flushall()
        self.both = [PreparedFilms(ProcessStore(max_bytes=10**7), RedisStore(self.redis)) for _ in range(2)]
        self.current = self.both[0]
        monkeypatch.setattr(film_bytes, "prepared_films", lambda: self.current)

    def each(self) -> Iterator[PreparedFilms]:
        """Lets each process answer in turn."""
        for process in self.both:
            self.current = process
            yield process

    def use_redis(self, url: str) -> None:
        for process in self.both:
            process.shared = RedisStore(Redis.from_url(url))


@pytest.fixture(autouse=True)
def processes(socket: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, enqueued: list[int]) -> Iterator[Processes]:
    settings.BACKEND_ORIGIN = "http://testserver"
    processes = Processes(redis.url_of(socket), monkeypatch)
    yield processes
    processes.redis.close()


@pytest.fixture
def video(owner: User) -> Video:
    return make_playable(owner, category=make_category("Drama"), original=ORIGINAL, title="One")


def with_a_refusal(film: Video) -> Video:
    refuse_candidate(film, error_code="truncated", error_message="It ends early.")
    return film


@pytest.fixture
def others(owner: User) -> list[Video]:
    """Films beside it, of each kind."""
    return [
        make_playable(owner, title="Free"),
        make_playable(owner, title="Paid", is_paid=True, price=3, category=make_category("Western")),
        make_playable(owner, title="Hidden", visibility=Visibility.PRIVATE),
        make_playable(owner, title="By link", visibility=Visibility.UNLISTED),
        make_video(owner, title="Waits", state=State.PENDING),
        make_video(owner, title="Failed", state=State.ERROR, error_code="not_a_video", progress=42),
        with_a_refusal(make_playable(owner, title="Kept", work_s=70)),
    ]


def as_serialized(request: Any, person: User) -> list[bytes]:
    """The films of this user's list, each as the serializer alone shows its row."""
    context = {"links": Links(request), "person": person, "forecast": Forecast()}
    return [
        JSONRenderer().render(VideoSerializer(film, context=context).data)
        for film in with_details(visible_to(person)).order_by("-created_at", "-pk")
    ]


def assert_current(person: User, client: APIClient, rf: Any) -> list[bytes]:
    """Asserts that all routes show the films as the serializer shows the rows. Returns their texts."""
    films = as_serialized(rf.get("/"), person)
    assert client.get("/content/").content == b"[" + b",".join(films) + b"]"
    page = client.get("/api/v1/videos/", {"page_size": 100}).content
    assert page == b'{"next":null,"previous":null,"results":[' + b",".join(films) + b"]}"
    for film, pk in zip(films, [one["id"] for one in client.get("/content/").json()], strict=True):
        assert client.get(f"/content/{pk}/").content == film
        assert client.get(f"/api/v1/videos/{pk}/").content == film
    return films


def test_what_is_prepared_is_what_the_serializer_shows(
    video: Video, others: list[Video], owner: User, viewer: User, admin: User, as_user: SignIn, rf: Any,
    processes: Processes,
) -> None:  # fmt: skip
    Favorite.objects.create(user=viewer, video=others[3])
    for _ in processes.each():
        for person, count in ((owner, 8), (viewer, 4), (admin, 8)):
            for _ in range(2):
                assert len(assert_current(person, as_user(person), rf)) == count


# --- every way in which a film changes -------------------------------------------------------------------------------


def edit_title(video: Video) -> None:
    videos.edit(video_id=video.pk, by=video.owner, changes={"title": "Another title"})


def make_private(video: Video) -> None:
    videos.edit(video_id=video.pk, by=video.owner, changes={"visibility": Visibility.PRIVATE})


def ask_for_money(video: Video) -> None:
    videos.edit(video_id=video.pk, by=video.owner, changes={"is_paid": True, "price": 3})


def hide(video: Video) -> None:
    videos.soft_delete(video_id=video.pk)


def hide_with_its_owner(video: Video) -> None:
    personal_data.remove_films_and_marks(video.owner)


def save(video: Video) -> None:
    video.description = "Said anew"
    video.save()


def save_in_the_admin_site(video: Video) -> None:
    video.title = "Of the form"
    videos.save(video=video, changed=["title"])


def save_a_locked_row(video: Video) -> None:
    with transaction.atomic():
        locked = Video.objects.select_for_update().get(pk=video.pk)
        locked.title = "Locked"
        locked.save(update_fields=["title"])


def save_an_instance_with_few_fields(video: Video) -> None:
    few = Video.objects.only("title", "video_file").get(pk=video.pk)
    few.title = "Few fields"
    few.save(update_fields=["title"])


def update_many(video: Video) -> None:
    Video.objects.update(title="All the same")


def update_by_an_expression(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(title=F("currency"))


def update_in_bulk(video: Video) -> None:
    video.title = "In bulk"
    Video.objects.bulk_update([video], ["title"])


def update_by_the_owner(video: Video) -> None:
    video.owner.videos.update(currency="CHF")


def update_or_create(video: Video) -> None:
    Video.objects.update_or_create(pk=video.pk, defaults={"title": "Updated"})


def move_to_another_category(video: Video) -> None:
    videos.edit(video_id=video.pk, by=video.owner, changes={"category": make_category("Comedy")})


def rename_category(video: Video) -> None:
    category = Category.objects.get(name="Drama")
    category.name = "Comedy"
    category.save()


def rename_categories_at_once(video: Video) -> None:
    Category.objects.filter(name="Drama").update(name="Tragedy")


def remove_category(video: Video) -> None:
    Category.objects.get(name="Drama").delete()


def feature(video: Video) -> None:
    videos.feature(video_id=video.pk)


def retry(video: Video) -> None:
    lifecycle.retry(video_id=video.pk)


def choose_poster(video: Video) -> None:
    posters.choose(video_id=video.pk, number=2)


def claimed(video: Video) -> Run:
    lifecycle.retry(video_id=video.pk)
    run = lifecycle.claim(video_id=video.pk)
    assert run
    return run


def claim(video: Video) -> None:
    claimed(video)


def progress(video: Video) -> None:
    lifecycle.record_progress(run=claimed(video), percent=42, time_left_s=7)


def publish(video: Video) -> None:
    version = Version(folder="v2", duration_s=5, width=640, height=360, size_bytes=10, poster_choices=1)
    published = Published(version, [make_rendition(None, "360p")], [], work_pixels=1, work_s=1)
    lifecycle.mark_ready(run=claimed(video), published=published)


def fail(video: Video) -> None:
    lifecycle.mark_failed(run=claimed(video), error=NotAVideo())


def fail_for_a_while(video: Video) -> None:
    lifecycle.mark_failed(run=claimed(video), error=EncoderFailed())


def hand_back(video: Video) -> None:
    lifecycle.hand_back(run=claimed(video))


def refuse_a_new_file(video: Video) -> None:
    lifecycle.note_refusal(video_id=video.pk, name="song.mp3", error=NotAVideo(), verdict={})


CHANGES = [
    *(edit_title, make_private, ask_for_money, hide, hide_with_its_owner, save, save_in_the_admin_site),
    *(save_a_locked_row, save_an_instance_with_few_fields, update_many, update_by_an_expression, update_in_bulk),
    *(update_by_the_owner, update_or_create, move_to_another_category, rename_category, rename_categories_at_once),
    *(remove_category, feature, retry, choose_poster, claim, progress, publish, fail, fail_for_a_while, hand_back),
    *(refuse_a_new_file,),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_committed_change_is_seen_by_the_next_request_to_any_process(
    video: Video, owner: User, viewer: User, admin: User, as_user: SignIn, rf: Any, processes: Processes,
    change: Callable[[Video], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    people = (owner, viewer, admin)
    for _ in processes.each():
        before = [assert_current(person, as_user(person), rf) for person in people]
    tags = [as_user(person).get("/content/")["ETag"] for person in people]
    # What would run after the commit never runs: the process has ended.
    monkeypatch.setattr(transaction, "on_commit", lambda function: None)
    change(video)
    for _ in processes.each():
        after = [assert_current(person, as_user(person), rf) for person in people]
        assert after[0] != before[0]
        for person, tag, old, new in zip(people, tags, before, after, strict=True):
            answer = as_user(person).get("/content/", headers={"If-None-Match": tag})
            assert (answer.status_code == 304) == (old == new) or answer["ETag"] != tag


def test_a_dismissed_refusal_is_gone(video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes) -> None:
    refuse_a_new_file(video)
    for _ in processes.each():
        assert b"not_a_video" in assert_current(owner, as_user(owner), rf)[0]
    lifecycle.dismiss_refusal(video_id=video.pk)
    for _ in processes.each():
        assert b"not_a_video" not in assert_current(owner, as_user(owner), rf)[0]


def test_a_restored_film_is_back(video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes) -> None:
    before = assert_current(owner, as_user(owner), rf)
    hide(video)
    assert assert_current(owner, as_user(owner), rf) == []
    videos.restore(video_id=video.pk)
    for _ in processes.each():
        assert len(assert_current(owner, as_user(owner), rf)) == len(before)


def test_a_change_that_is_rolled_back_changes_nothing_even_when_it_was_read(
    video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes
) -> None:
    before = assert_current(owner, as_user(owner), rf)
    with transaction.atomic():
        edit_title(video)
        assert assert_current(owner, as_user(owner), rf) != before
        transaction.set_rollback(True)
    assert assert_current(owner, as_user(owner), rf) == before
    Video.objects.filter(pk=video.pk).update(title="The next one")
    for _ in processes.each():
        assert b"The next one" in assert_current(owner, as_user(owner), rf)[0]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_right_after_the_commit_leaves_nothing_old(
    video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes
) -> None:
    for _ in processes.each():
        assert_current(owner, as_user(owner), rf)
    connections.close_all()
    if not (pid := os.fork()):
        try:
            edit_title(video)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    for _ in processes.each():
        assert b"Another title" in assert_current(owner, as_user(owner), rf)[0]


# --- what is kept may be lost, and may be from another time ----------------------------------------------------------


def test_another_process_finds_in_redis_what_the_first_prepared(
    video: Video, owner: User, as_user: SignIn, processes: Processes, django_assert_num_queries: Any
) -> None:
    for process, queries in zip(processes.each(), (4, 1), strict=True):
        with django_assert_num_queries(queries):
            as_user(owner).get("/content/")
        with django_assert_num_queries(1):
            as_user(owner).get("/content/")
        assert len(process.process.values) == 1
    values = [processes.redis.get(key) for key in processes.redis.keys("film:*")]
    assert [PreparedFilm.unpack(value).owner_id for value in values if isinstance(value, bytes)] == [owner.pk]


def test_a_version_that_is_replaced_while_a_film_is_prepared_is_not_kept_without_its_renditions(
    video: Video, owner: User, as_user: SignIn, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace_after_the_row_was_read(videos: Any) -> Any:
        monkeypatch.setattr(film_bytes, "with_details", with_details)
        rows = list(with_rows_of_making(videos).select_related("category"))
        publish(video)
        prefetch_related_objects(rows, "version__renditions")
        return rows

    monkeypatch.setattr(film_bytes, "with_details", replace_after_the_row_was_read)
    as_user(owner).get("/content/")
    assert_current(owner, as_user(owner), rf)


def test_an_empty_redis_costs_time_only(
    video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes
) -> None:
    assert_current(owner, as_user(owner), rf)
    processes.redis.flushall()
    edit_title(video)
    for _ in processes.each():
        assert b"Another title" in assert_current(owner, as_user(owner), rf)[0]


def test_what_redis_holds_and_no_process_wrote_is_not_used(
    video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes
) -> None:
    as_user(owner).get("/content/")
    for key in processes.redis.keys("film:*"):
        processes.redis.set(key, b"anything")
    _, processes.current = processes.both
    assert_current(owner, as_user(owner), rf)


def test_without_redis_requests_succeed_and_the_log_says_it_once(
    video: Video, owner: User, as_user: SignIn, rf: Any, processes: Processes, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    processes.use_redis("redis://127.0.0.1:1/0")
    monkeypatch.setattr(prepared_films, "PAUSE_S", 0.0)
    for number in range(3):
        Video.objects.filter(pk=video.pk).update(title=f"Title {number}")
        assert f"Title {number}".encode() in assert_current(owner, as_user(owner), rf)[0]
    assert sum("Redis cannot be reached" in record.message for record in caplog.records) == 1


def test_a_redis_that_does_not_answer_is_asked_once_in_each_pause(processes: Processes) -> None:
    processes.use_redis("redis://127.0.0.1:1/0")
    shared = processes.both[0].shared
    assert shared.ask([("PING",)]) == []
    processes.both[0].shared.redis = processes.redis
    assert shared.ask([("PING",)]) == []
    shared.paused_until = 0
    assert shared.ask([("PING",)]) == [True]


def test_when_redis_is_back_nothing_in_it_is_old(
    video: Video, owner: User, as_user: SignIn, rf: Any, socket: Path, processes: Processes
) -> None:
    assert_current(owner, as_user(owner), rf)
    processes.use_redis("redis://127.0.0.1:1/0")
    edit_title(video)
    processes.use_redis(redis.url_of(socket))
    for _ in processes.each():
        assert b"Another title" in assert_current(owner, as_user(owner), rf)[0]
    for process in processes.both:
        process.shared.redis.close()


def execute(*statements: str) -> None:
    """Writes past this site's code, as programs for backups do."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_after_an_older_backup_was_restored_nothing_newer_is_shown(
    owner: User, as_user: SignIn, rf: Any, processes: Processes
) -> None:
    video = make_playable(owner, rungs=(), title="As it was")
    execute("CREATE TABLE backup AS SELECT * FROM content_app_video")
    Video.objects.filter(pk=video.pk).update(title="Changed after the backup")
    added = make_playable(owner, rungs=(), title="Added after the backup")
    for _ in processes.each():
        assert len(assert_current(owner, as_user(owner), rf)) == 2
    execute(
        "DELETE FROM content_app_video", "INSERT INTO content_app_video SELECT * FROM backup", "DROP TABLE backup",
        "DELETE FROM content_app_version WHERE video_id NOT IN (SELECT id FROM content_app_video)",
        "DELETE FROM content_app_run WHERE video_id NOT IN (SELECT id FROM content_app_video)",
    )  # fmt: skip
    for _ in processes.each():
        (film,) = assert_current(owner, as_user(owner), rf)
        assert b"As it was" in film
    # As many changes, and another film with the id of the one that is lost.
    Video.objects.filter(pk=video.pk).update(title="Changed after the restore")
    make_playable(owner, rungs=(), title="Added after the restore", pk=added.pk)
    for _ in processes.each():
        films = b"".join(assert_current(owner, as_user(owner), rf))
        assert films.count(b"after the restore") == 2
        assert b"after the backup" not in films


def test_other_code_has_other_keys(
    video: Video, owner: User, as_user: SignIn, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(owner).get("/content/")
    tag = as_user(owner).get("/content/")["ETag"]
    monkeypatch.setattr(film_bytes, "code_checksum", lambda: "another release")
    assert as_user(owner).get("/content/", headers={"If-None-Match": tag}).status_code == 200
    assert len(processes.redis.keys("film:*")) == 2


def test_each_address_of_the_site_has_its_own_addresses_and_only_one_is_kept_in_redis(
    video: Video, owner: User, as_user: SignIn, processes: Processes, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for host in ("testserver", "testserver:8001", "videos.example"):
        (film,) = as_user(owner).get("/content/", headers={"Host": host}).json()
        assert film["hls_url"].startswith(f"http://{host}/")
    assert len(processes.redis.keys("film:*")) == 1
    assert len(processes.current.process.values) == 3


# --- who asks --------------------------------------------------------------------------------------------------------


def test_what_is_prepared_does_not_decide_who_may_find_a_video(
    video: Video, owner: User, creator: User, admin: User, as_user: SignIn
) -> None:
    Video.objects.filter(pk=video.pk).update(visibility="PRIVATE")
    for _ in range(2):
        answers = [as_user(person).get(f"/content/{video.pk}/").status_code for person in (owner, admin, creator)]
        assert answers == [200, 200, 404]
    Video.objects.filter(pk=video.pk).update(visibility="UNLISTED")
    by_id, by_link = f"/content/{video.pk}/", f"/content/{video.public_id}/"
    assert [as_user(creator).get(path).status_code for path in (by_id, by_link)] == [404, 200]
    Favorite.objects.create(user=creator, video=video)
    assert as_user(creator).get(by_id).status_code == 200


@pytest.mark.parametrize("change", [make_private, hide])
def test_a_film_that_is_hidden_after_the_light_rows_were_read_is_left_out(
    video: Video, viewer: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch, change: Callable[[Video], None]
) -> None:
    make_playable(video.owner, title="Stays")
    ends = film_bytes.Films.ends

    def ends_then_change(self: Any, rows: Any) -> Any:
        found = ends(self, rows)
        change(video)
        return found

    monkeypatch.setattr(film_bytes.Films, "ends", ends_then_change)
    answer = as_user(viewer).get("/content/")
    assert [film["title"] for film in answer.json()] == ["Stays"]
    assert "ETag" not in answer, "the answer is newer than the revisions that it would be known by"
    assert as_user(viewer).get(f"/content/{video.pk}/").status_code == 404


def test_a_film_that_changes_after_the_light_rows_were_read_is_shown_as_it_is_now(
    video: Video, owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch, rf: Any
) -> None:
    ends = film_bytes.Films.ends

    def ends_then_change(self: Any, rows: Any) -> Any:
        found = ends(self, rows)
        make_private(video)  # now its pictures have signed addresses
        return found

    with monkeypatch.context() as patch:
        patch.setattr(film_bytes.Films, "ends", ends_then_change)
        answer = as_user(owner).get("/content/")
    assert answer.content == b"[" + b",".join(as_serialized(rf.get("/"), owner)) + b"]"
    assert "ETag" not in answer
    assert_current(owner, as_user(owner), rf)


# --- 304 -------------------------------------------------------------------------------------------------------------

LISTS = ("/content/", "/content/?search=one", "/api/v1/videos/", "/api/v1/videos/?page_size=1", "/content/{}/")


@pytest.mark.parametrize("path", LISTS)
def test_a_copy_that_still_holds_is_not_sent_again(
    path: str, video: Video, owner: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    client, path = as_user(owner), path.format(video.pk)
    answer = client.get(path)
    tag = answer["ETag"]
    assert answer["Cache-Control"] == "private, no-cache"
    for offered in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        with django_assert_num_queries(1):
            again = client.get(path, headers={"If-None-Match": offered})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert (again["Cache-Control"], again["Vary"]) == (answer["Cache-Control"], answer["Vary"])
    for offered in ('"other"', tag.strip('"'), "", "nonsense"):
        assert client.get(path, headers={"If-None-Match": offered}).status_code == 200
    edit_title(video)
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_front_end_elsewhere_may_send_and_read_the_tag(
    video: Video, owner: User, as_user: SignIn, settings: Any
) -> None:
    (origin, *_) = settings.CORS_ALLOWED_ORIGINS
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    allowed = as_user(owner).options("/content/", headers={**asked, "Access-Control-Request-Headers": "if-none-match"})
    assert "if-none-match" in allowed["Access-Control-Allow-Headers"]
    answer = as_user(owner).get("/content/", headers={"Origin": origin})
    assert "ETag" in answer["Access-Control-Expose-Headers"].split(", ")
    assert "origin" in answer["Vary"].lower()


def test_the_copy_of_another_user_is_not_mine(video: Video, owner: User, viewer: User, as_user: SignIn) -> None:
    tag = as_user(owner).get("/content/")["ETag"]
    assert as_user(viewer).get("/content/", headers={"If-None-Match": tag}).status_code == 200


def test_a_copy_holds_no_longer_than_the_role(video: Video, viewer: User, as_user: SignIn) -> None:
    Video.objects.update(is_paid=True, price=1)
    tag = as_user(viewer).get("/content/")["ETag"]
    viewer.role = "ADMIN"
    answer = as_user(viewer).get("/content/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()[0]["has_access"]) == (200, True)


def test_a_film_that_is_being_made_is_new_with_each_step(video: Video, owner: User, as_user: SignIn) -> None:
    held = claimed(video)
    before = Video.objects.get().revision
    tag = as_user(owner).get("/content/")["ETag"]
    assert as_user(owner).get("/content/", headers={"If-None-Match": tag}).status_code == 304
    lifecycle.record_progress(run=held, percent=43, time_left_s=9)
    answer = as_user(owner).get("/content/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()[0]["processing_progress"]) == (200, 43)
    assert Video.objects.get().revision == before


def test_signed_addresses_of_pictures_are_renewed(
    video: Video, owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_private(video)
    tag = as_user(owner).get("/content/")["ETag"]
    assert as_user(owner).get("/content/", headers={"If-None-Match": tag}).status_code == 304
    monkeypatch.setattr("content_app.services.playback.grants.time.time", lambda: 4_000_000_000.0)
    assert as_user(owner).get("/content/", headers={"If-None-Match": tag}).status_code == 200


def test_a_place_in_the_queue_that_changes_is_seen(owner: User, as_user: SignIn) -> None:
    first = make_video(owner, state=State.PENDING)
    second = make_playable(owner, state=State.PENDING, title="Second")
    tag = as_user(owner).get(f"/content/{second.pk}/")["ETag"]
    hide(first)
    answer = as_user(owner).get(f"/content/{second.pk}/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["processing_place"]) == (200, 1)


# --- cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/content/", "/api/v1/videos/?page_size=100"])
def test_more_films_of_every_kind_cost_no_more_queries(
    path: str, video: Video, others: list[Video], owner: User, as_user: SignIn, processes: Processes,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    def cost(expected: int) -> None:
        with django_assert_num_queries(expected):
            as_user(owner).get(path)

    # The light rows, the rows of live films and the queue; at first the rows and their renditions too.
    cost(6)
    cost(3)
    for number in range(5):
        make_playable(owner, category=make_category(f"Genre {number}"))
        make_playable(owner, visibility=Visibility.PRIVATE)
        make_video(owner, state=State.PENDING)
    cost(6)
    cost(3)


def test_the_process_keeps_a_limited_number_of_bytes() -> None:
    film = PreparedFilm(b"x" * 1000, b"y", b"z", 1)
    store = ProcessStore(max_bytes=3 * film.size_bytes)
    keys = [("shape", number, 1, 1) for number in range(5)]
    for key in keys:
        store.put_many({key: film})
        store.get_many(keys[:1])
    assert list(store.values) == [keys[3], keys[4], keys[0]]
    assert store.size_bytes == 3 * film.size_bytes


def test_captions_are_not_part_of_it(video: Video, owner: User, as_user: SignIn) -> None:
    store_objects(video)
    path = f"/api/v1/stream/{video.public_id}/master.m3u8"
    assert "SUBTITLES" not in as_user(owner).get(path).content.decode()
    make_caption(video)
    assert "SUBTITLES" in as_user(owner).get(path).content.decode()
    captions.remove_captions(video_id=video.pk, language="de")
    assert "SUBTITLES" not in as_user(owner).get(path).content.decode()
