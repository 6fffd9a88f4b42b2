"""The lists of videos: their contents, their order, and their number of queries."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from content_app.api.serializers import VideoSerializer
from content_app.models import Favorite, Version, Video
from content_app.services.playback import grants
from content_app.states import RunState, State, Visibility
from content_app.tests.factories import (
    make_category,
    make_in_state,
    make_playable,
    make_rendition,
    make_run,
    make_video,
    refuse_candidate,
)
from users_app.models import User

SignIn = Callable[[User], APIClient]


def titles(client: APIClient, **query: Any) -> list[str]:
    response = client.get("/content/", query)
    assert response.status_code == 200, response.json()
    return [video["title"] for video in response.json()]


@pytest.mark.parametrize("path", ["/content/", "/content", "/content/1/", "/content/categories/", "/api/v1/videos/"])
def test_lists_are_for_signed_in_users(path: str, db: None, client: Any) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_the_catalogue_is_newest_first(owner: User, viewer: User, as_user: SignIn) -> None:
    for title in ("Oldest", "Middle", "Newest"):
        make_playable(owner, title=title)
    assert titles(as_user(viewer)) == ["Newest", "Middle", "Oldest"]


@pytest.mark.parametrize("path", ["/content/", "/content", "/api/v1/videos/", "/api/v1/videos"])
def test_more_videos_cost_no_more_queries(
    path: str, owner: User, viewer: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    client = as_user(viewer)
    for number in range(2):
        make_playable(owner, category=make_category(f"Genre {number}"))
    for queries in (4, 1):  # at first the films are read and prepared
        with django_assert_num_queries(queries):
            client.get(path)
    for number in range(2, 12):
        make_playable(owner, category=make_category(f"Genre {number}"))
    for queries in (4, 1):
        with django_assert_num_queries(queries):
            client.get(path)


def test_a_video_has_every_field_of_the_contract(owner: User, viewer: User, as_user: SignIn) -> None:
    video = make_playable(owner, category=make_category("Drama"), is_paid=True, price="3.50")
    (body,) = as_user(viewer).get("/content/").json()
    stream = f"http://testserver/api/v1/stream/{video.public_id}"
    assert set(body) == set(VideoSerializer.Meta.fields)
    assert body == body | {
        "id": video.pk,
        "public_id": str(video.public_id),
        "category": "Drama",
        "duration": 30.0,
        "price": "3.50",
        "currency": "EUR",
        "owner": owner.pk,
        "image_file": f"http://testserver/media/posters/{video.public_id}/v1/poster.jpg",
        "image_url": f"http://testserver/media/posters/{video.public_id}/v1/poster.jpg",
        "image_small": f"http://testserver/media/posters/{video.public_id}/v1/poster_small.jpg",
        "video_file": f"{stream}/720p.mp4",
        "converted_files": {"360p": f"{stream}/360p.mp4", "720p": f"{stream}/720p.mp4"},
        "hls_url": f"{stream}/master.m3u8",
        "dash_url": None,
        "storyboard_url": f"{stream}/storyboard.vtt",
        "processing_state": "ready",
        "status": "READY",
        "is_playable": True,
        "has_access": False,
    }


def test_a_video_that_cannot_be_played_yet_has_no_addresses(owner: User, as_user: SignIn) -> None:
    video = make_video(owner, state=State.UPLOADING)
    body = as_user(owner).get(f"/content/{video.pk}/").json()
    assert body["processing_state"] == "pending"
    assert body["status"] == "UPLOADED"
    assert not body["is_playable"]
    assert [body[name] for name in ("image_file", "video_file", "hls_url", "dash_url", "storyboard_url")] == [None] * 5
    assert body["duration"] is None
    assert body["converted_files"] == {}


def test_a_failed_video_says_why(owner: User, as_user: SignIn) -> None:
    video = make_video(owner, state=State.ERROR, error_code="not_a_video", error_message="This is no video.")
    body = as_user(owner).get(f"/content/{video.public_id}").json()
    assert (body["processing_state"], body["status"]) == ("error", "FAILED")
    assert (body["processing_error_code"], body["processing_error"]) == ("not_a_video", "This is no video.")


def test_only_renditions_of_the_published_version_are_offered(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, rungs=("360p",), folder="v2")
    other = Version.objects.create(video=video, run=make_run(video, RunState.DONE, folder="v1"), folder="v1")
    make_rendition(other, "1080p").save()
    assert list(as_user(owner).get(f"/content/{video.pk}/").json()["converted_files"]) == ["360p"]


@pytest.mark.parametrize(("field", "file"), [("image_file", "poster.jpg"), ("image_small", "poster_small.jpg")])
def test_the_posters_of_an_unlisted_video_are_signed(field: str, file: str, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, visibility=Visibility.UNLISTED)
    poster = as_user(owner).get(f"/content/{video.pk}/").json()[field]
    key = f"{video.key_prefix}/{file}"
    assert poster == f"http://testserver/media/file/{grants.sign_file(key)}/{key}"


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.UNLISTED])
def test_a_video_without_a_small_poster_shows_the_large_one(visibility: str, owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, visibility=visibility, has_small_poster=False)
    listed = as_user(owner).get(f"/content/{video.pk}/").json()
    assert listed["image_small"] == listed["image_file"]


def test_a_version_without_a_storyboard_has_no_address_of_one(owner: User, as_user: SignIn) -> None:
    video = make_playable(owner, has_storyboard=False)
    assert as_user(owner).get(f"/content/{video.pk}/").json()["storyboard_url"] is None
    assert as_user(owner).get(f"/api/v1/stream/{video.pk}/storyboard.vtt").status_code == 404


def test_lists_do_not_read_reports_and_verdicts(
    owner: User, admin: User, as_user: SignIn, django_assert_num_queries: Any
) -> None:
    long: dict[str, Any] = {"verdict": {"verdict": "fine"}, "report": {"streams": []}, "settings": {"crf": 21}}
    refuse_candidate(make_playable(owner, **long), **long)
    make_playable(owner, state=State.PENDING, **long)
    with django_assert_num_queries(6) as queries:
        as_user(admin).get("/content/")
    assert not [query for query in queries for column in long if f'"{column}"' in query["sql"]]


@pytest.mark.parametrize("asked", ["Science Fiction", "science fiction", "science-fiction", "id"])
def test_a_category_is_found_by_name_slug_and_id(asked: str, owner: User, as_user: SignIn) -> None:
    category = make_category("Science Fiction")
    make_playable(owner, title="In it", category=category)
    make_playable(owner, title="In another", category=make_category("Drama"))
    make_playable(owner, title="In none")
    assert titles(as_user(owner), category=category.pk if asked == "id" else asked) == ["In it"]


def test_an_unknown_category_is_empty(owner: User, as_user: SignIn) -> None:
    make_playable(owner)
    assert titles(as_user(owner), category="Western") == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("bunny", ["Big Buck Bunny"]),
        ("BUNNY big", ["Big Buck Bunny"]),
        ("meadow", ["Big Buck Bunny"]),
        ("ÜBER", ["über den Wolken"]),
        ("100%", ["100% Wolf (a.b)"]),
        ("a.b", ["100% Wolf (a.b)"]),
        ("bunny wolf", []),
        ("  ", ["100% Wolf (a.b)", "über den Wolken", "Big Buck Bunny"]),
    ],
)
def test_search_finds_words_in_title_and_description(
    search: str, found: list[str], owner: User, as_user: SignIn
) -> None:
    make_playable(owner, title="Big Buck Bunny", description="A rabbit on a meadow.")
    make_playable(owner, title="über den Wolken")
    make_playable(owner, title="100% Wolf (a.b)")
    assert titles(as_user(owner), search=search) == found


def test_favourites_belong_to_one_user(owner: User, viewer: User, as_user: SignIn) -> None:
    liked, other = make_playable(owner, title="Liked"), make_playable(owner, title="Liked by another user")
    Favorite.objects.create(user=viewer, video=liked)
    Favorite.objects.create(user=owner, video=other)
    assert titles(as_user(viewer), favorites=1) == ["Liked"]
    assert len(titles(as_user(viewer), favorites=0)) == 2


def test_videos_under_way_are_found_by_one_filter(owner: User, as_user: SignIn) -> None:
    for state in State:
        make_in_state(owner, state, title=state)
    assert sorted(titles(as_user(owner), underway=1)) == ["pending", "processing", "uploading"]
    assert len(titles(as_user(owner), underway=0)) == len(State)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"category": "a\0b"}, 400),
        ({"search": "a\0b"}, 400),
        ({"search": "x" * 10_000}, 400),
        ({"favorites": "maybe"}, 400),
        ({"underway": "maybe"}, 400),
        ({"category": "9" * 60}, 200),
        ({"category": "٣"}, 200),
        ({"category": ""}, 200),
    ],
)
def test_odd_filters_are_answered_without_an_error(
    query: dict[str, str], status: int, viewer: User, as_user: SignIn
) -> None:
    for path in ("/content/", "/api/v1/videos/"):
        response = as_user(viewer).get(path, query)
        assert response.status_code == status
        assert status == 200 or response.json()["code"] == "invalid"


@pytest.mark.parametrize("ref", ["0", "999999999999999999", "9" * 19, "9" * 400, "-1", "abc", "%00", "1%00"])
def test_odd_ids_are_not_found(ref: str, viewer: User, as_user: SignIn) -> None:
    for route in ("/content/{}/", "/api/v1/videos/{}", "/content/video-url/{}/", "/api/v1/stream/{}/720p.mp4"):
        assert as_user(viewer).get(route.format(ref)).status_code == 404


def test_categories_come_in_their_order(viewer: User, as_user: SignIn) -> None:
    make_category("Zombies", position=1)
    make_category("Action", position=2)
    assert [one["name"] for one in as_user(viewer).get("/content/categories/").json()] == ["Zombies", "Action"]


def test_pages_go_forward_and_back(owner: User, as_user: SignIn) -> None:
    for number in range(5):
        make_playable(owner, title=str(number))
    client = as_user(owner)
    first = client.get("/api/v1/videos/", {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    assert [video["title"] for page in (first, second) for video in page["results"]] == ["4", "3", "2", "1"]
    assert client.get(second["previous"]).json()["results"] == first["results"]


def test_films_of_one_moment_are_paged_once_each(owner: User, as_user: SignIn) -> None:
    """An import makes thousands of films at once."""
    moment = timezone.now()
    Video.objects.bulk_create(
        [Video(owner=owner, title=str(number), created_at=moment) for number in range(3000)], batch_size=500
    )
    client, address = as_user(owner), "/api/v1/videos/?page_size=100"
    ids: list[int] = []
    pages = []
    while address:
        pages.append(client.get(address).json())
        ids += [video["id"] for video in pages[-1]["results"]]
        address = pages[-1]["next"]
    assert ids == sorted(Video.objects.values_list("pk", flat=True), reverse=True)
    for page, following in itertools.pairwise(pages):
        assert client.get(following["previous"]).json()["results"] == page["results"]


@pytest.mark.parametrize(
    "cursor",
    ["cD1ub3QtYS1kYXRl", "cD0lMDA=", "bz05OTk5OTk5OTk5OTk5OTk5OTk5", "%00", "ü", "!", "n1.", "n1.x", "n1.-1x"],
)
def test_a_made_up_cursor_is_refused(cursor: str, viewer: User, as_user: SignIn) -> None:
    answer = as_user(viewer).get("/api/v1/videos/", {"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_starting_to_play_has_a_rate_limit_of_its_own(viewer: User, owner: User, as_user: Any, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "stream": 1}
    video = make_playable(owner)
    client = as_user(viewer)
    statuses = [client.get(f"/content/video-url/{video.pk}/").status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert client.get(f"/content/{video.pk}/").status_code == 200
