"""The featured film at the top of the catalogue: one at a time, also with concurrent requests."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.models import Video
from content_app.services.catalogue import videos
from content_app.states import State, Visibility
from content_app.tests.factories import make_playable, make_video
from users_app.models import User


def featured() -> list[int]:
    return list(Video.objects.filter(is_featured=True).values_list("pk", flat=True))


def test_a_featured_film_replaces_the_one_before(owner: User) -> None:
    first, second = make_playable(owner), make_playable(owner)
    assert videos.feature(video_id=first.pk)
    assert not videos.feature(video_id=first.pk)
    assert videos.feature(video_id=second.pk)
    assert featured() == [second.pk]
    assert videos.unfeature(video_id=second.pk)
    assert not videos.unfeature(video_id=second.pk)
    assert featured() == []


def test_a_deleted_film_is_not_featured(owner: User) -> None:
    shown = make_playable(owner, is_featured=True)
    assert not videos.feature(video_id=make_playable(owner, deleted_at=timezone.now()).pk)
    assert featured() == [shown.pk]


@pytest.mark.django_db(transaction=True)
def test_if_two_films_are_featured_at_once_one_stays(owner: User) -> None:
    pks = [make_playable(owner).pk for _ in range(4)]
    barrier = threading.Barrier(len(pks))

    def put(pk: int) -> None:
        barrier.wait()
        try:
            videos.feature(video_id=pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=put, args=(pk,)) for pk in pks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(featured()) == 1


def test_the_schema_allows_one_featured_film(owner: User) -> None:
    first, second = make_playable(owner, is_featured=True), make_playable(owner)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE content_app_video SET is_featured = %s WHERE id = %s", [True, second.pk])
    assert featured() == [first.pk]


def test_clients_see_the_featured_film_and_cannot_set_it(owner: User, as_user: Callable[[User], APIClient]) -> None:
    video, other = make_playable(owner), make_playable(owner)
    videos.feature(video_id=video.pk)
    client = as_user(owner)
    assert client.patch(f"/api/v1/videos/{other.pk}", {"is_featured": True}, format="json").status_code == 200
    told = {one["id"]: one["is_featured"] for one in client.get("/content/").json()}
    assert told == {video.pk: True, other.pk: False}


@pytest.mark.usefixtures("enqueued")
def test_staff_feature_a_film_on_its_page(staff: Client, owner: User) -> None:
    video = make_playable(owner)
    page = f"/admin/content_app/video/{video.pk}/"
    for to, testid, said in (
        ("feature", "unfeature", "Put at the top of the catalogue."),
        ("unfeature", "feature", "Taken from the top of the catalogue."),
    ):
        response = staff.post(f"{page}move", {"to": to}, follow=True)
        assert [str(message) for message in response.context["messages"]] == [said]
        assert f'data-testid="{testid}"' in response.content.decode()


@pytest.mark.parametrize(
    "make",
    [partial(make_playable, visibility=Visibility.PRIVATE), partial(make_video, state=State.PROCESSING)],
    ids=["private", "without a version"],
)
@pytest.mark.usefixtures("enqueued")
def test_films_that_users_cannot_find_are_not_offered(
    staff: Client, owner: User, make: Callable[[User], Video]
) -> None:
    page = staff.get(f"/admin/content_app/video/{make(owner).pk}/change/").content.decode()
    assert 'data-testid="feature"' not in page
