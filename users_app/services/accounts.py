"""Accounts: proving who one is, roles, and the first admin."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.backends import AllowAllUsersModelBackend
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from background.refusals import Kind, Refusal
from users_app import audit
from users_app.clients import NO_CLIENT, Client
from users_app.limits.counters import counters
from users_app.limits.lockout import Attempt
from users_app.limits.rates import mark_of
from users_app.models import User
from users_app.roles import Role

LONGEST_PASSWORD = 1024  # bounds what a stranger can make the hasher chew on
DEFAULT_EMAIL = "admin@videoflix.local"
# In every list of passwords that people try first, or printed in somebody's instructions.
EXAMPLE_PASSWORDS = frozenset(
    {"adminpassword", "admin1234", "change-me", "change-me-please", "supersecret", "videoflix"}
)
# The Django admin permissions of a role; an admin's are all there are.
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.CREATOR: frozenset({"view_category", "view_video", "add_video", "change_video"}),
    Role.VIEWER: frozenset(),
}


class InvalidCredentials(Refusal):
    """The same for an unknown address, a wrong password and an account that is not active."""

    sentence = "The e-mail address or the password is wrong."
    code = "invalid_credentials"


class NotConfirmed(Refusal):
    """Only who knows the password learns that the account waits for its confirmation."""

    sentence = "Your e-mail address is not confirmed yet. Follow the link in the mail that we have sent to it."
    code = "email_not_confirmed"


class LastAdmin(Refusal, PermissionDenied):
    """Without an active admin nobody could make one. The admin site answers it as Django's PermissionDenied."""

    kind = Kind.CONFLICT
    code = "last_admin"
    sentence = "This is the last active admin: make somebody else an admin first."


class AdminRefused(Exception):
    """The first admin cannot be made from these settings; the sentence says what to set."""


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    email: str
    generated_password: str | None
    """Known nowhere else: print it once. None when the operator chose the password."""


def check_credentials(*, email: str, password: str, client: Client = NO_CLIENT) -> User:
    """The person, or InvalidCredentials after as much hashing as for a known address (the backend sees to that).

    NotConfirmed for the right password of an account that waits for its confirmation. TooManyAttempts while whoever
    asks has to wait after many wrong ones.
    """
    attempt = Attempt(User.normalize_username(email), client)
    attempt.check()
    user = AllowAllUsersModelBackend().authenticate(None, username=email, password=password)
    if isinstance(user, User) and user.is_active:
        attempt.note_success()
        audit.by(user.pk)
        return user
    note_whom(attempt.email)
    # Neither counted as a guess nor forgiven: it is the right password, and no sign-in.
    if was_registered_with(email=attempt.email, password=password) or (
        isinstance(user, User) and user.awaits_confirmation
    ):
        raise NotConfirmed
    attempt.note_failure()
    raise InvalidCredentials


def note_registration(*, email: str, password: str) -> None:
    """What a person chose for an address, whether or not it was free: signing in by it is answered alike for both.

    Else registering an address and signing in would tell whether it had an account before. No way around the patience
    with guesses: an address is registered five times an hour, as each sends a mail.
    """
    name = _registration(email, password)
    counters().ask(lambda store: store.hold(name, int(settings.UNCONFIRMED_LIFETIME.total_seconds())))


def was_registered_with(*, email: str, password: str) -> bool:
    name = _registration(email, password)
    return counters().ask(lambda store: store.held_s(name)) > 0


def _registration(email: str, password: str) -> str:
    """Keyed, and not to be read in Redis. Of an account that is confirmed it holds as long as its password is the same.

    So what was chosen at a registration is a wrong password like any other once the account is confirmed.
    """
    account = User.objects.filter(email=email).values_list("awaits_confirmation", "password").first()
    settled_with = account[1] if account and not account[0] else ""
    return f"registered:{mark_of(f'{email}:{password}:{settled_with}')}"


def note_whom(email: str) -> None:
    """Whom somebody wanted to be."""
    if (user_id := id_behind(email)) is not None:
        audit.about("user", user_id)


def id_behind(email: str) -> int | None:
    """The audit trail has this and not the address: what is typed for one may be a password."""
    return User.objects.filter(email=email).values_list("pk", flat=True).first()


def require_password(*, user: User, password: str, client: Client = NO_CLIENT, field: str = "password") -> None:
    """What changes an account takes more than a session: a device may be left unlocked."""
    attempt = Attempt(user.email, client)
    attempt.check()
    if not user.check_password(password):
        attempt.note_failure()
        raise Refusal(fields={field: ["This is not your password."]})
    attempt.note_success()


def ensure_roles() -> None:
    """A group for every role, with its permissions; safe to repeat."""
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set(_permissions_of(role))


def _permissions_of(role: Role) -> QuerySet[Permission]:
    if role is Role.ADMIN:
        return Permission.objects.all()
    return Permission.objects.filter(content_type__app_label="content_app", codename__in=PERMISSIONS[role])


@transaction.atomic
def assign_role(*, user: User, role: Role) -> None:
    """Make somebody an admin, creator or viewer, with all that goes with it."""
    if role is not Role.ADMIN:
        require_another_admin(user=user)
    if user.is_staff and role is not Role.ADMIN:
        user.admin_sessions_ended_at = timezone.now()
    user.role = role
    user.is_staff = role is Role.ADMIN
    user.is_superuser = user.is_superuser and role is Role.ADMIN
    user.save(update_fields=["role", "is_staff", "is_superuser", "admin_sessions_ended_at"])
    user.groups.remove(*Group.objects.filter(name__in=Role.values).exclude(name=role))
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    audit.tell(role=role.value)


def require_another_admin(*, user: User) -> None:
    """LastAdmin without an active admin besides; for what makes somebody none, in the same transaction."""
    # Two who demote each other at the same moment wait for one another here.
    list(User.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk").values_list("pk"))
    if is_last_admin(user=user):
        raise LastAdmin


def is_last_admin(*, user: User) -> bool:
    """Whether this is the only active admin."""
    return list(User.objects.filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True)[:2]) == [user.pk]


def ensure_first_admin(*, email: str = "", password: str = "") -> FirstAdmin | None:
    """Make the first admin, unless there is an active one; without a password a random one is made."""
    if User.objects.filter(role=Role.ADMIN, is_active=True).exists():
        return None
    email = User.normalize_username(email) or DEFAULT_EMAIL
    _check_email(email)
    if password:
        _check_password(email, password)
    chosen = password or secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = User.objects.create_superuser(email, chosen, name="Admin")
            assign_role(user=user, role=Role.ADMIN)
    except IntegrityError:
        _check_lost_race(email)
        return None
    return FirstAdmin(email=email, generated_password=None if password else chosen)


def _check_lost_race(email: str) -> None:
    """Another bootstrap made the same admin at the same moment, unless the address is somebody else's."""
    if not User.objects.filter(email=email, role=Role.ADMIN, is_active=True).exists():
        raise AdminRefused(
            f"{email} belongs to an account that is not an active admin: set DEFAULT_ADMIN_EMAIL to another address."
        )


def _check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise AdminRefused(f"DEFAULT_ADMIN_EMAIL is {email!r}: set it to a valid e-mail address.") from error


def _check_password(email: str, password: str) -> None:
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise AdminRefused(f"DEFAULT_ADMIN_PASSWORD is too weak: {' '.join(error.messages)}") from error
    if password.lower() in EXAMPLE_PASSWORDS:
        raise AdminRefused("DEFAULT_ADMIN_PASSWORD is an example from a manual: set one of your own.")
