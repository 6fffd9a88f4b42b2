"""The forecast: how long films will still take, and their places in the queue."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.admin.wording import ordinal
from content_app.models import Video
from content_app.services.processing import lifecycle, preflight
from content_app.services.processing.encoding import Reporter
from content_app.services.processing.forecast import Outlook, outlooks
from content_app.states import State
from content_app.tests.factories import make_playable, make_video
from media_pipeline.ffmpeg.progress import Progress
from users_app.models import User

SignIn = Callable[[User], APIClient]

pytestmark = pytest.mark.usefixtures("enqueued")


def waiting(owner: User, *, since_s: int, takes_s: int | None = None, **fields: Any) -> Video:
    queued_at = timezone.now() - timedelta(seconds=since_s)
    return make_video(owner, state=State.PENDING, queued_at=queued_at, estimate_s=takes_s, **fields)


@pytest.mark.parametrize(
    ("busy", "takes", "expected"),
    [
        ([], [10, 20], [(1, 10), (2, 30)]),
        ([5], [10, 20], [(1, 15), (2, 35)]),
        ([5, 30], [10, 20], [(1, 15), (2, 35)]),  # the worker that is free first takes the next one
        ([5, 7], [10, 20], [(1, 15), (2, 27)]),
        ([None], [10], [(1, 20)]),  # it counts as one of median length
        ([5], [None, 9], [(1, None), (2, 21)]),
        ([None], [None], [(1, None)]),
    ],
)
def test_waiting_films_are_taken_by_the_workers_that_are_busy(
    busy: Sequence[int | None], takes: Sequence[int | None], expected: list[tuple[int, int | None]]
) -> None:
    found = outlooks(busy, list(enumerate(takes)))
    assert [found[number] for number in range(len(takes))] == [Outlook(*one) for one in expected]


def test_the_api_shows_place_and_time(owner: User, as_user: SignIn) -> None:
    make_video(owner, state=State.PROCESSING, time_left_s=60, estimate_s=100)
    waiting(owner, since_s=1, deleted_at=timezone.now())
    second, first = waiting(owner, since_s=10, takes_s=30), waiting(owner, since_s=20, takes_s=40)
    told = [as_user(owner).get(f"/content/{video.pk}/").json() for video in (first, second)]
    assert [(one["processing_place"], one["processing_time_left"]) for one in told] == [(1, 100), (2, 130)]


def test_the_admin_site_shows_the_same(owner: User, staff: Client) -> None:
    make_video(owner, state=State.PROCESSING, time_left_s=60)
    waiting(owner, since_s=20, takes_s=200)
    second = waiting(owner, since_s=10, takes_s=300)
    page = staff.get("/admin/content_app/video/").content.decode()
    live = staff.get(f"/admin/content_app/video/live/?ids={second.pk}").json()["videos"][0]["label"]
    for text in (page, staff.get(f"/admin/content_app/video/{second.pk}/change/").content.decode(), live):
        assert "Waiting: 2nd in the queue, about 9 min" in text
    assert "Waiting: next in the queue, about 4 min" in page
    assert "Waiting: 2nd in the queue, about 9 min" in staff.get("/admin/").content.decode()


def test_an_edit_does_not_change_the_place_in_the_queue(owner: User, as_user: SignIn) -> None:
    first, second = waiting(owner, since_s=20), waiting(owner, since_s=10)
    as_user(owner).patch(f"/api/v1/videos/{first.pk}/", {"title": "Renamed"}, format="json")
    assert lifecycle.waiting_ids() == [first.pk, second.pk]


def test_more_waiting_films_cost_a_list_no_more_queries(
    owner: User, as_user: SignIn, django_assert_max_num_queries: Any
) -> None:
    for path in ("/content/", "/api/v1/videos/"):
        waiting(owner, since_s=1)  # new to each path: the first answer that shows a film prepares it
        with django_assert_max_num_queries(10) as few:
            as_user(owner).get(path)
        for number in range(5):
            waiting(owner, since_s=number)
        with django_assert_max_num_queries(len(few)):
            as_user(owner).get(path)


def test_films_of_an_external_transcoder_have_no_place(owner: User, as_user: SignIn, settings: Any) -> None:
    settings.TRANSCODER = "external"
    told = as_user(owner).get(f"/content/{waiting(owner, since_s=1, takes_s=5).pk}/").json()
    assert (told["processing_place"], told["processing_time_left"]) == (None, None)


def test_a_worker_corrects_the_estimate_as_it_goes(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = waiting(owner, since_s=1, takes_s=100)
    run = lifecycle.claim(video_id=video.pk)
    assert run
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    report = Reporter(run, lambda percent, time_left_s: None)
    report.expect(100)
    totals = []
    for elapsed_s, frames in ((0, 0), (40, 10), (200, 50), (392, 98)):
        clock[0] = 1000 + elapsed_s
        report.next_at = timezone.now()
        report(Progress(frames, 100, elapsed_s))
        run.refresh_from_db()
        assert run.estimate_s
        assert run.time_left_s == run.estimate_s - elapsed_s
        totals.append(run.estimate_s)
    assert totals == [100, 130, 251, 395]


def test_the_verdict_shows_the_newest_estimate(owner: User) -> None:
    cost = {"seconds": 100, "bytes": 1, "most_bytes": 2, "basis": "By the last films."}
    verdict = {**preflight.EMPTY_VERDICT, "verdict": "fine", "cost": cost}
    busy = make_video(owner, state=State.PROCESSING, verdict=verdict, estimate_s=250)
    done = make_playable(owner, verdict=verdict, estimate_s=250, work_s=41.4)
    old = make_playable(owner, verdict=verdict)
    assert [preflight.shown_verdict(video)["cost"]["seconds"] for video in (busy, done, old)] == [250, 41, 100]


def test_a_finished_film_shows_its_owner_how_long_it_took(
    owner: User, creator: User, as_user: SignIn, staff: Client
) -> None:
    video = make_playable(owner, work_s=41.4)
    told = [as_user(person).get(f"/content/{video.pk}/").json()["processing_took"] for person in (owner, creator)]
    assert told == [41, None]
    assert "Processed in 41 s" in staff.get(f"/admin/content_app/video/{video.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (21, "21st")]
)
def test_places_are_written_as_ordinals(number: int, text: str) -> None:
    assert ordinal(number) == text
