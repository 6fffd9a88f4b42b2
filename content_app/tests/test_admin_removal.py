"""Deleting videos for good: the list on the page of confirmation, and the removal."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from content_app.admin import actions, removal
from content_app.models import Discard, Favorite, Video
from content_app.tests.factories import make_caption, make_playable, make_video, store_objects
from media_pipeline.errors import StorageUnavailable
from media_pipeline.storage.store import LocalStore
from users_app.models import User

LIST = "/admin/content_app/video/"

pytestmark = pytest.mark.usefixtures("enqueued")


def store_original(video: Video, size_bytes: int = 2048) -> None:
    folder = Path(settings.MEDIA_ROOT, "originals", str(video.public_id))
    folder.mkdir(parents=True)
    (folder / "0f.mkv").write_bytes(b"x" * size_bytes)


def ask(staff: Client, *videos: Video) -> str:
    chosen = {"action": "delete_selected", "_selected_action": [video.pk for video in videos], "index": "0"}
    return staff.post(f"{LIST}?deleted=all", chosen).content.decode()


def squeezed(page: str) -> str:
    return " ".join(page.split())


@pytest.mark.parametrize("in_bulk", [True, False])
def test_the_confirmation_lists_rows_and_stored_files_with_their_sizes(
    in_bulk: bool, staff: Client, owner: User, viewer: User
) -> None:
    video = make_playable(owner)
    make_caption(video)
    Favorite.objects.create(user=viewer, video=video)
    store_objects(video, master_m3u8=b"x" * 1000)
    store_original(video)
    page = squeezed(ask(staff, video) if in_bulk else staff.get(f"{LIST}{video.pk}/delete/").content.decode())
    sizes = 1000 + len(b"a picture") + len(b"a film") + 2048
    assert f"4 stored files with {sizes / 1024:.1f} KB, and 1 film, 2 renditions, 1 caption track, 1 favourite" in page
    for text in (f"originals/{video.public_id}/", f"{video.key_prefix}/", "0f.mkv", "master.m3u8", "720p.mp4"):
        assert text in page
    for text in ("2.0 KB", "What stays", str(video.public_id)):
        assert text in page
    assert Video.objects.exists(), "the page only asks"


def test_more_videos_cost_the_confirmation_no_more_queries(
    staff: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    one = make_playable(owner)
    with django_assert_max_num_queries(100) as few:
        ask(staff, one)
    many = [make_playable(owner) for _ in range(8)]
    with django_assert_max_num_queries(len(few)):
        ask(staff, *many)


def test_of_many_videos_only_the_first_are_listed_file_by_file(
    staff: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LISTED_IN_FULL", 1)
    videos = [make_playable(owner) for _ in range(2)]
    for video in videos:
        store_objects(video)
    page = squeezed(ask(staff, *videos))
    assert page.count("master.m3u8") == 1
    assert page.count("3 files, ") == 2
    assert page.startswith("<!DOCTYPE html>")
    assert "6 stored files" in page


def test_the_number_of_videos_deleted_at_once_is_limited(
    staff: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MAX_DELETED_AT_ONCE", 1)
    chosen = {"action": "delete_selected", "_selected_action": [make_video(owner).pk, make_video(owner).pk]}
    response = staff.post(LIST, {**chosen, "index": "0", "post": "yes"}, follow=True)
    assert [str(one) for one in response.context["messages"]] == [
        "You have selected 2 films. Delete at most 1 for good at once."
    ]
    assert Video.objects.count() == 2


def test_the_confirmation_says_when_the_storage_is_unreachable(
    staff: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: LocalStore, prefix: str) -> Any:
        raise StorageUnavailable

    monkeypatch.setattr(LocalStore, "sizes", fail)
    assert "The stored files cannot be listed now" in ask(staff, make_playable(owner))


@pytest.mark.parametrize("in_bulk", [True, False])
def test_deleting_discards_the_stored_objects(in_bulk: bool, staff: Client, owner: User) -> None:
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
