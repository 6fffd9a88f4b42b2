"""GET /content/ with many films: one complete array, rendered in parts, one list at a time."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from content_app import queries
from content_app.api import film_answers, long_lists
from content_app.api.long_lists import ListTurns, PackedBody, TooManyLists, array_of
from content_app.models import Video
from content_app.states import Visibility
from content_app.tests.factories import make_category, make_playable
from users_app.models import User

SignIn = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def _long_is_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_answers, "LONG", 3)
    monkeypatch.setattr(film_answers, "PART", 3)


@pytest.fixture
def films(owner: User) -> list[Video]:
    """Ten films, some of them created at the same moment, as films of one import are."""
    now, drama = timezone.now(), make_category("Drama")
    made = [
        make_playable(
            owner, title=f"Film {number} ü", category=drama if number % 2 else None,
            created_at=now - timedelta(seconds=number // 4),
        )
        for number in range(10)
    ]  # fmt: skip
    return sorted(made, key=lambda video: (video.created_at, video.pk), reverse=True)


@pytest.mark.parametrize("query", [{}, {"search": "film"}, {"category": "drama"}, {"favorites": "0"}])
def test_a_long_list_has_the_same_bytes_as_one_rendered_at_once(
    query: dict[str, str], films: list[Video], viewer: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_user(viewer)
    long = client.get("/content/", query)
    monkeypatch.setattr(film_answers, "LONG", 1000)
    short = client.get("/content/", query)
    assert long.streaming
    assert not short.streaming
    assert long.getvalue() == short.content
    assert int(long["Content-Length"]) == len(short.content)
    for header in ("Content-Type", "Vary", "Allow", "Cache-Control"):
        assert long[header] == short[header]


def test_a_copy_of_a_long_list_that_still_holds_is_not_sent_again(
    films: list[Video], owner: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    client = as_user(owner)
    make_playable(owner, visibility=Visibility.PRIVATE)
    tag = client.get("/content/")["ETag"]
    with django_assert_num_queries(1 + 4 + 1):  # one part has a film whose end is made anew
        again = client.get("/content/", headers={"If-None-Match": f"W/{tag}"})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    Video.objects.filter(pk=films[7].pk).update(title="Changed")
    changed = client.get("/content/", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag
    assert json.loads(changed.getvalue())[8]["title"] == "Changed"


def test_it_is_newest_first_whole_and_without_repetition(films: list[Video], viewer: User, as_user: SignIn) -> None:
    body = as_user(viewer).get("/content/").getvalue()
    assert [one["id"] for one in json.loads(body)] == [film.pk for film in films]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_any_length_is_an_array(count: int, owner: User, viewer: User, as_user: SignIn) -> None:
    for _ in range(count):
        make_playable(owner)
    response = as_user(viewer).get("/content/")
    assert len(json.loads(response.getvalue())) == count


def test_each_part_takes_a_query_and_three_for_films_that_are_not_prepared(
    films: list[Video], viewer: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1 + 4 * 4):
        as_user(viewer).get("/content/").getvalue()
    with django_assert_num_queries(1 + 4):
        as_user(viewer).get("/content/").getvalue()


def test_a_film_hidden_between_two_parts_is_not_shown(films: list[Video]) -> None:
    parts = queries.light_in_batches(queries.visible_to(films[0].owner).filter(visibility=Visibility.PUBLIC), 3)
    shown = next(parts)
    Video.objects.filter(pk__in=[films[1].pk, films[5].pk]).update(visibility=Visibility.PRIVATE)
    shown += [row for part in parts for row in part]
    assert [row.pk for row in shown] == [film.pk for film in films if film != films[5]]


def test_a_database_that_fails_in_the_middle_is_a_503(
    films: list[Video], viewer: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(videos: Any, size: int) -> Iterator[list[queries.Light]]:
        yield queries.read_light(videos[:size])
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(film_answers, "light_in_batches", broken)
    response = as_user(viewer).get("/content/")
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    # The turn is free again.
    monkeypatch.undo()
    assert as_user(viewer).get("/content/").status_code == 200


def test_a_request_beyond_the_limit_gets_a_503_with_retry_after(
    films: list[Video], viewer: User, owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_lists, "WAIT_S", 0.01)
    with long_lists.turns.one(owner.pk):
        response = as_user(viewer).get("/content/")
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert response["Retry-After"] == "5"
        # Short lists and pages need no turn.
        assert as_user(viewer).get("/content/", {"search": "Film 7"}).status_code == 200
        assert as_user(viewer).get("/api/v1/videos/").status_code == 200
    assert as_user(viewer).get("/content/").status_code == 200


def test_one_list_is_made_at_a_time() -> None:
    turns = ListTurns()
    others: list[str] = []

    def other() -> None:
        with turns.one(2):
            others.append("made")

    with turns.one(1):
        waiting = threading.Thread(target=other)
        waiting.start()
        assert others == []
    waiting.join(10)
    assert others == ["made"]
    assert not turns.waiting


def test_one_user_cannot_take_every_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "MAX_PER_PERSON", 1)
    turns = ListTurns()
    with turns.one(1):
        with pytest.raises(TooManyLists), turns.one(1):
            pass
        assert turns.waiting == {1: 1}


def test_the_queue_has_a_maximum_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "MAX_WAITING", 0)
    turns = ListTurns()
    with turns.one(1), pytest.raises(TooManyLists), turns.one(2):
        pass


def test_a_body_is_kept_at_a_fraction_of_its_size() -> None:
    texts = [bytes([letter]) * 300_000 for letter in range(65, 75)]
    body = PackedBody(iter(texts))
    assert sum(map(len, body.pieces)) < body.size / 100
    assert b"".join(body) == b"".join(texts)
    assert b"".join(body) == b"".join(texts)
    assert max(map(len, body)) <= long_lists.BLOCK_BYTES


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], b"[]"), ([b""], b"[]"), ([b"1,2", b"3"], b"[1,2,3]"), ([b"", b"{}", b""], b"[{}]")],
)
def test_all_parts_form_one_array(parts: list[bytes], text: bytes) -> None:
    assert b"".join(array_of(parts)) == text


def test_an_error_while_it_is_made_frees_the_turn() -> None:
    turns = ListTurns()
    with pytest.raises(DatabaseError), turns.one(1):
        raise DatabaseError
    with turns.one(1):
        assert turns.waiting == {1: 1}
