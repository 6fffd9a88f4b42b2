"""Who may know of which video."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone

from content_app.access import may_change, may_watch
from content_app.models import Video
from content_app.queries import find_visible, visible_to
from content_app.states import State, Visibility
from content_app.tests.factories import make_playable, make_video
from users_app.models import User

ROLES = ("owner", "creator", "viewer", "admin")
# For each kind of video: who finds it in lists, by id, and by public id.
TABLE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "public": (set(ROLES), set(ROLES), set(ROLES)),
    "unlisted": ({"owner", "admin"}, {"owner", "admin"}, set(ROLES)),
    "private": ({"owner", "admin"}, {"owner", "admin"}, {"owner", "admin"}),
    "public in processing": ({"owner", "admin"}, {"owner", "admin"}, {"owner", "admin"}),
    "public that failed": ({"owner", "admin"}, {"owner", "admin"}, {"owner", "admin"}),
    "unlisted in processing": ({"owner", "admin"}, {"owner", "admin"}, {"owner", "admin"}),
    "public being replaced": (set(ROLES), set(ROLES), set(ROLES)),
    "deleted": (set(), set(), set()),
}
KINDS: dict[str, dict[str, Any]] = {
    "public": {},
    "unlisted": {"visibility": Visibility.UNLISTED},
    "private": {"visibility": Visibility.PRIVATE},
    "public in processing": {"state": State.PROCESSING, "version": ""},
    "public that failed": {"state": State.ERROR, "version": ""},
    "unlisted in processing": {"visibility": Visibility.UNLISTED, "state": State.PROCESSING, "version": ""},
    "public being replaced": {"state": State.PROCESSING},
    "deleted": {"deleted_at": timezone.now()},
}


@pytest.fixture
def people(owner: User, creator: User, viewer: User, admin: User) -> dict[str, User]:
    return {"owner": owner, "creator": creator, "viewer": viewer, "admin": admin}


def finds(person: User, ref: Any) -> bool:
    try:
        find_visible(person, ref)
    except Http404:
        return False
    return True


@pytest.mark.parametrize("kind", TABLE)
def test_each_role_sees_what_the_table_says(kind: str, owner: User, people: dict[str, User]) -> None:
    video = make_playable(owner, **KINDS[kind])
    seen = (
        {name for name, person in people.items() if visible_to(person).filter(pk=video.pk).exists()},
        {name for name, person in people.items() if finds(person, video.pk)},
        {name for name, person in people.items() if finds(person, video.public_id)},
    )
    assert seen == TABLE[kind]


def test_who_is_not_signed_in_sees_nothing(owner: User) -> None:
    video = make_playable(owner)
    assert not visible_to(AnonymousUser()).exists()
    with pytest.raises(Http404):
        find_visible(AnonymousUser(), video.public_id)


@pytest.mark.parametrize(
    ("is_paid", "watchers"),
    [(False, {"owner", "creator", "viewer", "admin"}), (True, {"owner", "admin"})],
)
def test_free_videos_are_for_everybody_and_paid_ones_for_their_owner(
    is_paid: bool, watchers: set[str], owner: User, people: dict[str, User]
) -> None:
    video = Video(owner=owner, is_paid=is_paid)
    assert {name for name, person in people.items() if may_watch(person, video)} == watchers
    assert not may_watch(AnonymousUser(), video)


def test_only_the_owner_and_admins_may_change_a_video(owner: User, people: dict[str, User]) -> None:
    video = Video(owner=owner)
    assert {name for name, person in people.items() if may_change(person, video)} == {"owner", "admin"}
    assert not may_change(AnonymousUser(), video)


def test_a_stranger_gets_404_for_what_exists_and_for_what_does_not(
    owner: User, viewer: User, as_user: Callable[[User], Any]
) -> None:
    hidden = make_video(owner, visibility=Visibility.PRIVATE)
    client = as_user(viewer)
    for ref in (hidden.pk, hidden.public_id, hidden.pk + 1):
        stream = ("/api/v1/stream/{}/master.m3u8", "/api/v1/stream/{}/manifest.mpd")
        for route in ("/content/{}/", "/content/video-url/{}/", "/api/v1/videos/{}/", *stream):
            response = client.get(route.format(ref))
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), route
