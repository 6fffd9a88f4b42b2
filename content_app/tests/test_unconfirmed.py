"""Which accounts the reaper removes: only those that were registered and never used or confirmed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import PASSWORD
from content_app.models import DirectUpload, Favorite, Video
from users_app.models import User
from users_app.services import registration
from users_app.services.accounts import ensure_roles
from users_app.services.sessions import open_session
from users_app.tests.conftest import post
from users_app.tests.mailbox import deliver_one

LONG_AGO = timezone.now() - timedelta(days=400)

pytestmark = pytest.mark.django_db


def un_tick(office: Client, user: User) -> None:
    """Sends the form as staff do, with "active" off and "awaits confirmation" on."""
    form = {"email": user.email, "name": user.name, "role": user.role, "awaits_confirmation": "on"}
    assert office.post(f"/admin/users_app/user/{user.pk}/change/", form).status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.awaits_confirmation) == (False, True)


@pytest.fixture
def office(admin: User) -> Client:
    ensure_roles()
    client = Client()
    client.force_login(admin)
    return client


def waiting(make_user: Any, **fields: Any) -> User:
    """An old account that is not confirmed any more."""
    user: User = make_user("member", is_active=False, awaits_confirmation=True, **fields)
    User.objects.filter(pk=user.pk).update(date_joined=LONG_AGO)
    return user


def test_an_account_that_was_only_registered_is_removed(make_user: Any) -> None:
    waiting(make_user)
    assert registration.drop_unconfirmed() == 1
    assert not User.objects.exists()


@pytest.mark.parametrize("fields", [{"email_verified": True}, {"last_login": LONG_AGO}, {"let_in_at": LONG_AGO}])
def test_accounts_that_were_confirmed_admitted_or_signed_in_stay(fields: dict[str, Any], make_user: Any) -> None:
    waiting(make_user, **fields)
    assert registration.drop_unconfirmed() == 0


@pytest.mark.parametrize("fields", [{"email_verified": True}, {}])
def test_an_account_that_staff_deactivate_stays_however_old_it_is(
    fields: dict[str, Any], make_user: Any, office: Client
) -> None:
    member = make_user("member", **fields)
    un_tick(office, member)
    User.objects.update(date_joined=LONG_AGO)
    assert registration.drop_unconfirmed() == 0


def test_a_registration_that_staff_admit_and_deactivate_stays(make_user: Any, office: Client) -> None:
    member = waiting(make_user)
    form = {"email": member.email, "role": member.role, "is_active": "on"}
    office.post(f"/admin/users_app/user/{member.pk}/change/", form)
    un_tick(office, member)
    assert registration.drop_unconfirmed() == 0


def test_a_registration_that_staff_name_is_still_removed(make_user: Any, office: Client) -> None:
    member = waiting(make_user)
    un_tick(office, member)
    assert registration.drop_unconfirmed() == 1


def test_a_member_who_confirmed_is_kept_when_staff_un_tick_everything(office: Client) -> None:
    address = "member@example.com"
    post(
        APIClient(HTTP_ORIGIN="http://testserver"),
        "/users/register/",
        {"email": address, "password": PASSWORD, "confirm_password": PASSWORD},
    )
    post(
        APIClient(HTTP_ORIGIN="http://testserver"),
        "/api/v1/auth/verify-email/",
        {"email": address, "otp": deliver_one().code},
    )
    member = User.objects.get(email=address)
    un_tick(office, member)
    User.objects.update(date_joined=LONG_AGO)
    assert registration.drop_unconfirmed() == 0


def own_film(user: User) -> None:
    Video.objects.create(owner=user, title="Film")


def mark_film(user: User) -> None:
    Video.objects.create(owner=User.objects.create_user("owner@example.com", None), title="Film")
    Favorite.objects.create(user=user, video=Video.objects.get())


def begin_upload(user: User) -> None:
    DirectUpload.objects.create(owner=user, key="k", expires_at=timezone.now())


def stand_in_the_admin_log(user: User) -> None:
    LogEntry.objects.create(user=user, action_flag=ADDITION, object_repr="x")


def be_signed_in(user: User) -> None:
    open_session(user=user)
    User.objects.update(last_login=None)


@pytest.mark.parametrize("own", [own_film, mark_film, begin_upload, stand_in_the_admin_log, be_signed_in])
def test_an_account_that_owns_something_stays_and_blocks_no_removal(
    own: Callable[[User], None], make_user: Any
) -> None:
    own(waiting(make_user))
    waiting(make_user, email="other@example.com")
    assert registration.drop_unconfirmed() == 1
    assert User.objects.filter(email="member@example.com").exists()


def test_registering_again_takes_nothing_from_a_member_who_has_to_confirm_again(
    make_user: Any,
) -> None:
    member = waiting(make_user, email_verified=True, phone="123")
    post(
        APIClient(HTTP_ORIGIN="http://testserver"),
        "/users/register/",
        {"email": member.email, "password": "another one 123", "confirm_password": "another one 123"},
    )
    member.refresh_from_db()
    assert (member.name, member.phone, member.check_password(PASSWORD)) == ("member", "123", True)
