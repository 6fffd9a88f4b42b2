"""What staff do in Django admin."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from content_app.models import Category, Discard, Favorite, Video
from content_app.states import State, Visibility
from content_app.tests.factories import make_category, make_playable, make_upload, make_video, original_files
from users_app.models import User

LIST = "/admin/content_app/video/"

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.fixture
def staff(admin: User, client: Client) -> Client:
    client.force_login(admin)
    return client


def fields(**changes: Any) -> dict[str, Any]:
    inline = {"renditions-TOTAL_FORMS": 0, "renditions-INITIAL_FORMS": 0}
    basics = {"title": "Holiday", "visibility": "PUBLIC", "price": "0", "currency": "EUR"}
    return {**inline, **basics, **changes}


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def test_staff_upload_a_video_and_own_it(
    staff: Client, admin: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(f"{LIST}add/", fields(video_file=make_upload("film.mkv"), currency="chf"))
    video = Video.objects.get()
    assert response.status_code == 302
    assert (video.owner, video.state, video.currency) == (admin, State.PENDING, "CHF")
    assert (video.original_name, video.original_bytes) == ("film.mkv", 17)
    assert enqueued == [video.pk]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "video_file"),
        ({"video_file": make_upload("notes.txt")}, "video_file"),
        ({"video_file": make_upload(content=b"")}, "video_file"),
        ({"video_file": make_upload(), "title": "x" * 201}, "title"),
        ({"video_file": make_upload(), "price": "-1"}, "price"),
        ({"video_file": make_upload(), "is_paid": "on"}, "price"),
        ({"video_file": make_upload(), "currency": "E1R"}, "currency"),
        ({"video_file": make_upload(), "owner": "999"}, "owner"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(changes: dict[str, Any], field: str, staff: Client) -> None:
    response = staff.post(f"{LIST}add/", fields(**changes))
    assert response.status_code == 200
    assert list(errors(response)) == [field]
    assert not Video.objects.exists()
    assert original_files() == []


def test_a_change_writes_only_what_changed(
    staff: Client, owner: User, enqueued: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker publishes between the loading of the row and its saving."""
    video = make_video(owner, state=State.PROCESSING)
    save = Video.save

    def save_after_the_worker(self: Video, **options: Any) -> None:
        Video.objects.filter(pk=self.pk).update(state=State.READY, version="v1")
        save(self, **options)

    monkeypatch.setattr(Video, "save", save_after_the_worker)
    response = staff.post(f"{LIST}{video.pk}/change/", fields(title="New", owner=owner.pk))
    assert response.status_code == 302
    changed = Video.objects.get()
    assert (changed.title, changed.state, changed.version) == ("New", State.READY, "v1")
    assert enqueued == []


