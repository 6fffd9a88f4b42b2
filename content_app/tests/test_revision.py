"""Every change of a row raises its revision, in the same UPDATE."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from content_app.models import Category, Video
from content_app.tests.factories import make_category, make_video
from users_app.models import User


def save(video: Video) -> None:
    video.save()


def save_one_field(video: Video) -> None:
    video.save(update_fields=["title"])


def save_with_deferred_fields(video: Video) -> None:
    Video.objects.only("title", "video_file").get(pk=video.pk).save()


def update(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(title="New")


def update_by_an_expression(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(original_bytes=F("original_bytes") + 1)


def update_what_a_join_finds(video: Video) -> None:
    Video.objects.filter(owner__email="owner@example.com").update(title="New")


def bulk_update(video: Video) -> None:
    Video.objects.bulk_update([video], ["title"])


def update_or_create(video: Video) -> None:
    Video.objects.update_or_create(pk=video.pk, defaults={"title": "New"})


def save_a_locked_row(video: Video) -> None:
    with transaction.atomic():
        Video.objects.select_for_update().get(pk=video.pk).save(update_fields=["title"])


WAYS = [
    *(save, save_one_field, save_with_deferred_fields, update, update_by_an_expression, update_what_a_join_finds),
    *(bulk_update, update_or_create, save_a_locked_row),
]


@pytest.mark.parametrize("change", WAYS, ids=lambda change: change.__name__)
def test_every_way_of_writing_raises_it(change: Callable[[Video], None], owner: User) -> None:
    video, other = make_video(owner), make_video(owner)
    if change is update_what_a_join_finds:
        other.delete()
    before = dict(Video.objects.values_list("pk", "revision"))
    for _ in range(2):
        change(video)
        after = dict(Video.objects.values_list("pk", "revision"))
        assert after.pop(video.pk) > before.pop(video.pk)
        assert after == before
        before = dict(Video.objects.values_list("pk", "revision"))


def test_an_update_is_one_query(owner: User, django_assert_num_queries: Any) -> None:
    make_video(owner)
    with django_assert_num_queries(1):
        Video.objects.update(title="New")


def test_a_change_that_is_not_shown_may_keep_it(owner: User) -> None:
    before = make_video(owner).revision
    Video.objects.update(original_bytes=3, revision=F("revision"))
    assert Video.objects.get().revision == before


def test_an_upsert_is_refused(owner: User) -> None:
    with pytest.raises(NotImplementedError):
        Video.objects.bulk_create(
            [Video(owner=owner)], update_conflicts=True, unique_fields=["public_id"], update_fields=["title"]
        )


@pytest.mark.parametrize("way", ["create", "bulk_create"])
def test_new_rows_have_revisions_that_were_never_given_before(way: str, owner: User) -> None:
    if way == "create":
        made = [make_video(owner) for _ in range(20)]
    else:
        made = Video.objects.bulk_create([Video(owner=owner, title=str(number)) for number in range(20)])
    stored = dict(Video.objects.values_list("pk", "revision"))
    assert len(set(stored.values())) == 20
    assert stored == {video.pk: video.revision for video in made}
    # Another row that takes over the id has another revision.
    Video.objects.filter(pk=made[0].pk).delete()
    assert make_video(owner, pk=made[0].pk).revision not in stored.values()


def test_a_copy_of_a_row_has_its_own(owner: User) -> None:
    video = make_video(owner)
    revision, public_id = video.revision, video.public_id
    video.pk, video.public_id, video._state.adding = None, type(public_id)(int=1), True
    video.save()
    assert set(Video.objects.values_list("revision", flat=True)) == {revision, video.revision}
    assert video.revision != revision


def test_a_number_that_was_rolled_back_is_never_given_again(owner: User) -> None:
    video = make_video(owner)
    seen = {video.revision}
    for _ in range(5):
        with transaction.atomic():
            update(video)
            seen.add(Video.objects.get().revision)
            transaction.set_rollback(True)
    update(video)
    assert len(seen | {Video.objects.get().revision}) == 7


def test_it_rises_even_where_the_clock_is_behind(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(owner)
    before = Video.objects.get().revision
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    rises = []
    for _ in range(5):
        update(video)
        rises.append(Video.objects.get().revision - before)
        before = Video.objects.get().revision
    assert min(rises) > 0
    assert len(set(rises)) > 1, "steps are random, so that a rolled-back number does not come again"


def test_the_name_of_a_category_raises_its_own_and_that_of_no_film(owner: User) -> None:
    category = make_category("Drama")
    video = make_video(owner, category=category)
    of_film, of_category = video.revision, category.revision
    category.name = "Tragedy"
    category.save()
    assert Category.objects.get().revision > of_category
    assert Video.objects.get().revision == of_film
