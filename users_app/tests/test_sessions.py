from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from users_app.models import Session, User
from users_app.services import sessions
from users_app.services.sessions import SessionEnded
from users_app.tokens import BadToken, read_refresh


def rewind_rotation(*, seconds: int) -> None:
    """Moves the last rotation of every session into the past."""
    for session in Session.objects.exclude(rotated_at=None):
        assert session.rotated_at is not None
        session.rotated_at -= timedelta(seconds=seconds)
        session.save()


def test_a_session_lives_as_long_as_its_kind(viewer: User, settings: Any) -> None:
    for is_remembered, lifetime in ((False, settings.SESSION_LIFETIME), (True, settings.REMEMBERED_SESSION_LIFETIME)):
        tokens = sessions.open_session(user=viewer, is_remembered=is_remembered)
        session = Session.objects.get(pk=read_refresh(tokens.refresh).session_id)
        assert abs(session.expires_at - timezone.now() - lifetime) < timedelta(seconds=5)


def test_opening_a_session_notes_the_sign_in_and_drops_expired_ones(viewer: User) -> None:
    expired = Session.objects.create(user=viewer, expires_at=timezone.now())
    sessions.open_session(user=viewer)
    assert not Session.objects.filter(pk=expired.pk).exists()
    viewer.refresh_from_db()
    assert viewer.last_login is not None


def test_refreshing_gives_a_successor_and_prolongs_the_session(viewer: User) -> None:
    tokens = sessions.open_session(user=viewer)
    Session.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    successor = sessions.rotate(refresh_token=tokens.refresh)
    assert successor.refresh != tokens.refresh
    assert Session.objects.get().expires_at > timezone.now() + timedelta(minutes=50)
    assert sessions.live_session(access_token=successor.access).user == viewer


def test_within_the_grace_the_old_token_gives_the_same_successor(viewer: User) -> None:
    tokens = sessions.open_session(user=viewer)
    successor = sessions.rotate(refresh_token=tokens.refresh)
    assert sessions.rotate(refresh_token=tokens.refresh).refresh == successor.refresh


def test_a_second_refresh_within_the_grace_does_not_push_the_first_token_out(viewer: User) -> None:
    """A slow tab still holds the first token while a fast one refreshes twice."""
    first = sessions.open_session(user=viewer)
    second = sessions.rotate(refresh_token=first.refresh)
    assert sessions.rotate(refresh_token=second.refresh).refresh == second.refresh
    assert sessions.rotate(refresh_token=first.refresh).refresh == second.refresh


def test_after_the_grace_the_old_token_ends_the_whole_family(viewer: User) -> None:
    stolen = sessions.open_session(user=viewer)
    successor = sessions.rotate(refresh_token=stolen.refresh)
    rewind_rotation(seconds=11)
    with pytest.raises(SessionEnded):
        sessions.rotate(refresh_token=stolen.refresh)
    with pytest.raises(SessionEnded):
        sessions.rotate(refresh_token=successor.refresh)
    with pytest.raises(SessionEnded):
        sessions.live_session(access_token=successor.access)


def test_a_token_of_two_generations_ago_ends_the_family(viewer: User) -> None:
    first = sessions.open_session(user=viewer)
    second = sessions.rotate(refresh_token=first.refresh)
    rewind_rotation(seconds=11)
    third = sessions.rotate(refresh_token=second.refresh)
    assert third.refresh != second.refresh
    with pytest.raises(SessionEnded):
        sessions.rotate(refresh_token=first.refresh)
    assert Session.objects.get().revoked_at is not None


def test_the_end_of_one_session_leaves_the_others(viewer: User) -> None:
    laptop, phone = sessions.open_session(user=viewer), sessions.open_session(user=viewer)
    sessions.end_session(refresh_token=laptop.refresh, access_token=None)
    with pytest.raises(SessionEnded):
        sessions.rotate(refresh_token=laptop.refresh)
    assert sessions.rotate(refresh_token=phone.refresh)


def test_a_session_ends_by_its_access_token_as_well_and_bad_tokens_end_nothing(viewer: User) -> None:
    tokens = sessions.open_session(user=viewer)
    sessions.end_session(refresh_token="garbage", access_token="garbage")
    assert Session.objects.get().revoked_at is None
    sessions.end_session(refresh_token="garbage", access_token=tokens.access)
    assert Session.objects.get().revoked_at is not None


def test_a_session_is_revoked_only_once(viewer: User) -> None:
    sessions.open_session(user=viewer)
    session = Session.objects.get()
    assert sessions.revoke(session_id=session.pk)
    assert not sessions.revoke(session_id=session.pk)


def test_a_user_can_be_signed_out_everywhere(viewer: User, creator: User) -> None:
    for user in (viewer, viewer, creator):
        sessions.open_session(user=user)
    assert sessions.revoke_all(user=viewer) == 2
    assert Session.objects.filter(revoked_at=None).get().user == creator


@pytest.mark.parametrize("change", ["password", "inactive", "deleted", "expired", "session deleted"])
def test_tokens_end_with_their_password_user_or_session(change: str, viewer: User) -> None:
    tokens = sessions.open_session(user=viewer)
    match change:
        case "password":
            viewer.set_password("another horse")
            viewer.save()
        case "inactive":
            User.objects.update(is_active=False)
        case "deleted":
            viewer.delete()
        case "expired":
            Session.objects.update(expires_at=timezone.now())
        case "session deleted":
            Session.objects.all().delete()
    with pytest.raises(BadToken):
        sessions.live_session(access_token=tokens.access)
    with pytest.raises(BadToken):
        sessions.rotate(refresh_token=tokens.refresh)


@pytest.mark.django_db(transaction=True)
def test_tabs_that_refresh_at_the_same_moment_get_the_same_successor(viewer: User) -> None:
    tokens = sessions.open_session(user=viewer)
    tabs = 8
    together = Barrier(tabs)

    def refresh(_: int) -> str:
        try:
            together.wait(timeout=30)
            return sessions.rotate(refresh_token=tokens.refresh).refresh
        finally:
            connection.close()

    with ThreadPoolExecutor(tabs) as pool:
        successors = set(pool.map(refresh, range(tabs)))
    assert len(successors) == 1
    assert successors != {tokens.refresh}
    assert Session.objects.get().revoked_at is None
