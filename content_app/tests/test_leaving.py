"""Favourites in profiles, films in the export of a user's data, and what remains when the user leaves."""

import json
import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import PASSWORD
from content_app.models import Favorite, Video
from content_app.services.catalogue.favorites import favorite_ids, favorite_ids_of
from content_app.states import Visibility
from content_app.tests.factories import make_playable, refuse_candidate
from users_app.models import User
from users_app.tests.conftest import SignIn, is_in, post
from users_app.tests.conftest import browser as browser
from users_app.tests.conftest import sign_in as sign_in
from users_app.tests.mailbox import deliver_one

PREFIXES = ["/users", "/api/v1/auth"]

pytestmark = pytest.mark.django_db


def test_each_user_has_the_favourites_that_the_user_may_still_find(
    viewer: User, creator: User, owner: User, admin: User
) -> None:
    films = {visibility: make_playable(owner, visibility=visibility) for visibility in Visibility}
    gone = make_playable(owner)
    for person in (viewer, owner, admin):
        for film in (*films.values(), gone):
            Favorite.objects.create(user=person, video=film)
    Video.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    everything = {film.pk for film in films.values()}
    known = {name: set(ids) for name, ids in favorite_ids_of([viewer, creator, owner, admin]).items()}
    assert known == {
        viewer.pk: everything - {films[Visibility.PRIVATE].pk},
        creator.pk: set(),
        owner.pk: everything,
        admin.pk: everything,
    }
    assert favorite_ids(viewer) == [films[one].pk for one in (Visibility.UNLISTED, Visibility.PUBLIC)]


def test_admins_see_all_profiles_by_the_same_queries_for_any_number(
    admin: User, owner: User, make_user: Any, sign_in: SignIn, django_assert_num_queries: Any
) -> None:
    client, film = sign_in(admin), make_playable(owner)
    for number in range(5):
        Favorite.objects.create(user=make_user(f"fan{number}"), video=film)
    with django_assert_num_queries(3):
        people = client.get("/users/profiles/").json()
    assert len(people) == 7
    assert [person["favorite_videos"] for person in people if person["name"] == "fan3"] == [[film.pk]]
    assert sign_in(owner).get("/users/profiles/").status_code == 403


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_export_is_a_file(prefix: str, owner: User, viewer: User, sign_in: SignIn) -> None:
    film = make_playable(owner, title="Mine")
    refuse_candidate(film)
    Favorite.objects.create(user=owner, video=film)
    Favorite.objects.create(user=viewer, video=film)
    response = sign_in(owner).get(f"{prefix}/export/")
    assert response["Content-Disposition"] == 'attachment; filename="videoflix-account.json"'
    data = json.loads(response.content)
    assert data["account"]["email"] == owner.email
    assert [session["address"] for session in data["sessions"]] == ["127.0.0.1"]
    assert [mark["title"] for mark in data["favorites"]] == ["Mine"]
    assert [one["title"] for one in data["films"]] == ["Mine"]
    assert data["films"][0]["files"] == ["film.mp4", "other.mov"]
    assert "password" not in data["account"]


def test_the_export_names_no_favourites_that_were_hidden(owner: User, viewer: User, sign_in: SignIn) -> None:
    unlisted, private, gone = (make_playable(owner, visibility=Visibility.UNLISTED, title=str(n)) for n in range(3))
    for film in (unlisted, private, gone):
        Favorite.objects.create(user=viewer, video=film)
    Video.objects.filter(pk=private.pk).update(visibility=Visibility.PRIVATE, title="Secret")
    Video.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    data = sign_in(viewer).get("/users/export/").json()
    assert [mark["title"] for mark in data["favorites"]] == [unlisted.title]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_user_leaves_and_no_personal_data_remain(
    prefix: str, owner: User, viewer: User, browser: APIClient, sign_in: SignIn
) -> None:
    film = make_playable(owner)
    Favorite.objects.create(user=owner, video=film)
    client = sign_in(owner)
    access = client.cookies["vf_access"].value
    response = client.delete(f"{prefix}/me/", {"password": PASSWORD}, format="json")
    assert response.status_code == 200
    assert response.cookies["vf_access"].value == ""
    row = User.objects.get(pk=owner.pk)
    assert re.fullmatch(rf"{owner.pk}-[0-9a-f]{{32}}@erased\.invalid", row.email)
    assert (row.name, row.is_active, row.has_usable_password()) == ("", False, False)
    assert not is_in(APIClient(HTTP_AUTHORIZATION=f"Bearer {access}"))
    assert post(browser, "/users/login/", {"email": owner.email, "password": PASSWORD}).status_code == 400
    assert not Favorite.objects.exists()
    assert Video.objects.get().deleted_at is not None
    last = deliver_one()
    assert (last.to, last.subject) == (owner.email, "Your account was deleted")
    form = {"email": owner.email, "password": PASSWORD, "confirm_password": PASSWORD}
    post(browser, "/users/register/", form)
    assert deliver_one().subject == "Confirm your address", "the address is free again"
