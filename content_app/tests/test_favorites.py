"""Favourites."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.models import Favorite, Video
from content_app.services.catalogue import favorites
from content_app.states import Visibility
from content_app.tests.factories import make_playable, make_video
from users_app.hooks import login_payload
from users_app.models import User

SignIn = Callable[[User], APIClient]


def toggle(client: APIClient, video_id: Any) -> Any:
    return client.post("/content/add-favorite/", {"video_id": video_id}, format="json")


def test_toggling_marks_and_unmarks(owner: User, viewer: User, as_user: SignIn) -> None:
    first, second = make_playable(owner), make_playable(owner)
    client = as_user(viewer)
    assert toggle(client, first.pk).json() == [first.pk]
    assert toggle(client, str(second.public_id)).json() == [second.pk, first.pk]
    assert toggle(client, str(first.pk)).json() == [second.pk]


def test_the_login_answer_lists_favourites(owner: User, viewer: User) -> None:
    video = make_playable(owner)
    favorites.toggle(user=viewer, video=video)
    favorites.toggle(user=owner, video=make_playable(owner))
    assert login_payload.collect(viewer)["favorite_videos"] == [video.pk]


def test_a_user_may_only_mark_videos_that_the_user_may_find(owner: User, viewer: User, as_user: SignIn) -> None:
    unlisted = make_playable(owner, visibility=Visibility.UNLISTED)
    hidden = make_video(owner, visibility=Visibility.PRIVATE)
    client = as_user(viewer)
    assert [toggle(client, ref).status_code for ref in (hidden.pk, str(hidden.public_id), unlisted.pk)] == [404] * 3
    assert toggle(client, str(unlisted.public_id)).json() == [unlisted.pk]


def test_an_unlisted_favourite_is_found_by_its_id_by_the_user_who_marked_it(
    owner: User, viewer: User, creator: User, as_user: SignIn
) -> None:
    unlisted = make_playable(owner, visibility=Visibility.UNLISTED)
    favorites.toggle(user=viewer, video=unlisted)
    favorites.toggle(user=owner, video=unlisted)
    path = f"/content/{unlisted.pk}/"
    assert [as_user(person).get(path).status_code for person in (viewer, owner, creator)] == [200, 200, 404]
    assert toggle(as_user(viewer), unlisted.pk).json() == []
    assert as_user(viewer).get(path).status_code == 404


@pytest.mark.parametrize("change", [{"visibility": Visibility.PRIVATE}, {"deleted_at": timezone.now()}])
def test_a_hidden_favourite_is_not_listed(change: dict[str, Any], owner: User, viewer: User) -> None:
    video = make_playable(owner)
    favorites.toggle(user=viewer, video=video)
    Video.objects.filter(pk=video.pk).update(**change)
    assert favorites.favorite_ids(viewer) == []


def test_two_toggles_at_the_same_moment_mark_once(owner: User, viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither request found a mark to remove, and the other request creates its mark first."""
    video = make_playable(owner)
    get_or_create = Favorite.objects.get_or_create

    def mark_after_the_other_request(**fields: Any) -> Any:
        Favorite.objects.create(**fields)
        return get_or_create(**fields)

    monkeypatch.setattr(Favorite.objects, "get_or_create", mark_after_the_other_request)
    assert favorites.toggle(user=viewer, video=video) == [video.pk]


@pytest.mark.django_db(transaction=True)
def test_marking_a_video_that_was_deleted_just_now_finds_nothing(owner: User, viewer: User) -> None:
    video = make_playable(owner)
    gone = Video.objects.get(pk=video.pk)
    video.delete()
    with pytest.raises(Http404):
        favorites.toggle(user=viewer, video=gone)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {"video_id": None},
        {"video_id": []},
        {"video_id": True},
        {"video_id": "a\x00b"},
        {"video_id": 10**30},
        {"video_id": -1},
        {"video_id": 1.5},
        {"video_id": "�"},
        {"video_id": "x" * 10000},
    ],
)
def test_odd_bodies_are_refused(body: Any, viewer: User, as_user: SignIn) -> None:
    response = as_user(viewer).post("/content/add-favorite/", json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert "code" in response.json()