def test_a_new_file_is_processed(
    staff: Client, owner: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    video = make_playable(owner)
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(f"{LIST}{video.pk}/change/", fields(owner=owner.pk, video_file=make_upload("new.mov")))
    changed = Video.objects.get()
    assert (changed.state, changed.original_name, changed.version) == (State.PENDING, "new.mov", "v1")
    assert enqueued == [video.pk]


def test_the_list_shows_what_became_of_each_video(staff: Client, owner: User) -> None:
    playable = make_playable(owner, title="Fine")
    make_video(owner, title="Half done", state=State.PROCESSING, progress=42)
    make_video(owner, title="Broken", state=State.ERROR, error_message="This file is not a video.")
    page = staff.get(LIST).content.decode()
    assert f'<img src="/media/posters/{playable.public_id}/v1.jpg"' in page
    for text in ("Fine", "42 %", "This file is not a video.", owner.email):
        assert text in page


def test_more_videos_cost_the_list_no_more_queries(
    staff: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    make_playable(owner, category=make_category("Genre"))
    with django_assert_max_num_queries(100) as few:
        staff.get(LIST)
    for number in range(10):
        make_playable(owner, category=make_category(f"Genre {number}"))
    with django_assert_max_num_queries(len(few)):
        staff.get(LIST)


def test_the_page_of_a_video_shows_state_poster_and_renditions(staff: Client, owner: User) -> None:
    video = make_playable(owner, state=State.ERROR, error_code="truncated", error_message="It is cut off.")
    page = staff.get(f"{LIST}{video.pk}/change/").content.decode()
    for text in ("It is cut off.", "truncated", "360p", "720p", f"/watch/{video.public_id}/", "poster"):
        assert text in page
    assert "originals/" not in page


def test_the_poster_of_a_private_video_is_signed(staff: Client, owner: User) -> None:
    video = make_playable(owner, visibility=Visibility.PRIVATE)
    assert f"/{video.key_prefix}/poster.jpg" in staff.get(LIST).content.decode()


def test_failed_and_finished_videos_are_processed_again(
    staff: Client, owner: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    failed = make_video(owner, state=State.ERROR, video_file="originals/a/a.mp4", accepted_original="originals/a/a.mp4")
    waiting = make_video(owner, state=State.UPLOADING)
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(
            LIST, {"action": "process_again", "_selected_action": [failed.pk, waiting.pk]}, follow=True
        )
    assert [str(message) for message in response.context["messages"]] == [
        "1 video(s) put back in line.",
        "1 video(s) left alone: neither finished nor failed.",
    ]
    assert enqueued == [failed.pk]


def test_deleted_videos_are_brought_back(staff: Client, owner: User) -> None:
    video = make_playable(owner, deleted_at=timezone.now())
    staff.post(LIST, {"action": "bring_back", "_selected_action": [video.pk]})
    assert Video.objects.get().deleted_at is None


@pytest.mark.parametrize("in_bulk", [True, False])
def test_deleting_lets_go_of_what_was_stored(in_bulk: bool, staff: Client, owner: User) -> None:
    video = make_playable(owner)
    if in_bulk:
        staff.post(LIST, {"action": "delete_selected", "_selected_action": [video.pk], "post": "yes"})
    else:
        staff.post(f"{LIST}{video.pk}/delete/", {"post": "yes"})
    assert not Video.objects.exists()
    assert set(Discard.objects.values_list("prefix", flat=True)) == {
        f"originals/{video.public_id}",
        f"videos/{video.public_id}",
    }


@pytest.mark.parametrize(
    "query",
    [
        "q=bunny",
        "q=%00",
        "state=ready",
        "state=x",
        "category__id__exact=x",
        "owner__id=1",
        "deleted_at__isempty=1",
        "p=9",
        "o=99",
        "category__id__exact=99999999999999999999",
        "_popup=x",
    ],
)
def test_no_query_string_breaks_the_list(query: str, staff: Client, owner: User) -> None:
    make_playable(owner)
    assert staff.get(f"{LIST}?{query}").status_code in (200, 302, 400)


def test_a_category_gets_a_slug_of_its_own(staff: Client) -> None:
    add = "/admin/content_app/category/add/"
    assert staff.post(add, {"name": "Sci Fi", "slug": "", "position": "1"}).status_code == 302
    taken = staff.post(add, {"name": "Sci-Fi", "slug": "", "position": "2"})
    assert list(errors(taken)) == ["slug"]
    assert staff.post(add, {"name": "科幻", "slug": "", "position": "3"}).status_code == 302
    assert Category.objects.count() == 2


def test_favourites_and_categories_are_listed(staff: Client, owner: User) -> None:
    Favorite.objects.create(user=owner, video=make_playable(owner, category=make_category("Drama")))
    for model in ("favorite", "category"):
        assert staff.get(f"/admin/content_app/{model}/").status_code == 200
        assert staff.get(f"/admin/content_app/{model}/add/").status_code == 200


def test_who_is_no_staff_is_sent_to_sign_in(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get(LIST).status_code == 302
    assert client.get("/admin").headers["Location"] == "/admin/"


@pytest.mark.parametrize("listed", ["video", "favorite"])
@pytest.mark.parametrize("query", ["created_at__year=99999", "id__gt=" + "9" * 40, "created_at__gt=x"])
def test_a_filter_that_makes_no_sense_is_shown_as_a_wrong_one(
    client: Client, admin: User, listed: str, query: str
) -> None:
    client.force_login(admin)
    response = client.get(f"/admin/content_app/{listed}/?{query}")
    assert response.status_code in (200, 302), "the list, or the list with a note that the filter was wrong"
