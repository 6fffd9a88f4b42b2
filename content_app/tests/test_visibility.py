"""Which users may find which video."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone

from content_app.access import may_change, may_watch
from content_app.models import Video
from content_app.queries import find_visible, visible_to
from content_app.services.playback import grants
from content_app.services.playback.grants import GrantRefused
from content_app.states import State, Visibility
from content_app.tests.factories import make_playable, make_video
from media_pipeline import layout
from users_app.models import User

ROLES = ("owner", "creator", "viewer", "admin")
# For each kind of video: the users who find it in lists, by id, and by public id.
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
KINDS: dict[str, Callable[[User], Video]] = {
    "public": make_playable,
    "unlisted": partial(make_playable, visibility=Visibility.UNLISTED),
    "private": partial(make_playable, visibility=Visibility.PRIVATE),
    "public in processing": partial(make_video, state=State.PROCESSING),
    "public that failed": partial(make_video, state=State.ERROR),
    "unlisted in processing": partial(make_video, state=State.PROCESSING, visibility=Visibility.UNLISTED),
    "public being replaced": partial(make_playable, state=State.PROCESSING),
    "deleted": partial(make_playable, deleted_at=timezone.now()),
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
def test_each_role_finds_the_videos_of_the_table(kind: str, owner: User, people: dict[str, User]) -> None:
    video = KINDS[kind](owner)
    seen = (
        {name for name, person in people.items() if visible_to(person).filter(pk=video.pk).exists()},
        {name for name, person in people.items() if finds(person, video.pk)},
        {name for name, person in people.items() if finds(person, video.public_id)},
    )
    assert seen == TABLE[kind]


def test_strangers_find_nothing(owner: User) -> None:
    video = make_playable(owner)
    assert not visible_to(AnonymousUser()).exists()
    with pytest.raises(Http404):
        find_visible(AnonymousUser(), video.public_id)


@pytest.mark.parametrize(
    ("is_paid", "watchers"),
    [(False, {"owner", "creator", "viewer", "admin"}), (True, {"owner", "admin"})],
)
def test_free_videos_are_for_all_users_and_paid_ones_for_their_owner(
    is_paid: bool, watchers: set[str], owner: User, people: dict[str, User]
) -> None:
    video = Video(owner=owner, is_paid=is_paid)
    assert {name for name, person in people.items() if may_watch(person, video)} == watchers
    assert not may_watch(AnonymousUser(), video)


def test_only_the_owner_and_admins_may_change_a_video(owner: User, people: dict[str, User]) -> None:
    video = Video(owner=owner)
    assert {name for name, person in people.items() if may_change(person, video)} == {"owner", "admin"}
    assert not may_change(AnonymousUser(), video)


# The poster of a film: a candidate of its version, an uploaded picture, or none.
PICTURES = {
    "the best": "v1/poster.jpg",
    "a candidate": "v1/poster_2.jpg",
    "an upload": f"{16 * 'a'}/poster.jpg",
    "none": "",
}
# The users who see the picture, of those who have the public id: the same for paid films as for free ones.
SEERS = {
    Visibility.PUBLIC: set(ROLES),
    Visibility.UNLISTED: set(ROLES),
    Visibility.PRIVATE: {"owner", "admin"},
}


@pytest.mark.parametrize("is_paid", [False, True], ids=["free", "paid"])
@pytest.mark.parametrize("visibility", SEERS)
@pytest.mark.parametrize("picture", PICTURES)
def test_the_address_of_a_picture_is_for_users_who_may_find_the_film_and_opens_only_the_picture(
    picture: str,
    visibility: Visibility,
    is_paid: bool,
    owner: User,
    people: dict[str, User],
    as_user: Callable[[User], Any],
) -> None:
    shown = PICTURES[picture]
    pays: dict[str, Any] = {"is_paid": is_paid, "price": 3 if is_paid else 0}
    video = make_playable(owner, visibility=visibility, poster=shown, has_small_poster=bool(shown), **pays)
    answers = {name: as_user(person).get(f"/content/{video.public_id}/") for name, person in people.items()}
    assert {name for name, answer in answers.items() if answer.status_code == 200} == SEERS[visibility]
    for name in SEERS[visibility]:
        film = answers[name].json()
        assert film["has_access"] == (not is_paid or name in {"owner", "admin"})
        for field, file in (("image_file", shown), ("image_small", video.small_poster)):
            if not file:
                assert film[field] is None
            elif visibility == Visibility.PUBLIC:
                assert film[field] == f"http://testserver/media/posters/{video.public_id}/{file}"
            else:
                assert covered(film[field], video) == {file}


def covered(address: str, video: Video) -> set[str]:
    """Returns the files of the film that a signed address opens; for a grant of the version, all of them."""
    kind, grant, *_ = address.removeprefix("http://testserver/media/").split("/")
    assert kind == "file"
    films = {"v1/master.m3u8", "v1/360p.m3u8", "v1/720p.mp4"}
    pictures = {
        f"{stem}{size}.jpg" for stem in ("v1/poster", "v1/poster_2", f"{16 * 'a'}/poster") for size in ("", "_small")
    }
    return {file for file in films | pictures if is_good_for(grant, f"{layout.video_prefix(video.public_id)}/{file}")}


def is_good_for(grant: str, key: str) -> bool:
    for verify, covered_by_it in ((grants.verify_file, key), (grants.verify, key.rpartition("/")[0])):
        with suppress(GrantRefused):
            return bool(verify(grant, covered_by_it))
    return False


def test_a_stranger_gets_404_whether_or_not_the_film_exists(
    owner: User, viewer: User, as_user: Callable[[User], Any]
) -> None:
    hidden = make_video(owner, visibility=Visibility.PRIVATE)
    client = as_user(viewer)
    for ref in (hidden.pk, hidden.public_id, hidden.pk + 1):
        stream = ("/api/v1/stream/{}/master.m3u8", "/api/v1/stream/{}/manifest.mpd")
        for route in ("/content/{}/", "/content/video-url/{}/", "/api/v1/videos/{}/", *stream):
            response = client.get(route.format(ref))
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), route
