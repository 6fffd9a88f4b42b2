"""A paid film has a price, also after concurrent requests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from rest_framework.test import APIClient

from content_app.models import Video
from content_app.services.catalogue import videos
from content_app.services.uploads import direct_uploads
from content_app.states import Visibility
from content_app.tests.factories import make_video
from users_app.models import User

SignIn = Callable[[User], APIClient]
VIDEOS = "/api/v1/videos/"
ROUNDS = 20
MENDING = ("content_app", "0007_paid_means_a_price")

pytestmark = pytest.mark.usefixtures("enqueued")


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_never_make_a_paid_film_without_a_price(owner: User, as_user: SignIn) -> None:
    video = make_video(owner, price=5)
    changes = ({"is_paid": True}, {"price": "0"})

    def patch(change: dict[str, Any]) -> int:
        try:
            return as_user(owner).patch(f"{VIDEOS}{video.pk}/", change, format="json").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            Video.objects.update(is_paid=False, price=5)
            assert sorted(pool.map(patch, changes)) == [200, 400]
            video.refresh_from_db()
            assert video.price > 0 or not video.is_paid


def between(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, change: Callable[[], object]) -> None:
    """Has another request change the row after this request has been validated."""

    def changed_meanwhile(**arguments: Any) -> Any:
        change()
        return really(**arguments)

    really = getattr(module, name)
    monkeypatch.setattr(module, name, changed_meanwhile)


def test_a_change_is_validated_against_the_locked_row(
    owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(owner, price=5)
    between(monkeypatch, videos, "edit", lambda: Video.objects.update(price=0))
    answer = as_user(owner).patch(f"{VIDEOS}{video.pk}/", {"is_paid": True}, format="json")
    assert (answer.status_code, answer.json()["price"]) == (400, ["A paid video needs a price above 0."])


def test_the_metadata_of_an_upload_are_validated_against_the_locked_row(
    owner: User, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(owner, price=5)
    upload = direct_uploads.announce(owner=owner, size_bytes=1, video=video)
    between(monkeypatch, direct_uploads, "set_details", lambda: Video.objects.update(price=0))
    body = {"video_s3_key": upload.key, "title": "Brought", "is_paid": True}
    answer = as_user(owner).post("/api/v1/upload/videos/metadata/", body, format="json")
    assert (answer.status_code, answer.json()["price"]) == (400, ["A paid video needs a price above 0."])


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}])
def test_the_admin_form_shows_the_error_beside_the_price(
    staff: Client, owner: User, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    video = make_video(owner, price=5)
    between(monkeypatch, videos, "save", lambda: Video.objects.update(price=0))
    fields = {"title": "Typed", "owner": owner.pk, "visibility": "PUBLIC", "currency": "EUR"}
    change = f"/admin/content_app/video/{video.pk}/change/"
    answer = staff.post(change, {**fields, "price": "5", "is_paid": "on"}, headers=headers)
    assert "A paid video needs a price above 0." in answer.content.decode()
    assert "Typed" in answer.content.decode() or headers
    video.refresh_from_db()
    assert (video.is_paid, video.title) == (False, "Big Buck Bunny")


@pytest.mark.parametrize("broken", ["price = -1", "is_paid = true", "is_paid = true, price = -1"])
def test_the_database_refuses_such_a_row(owner: User, broken: str) -> None:
    make_video(owner)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE content_app_video SET {broken}")  # noqa: S608 - written above


@pytest.mark.django_db(transaction=True)
def test_the_migration_makes_paid_films_without_a_price_private(owner: User) -> None:
    executor = MigrationExecutor(connection)
    before = [node.key for node in executor.loader.graph.node_map[MENDING].parents]
    executor.migrate(before)
    try:
        old = executor.loader.project_state(before).apps.get_model("content_app", "Video")
        for price, is_paid in ((0, True), (-2, True), (-2, False), (3, True), (0, False)):
            old.objects.create(owner_id=owner.pk, title="x", price=price, is_paid=is_paid)
    finally:
        call_command("migrate", "content_app", verbosity=0)
    found = [(video.is_paid, int(video.price), video.visibility) for video in Video.objects.order_by("pk")]
    private, public = str(Visibility.PRIVATE), str(Visibility.PUBLIC)
    assert found == [
        (False, 0, private), (False, 0, private), (False, 0, public), (True, 3, public), (False, 0, public)
    ]  # fmt: skip
