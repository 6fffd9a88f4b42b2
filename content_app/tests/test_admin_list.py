"""The list of videos in Django admin: its columns, filters and actions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from content_app.models import Category, Favorite, Video
from content_app.states import State, Visibility
from content_app.tests.factories import make_category, make_playable, make_video
from users_app.models import User

LIST = "/admin/content_app/video/"

pytestmark = pytest.mark.usefixtures("enqueued")


def test_the_list_shows_the_state_of_each_video(staff: Client, owner: User) -> None:
    playable = make_playable(owner, title="Fine", visibility=Visibility.UNLISTED, is_paid=True, price=3)
    make_video(owner, title="Half done", state=State.PROCESSING, progress=42, time_left_s=125, attempts=2)
    make_video(owner, title="Broken", state=State.ERROR, error_message="This file is not a video.")
    make_video(owner, title="Out of the way", deleted_at=timezone.now())
    page = staff.get(LIST).content.decode()
    assert f"/{playable.key_prefix}/poster_small.jpg" in page, "signed, so that staff see the pictures of every video"
    for text in ("Fine", "Unlisted", "3.00 EUR", "Processing, 42 %", "about 2 min left, attempt 2 of 3"):
        assert text in page
    for text in ("This file is not a video.", owner.email):
        assert text in page
    assert "Out of the way" not in page


def test_a_version_of_unknown_length_has_no_empty_badge(staff: Client, owner: User) -> None:
    make_playable(owner, duration_s=None)
    assert "vf-length" not in staff.get(LIST).content.decode()


def test_more_videos_cost_the_list_no_more_queries(
    staff: Client, owner: User, make_user: Any, django_assert_max_num_queries: Any
) -> None:
    make_playable(owner, category=make_category("Genre"))
    make_video(owner, state=State.PENDING)
    with django_assert_max_num_queries(100) as few:
        staff.get(LIST)
    for number in range(10):
        make_playable(make_user(f"owner {number}"), category=make_category(f"Genre {number}"))
        make_video(owner, state=State.PENDING)
    with django_assert_max_num_queries(len(few)):
        staff.get(LIST)


# --- Actions ---


def act(staff: Client, action: str, *videos: Video, query: str = "?deleted=all", **extra: Any) -> list[str]:
    """Returns the messages on the page afterwards."""
    chosen = {"action": action, "_selected_action": [video.pk for video in videos], "index": "0", **extra}
    response = staff.post(f"{LIST}{query}", chosen, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_failed_and_finished_videos_are_processed_again(
    staff: Client, owner: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    failed, ready = make_video(owner, state=State.ERROR), make_playable(owner)
    others = [make_video(owner), make_video(owner, state=State.ERROR, deleted_at=timezone.now())]
    with django_capture_on_commit_callbacks(execute=True):
        said = act(staff, "process_again", failed, ready, *others)
    assert said == ["2 films put back in the queue.", "2 films left alone: neither finished nor failed."]
    assert sorted(enqueued) == [failed.pk, ready.pk]


def test_retrying_leaves_finished_videos_alone(
    staff: Client, owner: User, enqueued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    failed, ready = make_video(owner, state=State.ERROR), make_playable(owner)
    hopeless = make_video(owner, state=State.ERROR, error_is_final=True)
    with django_capture_on_commit_callbacks(execute=True):
        said = act(staff, "retry_failed", failed, ready, hopeless)
    assert said == [
        "1 film put back in the queue.",
        "2 films left alone: did not fail, or would fail again with the same file.",
    ]
    assert enqueued == [failed.pk]


def test_videos_are_deleted_and_restored(staff: Client, owner: User) -> None:
    video, deleted = make_playable(owner), make_playable(owner, deleted_at=timezone.now())
    assert act(staff, "soft_delete", video, deleted)[0].startswith("1 film deleted;")
    assert Video.objects.filter(deleted_at=None).count() == 0
    assert act(staff, "bring_back", video, deleted) == ["2 films brought back."]
    assert Video.objects.filter(deleted_at=None).count() == 2


@pytest.mark.parametrize("chosen", [["x"], ["9" * 30], ["-1"], ["1", "\0"]])
@pytest.mark.parametrize("action", ["process_again", "delete_selected", "nonsense"])
def test_made_up_ids_are_refused(action: str, chosen: list[str], staff: Client) -> None:
    assert staff.post(LIST, {"action": action, "_selected_action": chosen, "index": "0"}).status_code == 400


@pytest.mark.parametrize("pk", ["9" * 30, "999", "x", "%00"])
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_the_page_of_an_unknown_video_leads_back(page: str, pk: str, staff: Client) -> None:
    assert staff.get(f"{LIST}{pk}/{page}/").status_code == 302


@pytest.mark.parametrize("pk", ["9" * 30, "x", "-1"])
def test_made_up_ids_in_an_editable_list_are_refused(pk: str, staff: Client) -> None:
    make_category("Drama")
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": pk, "form-0-position": "3", "_save": "1"}
    assert staff.post("/admin/content_app/category/", form).status_code in (200, 302, 400)
    assert Category.objects.get().position == 0


# --- Searching and filtering ---


@pytest.mark.parametrize(
    "query",
    ["bunny", "BÜCHER rabbit", "owner@example", "big_buck", "{public_id}", "https://x.org/watch/{public_id}/", "{pk}"],
)
def test_a_video_is_found_by_each_searched_field(query: str, staff: Client, owner: User, make_user: Any) -> None:
    video = make_playable(owner, description="A rabbit. Bücher.", name="big_buck.mp4")
    make_playable(make_user("another"), title="Another", pk=video.pk + 1000)
    found = staff.get(LIST, {"q": query.format(public_id=video.public_id, pk=video.pk)}).context["cl"].result_list
    assert list(found) == [video]


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
        "owner__id__exact=" + "9" * 40,
        "owner__id__exact=" + "9" * 40 + "&owner__id__exact=1",
        "title__regex=(",
        "owner__email__iregex=(",
        "_popup=x",
    ],
)
def test_no_query_string_breaks_the_list(query: str, staff: Client, owner: User) -> None:
    make_playable(owner)
    assert staff.get(f"{LIST}?{query}").status_code in (200, 302, 400)


def test_rows_without_a_table_are_not_queried(staff: Client) -> None:
    assert staff.get("/admin/r/1/1/").status_code == 302


@pytest.mark.parametrize("listed", ["video", "favorite"])
@pytest.mark.parametrize("query", ["created_at__year=99999", "id__gt=" + "9" * 40, "created_at__gt=x"])
def test_an_invalid_filter_is_shown_as_an_error(client: Client, admin: User, listed: str, query: str) -> None:
    client.force_login(admin)
    response = client.get(f"/admin/content_app/{listed}/?{query}")
    assert response.status_code in (200, 302), "the list, or the list with a note that the filter was wrong"


@pytest.mark.parametrize("path", [LIST, "/admin/content_app/favorite/", "/admin/users_app/user/"])
def test_every_list_writes_dates_in_one_way(staff: Client, owner: User, path: str) -> None:
    at = datetime(2026, 11, 29, 13, 5, tzinfo=UTC)
    Favorite.objects.create(user=owner, video=make_playable(owner, created_at=at), created_at=at)
    User.objects.update(date_joined=at)
    page = staff.get(path).content.decode()
    assert "29 Nov 2026, 13:05" in page
    assert "Nov. 29" not in page
    assert "p.m." not in page
