"""Changes of films are in the audit trail, whether by the API or the admin site."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from content_app.models import Video
from content_app.tests.factories import make_playable, make_upload
from users_app.models import AuditEntry, User
from users_app.services.accounts import ensure_roles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued")]


def trail() -> list[tuple[str, str, int | None]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "target", "actor"))


def test_uploading_changing_deleting_and_restoring(owner: User, admin: User, as_user: Any) -> None:
    client = as_user(owner)
    video_id = client.post("/api/v1/videos/", {"file": make_upload(), "title": "Film"}).json()["id"]
    path, target = f"/api/v1/videos/{video_id}/", f"video:{video_id}"
    public_id = Video.objects.get().public_id
    client.patch(path, {"title": "Better"}, format="json")
    client.delete(f"/api/v1/videos/{public_id}/")
    as_user(admin).patch(f"{path}restore/", format="json")
    assert trail() == [
        ("video_added", target, owner.pk),
        ("video_changed", target, owner.pk),
        ("video_deleted", target, owner.pk),
        ("video_restored", target, admin.pk),
    ]
    assert AuditEntry.objects.get(action="video_changed").detail == {"fields": ["title"]}


def test_refused_requests_are_not_in_the_audit_trail(owner: User, creator: User, as_user: Any) -> None:
    video = make_playable(owner)
    assert as_user(creator).delete(f"/api/v1/videos/{video.pk}/").status_code == 403
    assert as_user(owner).patch(f"/api/v1/videos/{video.pk}/", {"title": ""}, format="json").status_code == 400
    assert not trail()


def test_staff_who_delete_for_good_leave_the_title(client: Client, admin: User, owner: User) -> None:
    ensure_roles()
    client.force_login(admin)
    video = make_playable(owner, title="Gone")
    client.post(f"/admin/content_app/video/{video.pk}/delete/", {"post": "yes"})
    assert not Video.objects.exists()
    entry = AuditEntry.objects.get(action="video_removed_for_good")
    assert (entry.target, entry.actor, entry.detail) == (f"video:{video.pk}", admin, {"title": "Gone"})


def test_changes_on_the_page_of_a_film_are_in_the_audit_trail(client: Client, admin: User, owner: User) -> None:
    ensure_roles()
    client.force_login(admin)
    video = make_playable(owner)
    for to, action in (("delete", "video_deleted"), ("restore", "video_restored")):
        client.post(reverse("admin:content_app_video_move", args=[video.pk]), {"to": to})
        assert trail()[-1] == (action, f"video:{video.pk}", admin.pk)
