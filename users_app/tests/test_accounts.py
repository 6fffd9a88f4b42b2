from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.validators import validate_email
from django.db import IntegrityError

from conftest import PASSWORD
from users_app.models import User
from users_app.roles import Role
from users_app.services import accounts
from users_app.services.accounts import AdminRefused, LastAdmin


def test_making_the_groups_of_roles_is_safe_to_repeat(db: None) -> None:
    accounts.ensure_roles()
    accounts.ensure_roles()
    assert sorted(Group.objects.values_list("name", flat=True)) == ["ADMIN", "CREATOR", "VIEWER"]


def test_each_role_has_its_permissions_in_the_admin_site(viewer: User, creator: User, admin: User) -> None:
    accounts.ensure_roles()
    admin.is_superuser = False
    admin.save()
    for user in (viewer, creator, admin):
        accounts.assign_role(user=user, role=Role(user.role))
    viewer, creator, admin = (User.objects.get(pk=user.pk) for user in (viewer, creator, admin))
    assert not viewer.get_all_permissions()
    assert creator.has_perm("content_app.add_video")
    assert not creator.has_perm("content_app.delete_video")
    assert not creator.has_perm("users_app.view_user")
    assert admin.has_perms(["users_app.change_user", "content_app.delete_video", "content_app.add_category"])


def test_assigning_a_role_sets_its_group_and_access_to_the_admin_site(viewer: User, admin: User) -> None:
    accounts.assign_role(user=viewer, role=Role.ADMIN)
    viewer.refresh_from_db()
    assert (viewer.role, viewer.is_staff) == (Role.ADMIN, True)
    accounts.assign_role(user=viewer, role=Role.CREATOR)
    viewer.refresh_from_db()
    assert (viewer.role, viewer.is_staff) == (Role.CREATOR, False)
    assert [group.name for group in viewer.groups.all()] == ["CREATOR"]


def test_assigning_a_role_keeps_other_groups(viewer: User) -> None:
    viewer.groups.add(Group.objects.create(name="book club"))
    accounts.assign_role(user=viewer, role=Role.CREATOR)
    assert set(viewer.groups.values_list("name", flat=True)) == {"book club", "CREATOR"}


def test_a_demoted_admin_loses_staff_and_superuser_rights(make_user: Any, admin: User) -> None:
    make_user("second", role=Role.ADMIN)
    accounts.assign_role(user=admin, role=Role.VIEWER)
    admin.refresh_from_db()
    assert (admin.is_staff, admin.is_superuser) == (False, False)


def test_the_last_active_admin_cannot_be_demoted(make_user: Any, admin: User) -> None:
    make_user("retired", role=Role.ADMIN, is_active=False)
    with pytest.raises(LastAdmin):
        accounts.assign_role(user=admin, role=Role.VIEWER)
    admin.refresh_from_db()
    assert admin.role == Role.ADMIN


def test_the_first_admin_gets_a_random_password_that_works(db: None) -> None:
    first = accounts.ensure_first_admin()
    assert first is not None
    assert first.generated_password is not None
    assert len(first.generated_password) >= 12
    user = accounts.check_credentials(email=first.email, password=first.generated_password)
    assert (user.role, user.is_staff, user.is_superuser) == (Role.ADMIN, True, True)
    assert [group.name for group in user.groups.all()] == ["ADMIN"]
    validate_email(first.email)


def test_the_first_admin_is_created_only_once(db: None) -> None:
    assert accounts.ensure_first_admin(email="Boss@Example.com", password=PASSWORD) == accounts.FirstAdmin(
        email="boss@example.com", generated_password=None
    )
    assert accounts.ensure_first_admin(email="boss@example.com", password="another horse") is None
    assert accounts.ensure_first_admin() is None
    assert accounts.check_credentials(email="boss@example.com", password=PASSWORD)


def test_an_inactive_admin_does_not_count(make_user: Any) -> None:
    make_user("retired", role=Role.ADMIN, is_active=False)
    assert accounts.ensure_first_admin() is not None


@pytest.mark.parametrize(
    "password", ["short", "12345678901", "password123", "adminpassword", "admin@example.com", "Change-Me-Please"]
)
def test_it_refuses_a_weak_or_example_password_with_a_sentence(password: str, db: None) -> None:
    with pytest.raises(AdminRefused, match=r"^DEFAULT_ADMIN_PASSWORD is .+\.$"):
        accounts.ensure_first_admin(email="admin@example.com", password=password)
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["admin", "admin@", "a b@example.com", "admin@example.com\x00"])
def test_it_refuses_a_bad_address_with_a_sentence(email: str, db: None) -> None:
    with pytest.raises(AdminRefused, match="set it to a valid e-mail address"):
        accounts.ensure_first_admin(email=email)


def test_an_existing_account_is_never_made_an_admin(viewer: User) -> None:
    with pytest.raises(AdminRefused, match="belongs to an account"):
        accounts.ensure_first_admin(email=viewer.email)
    viewer.refresh_from_db()
    assert viewer.role == Role.VIEWER


def test_addresses_that_differ_by_case_are_one_account(viewer: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email="VIEWER@example.com")])
