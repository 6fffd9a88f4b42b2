"""Accounts: checking credentials, roles, and the first admin."""

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

MAX_PASSWORD_LENGTH = 1024  # bounds the work that a stranger can make the hasher do
DEFAULT_EMAIL = "admin@videoflix.local"
# On every list of passwords that attackers try first, or printed in instructions.
EXAMPLE_PASSWORDS = frozenset(
    {"adminpassword", "admin1234", "change-me", "change-me-please", "supersecret", "videoflix"}
)
# The permissions of each role but ADMIN in the admin site; an admin has every permission.
PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.CREATOR: frozenset({"view_category", "view_video", "add_video", "change_video"}),
    Role.VIEWER: frozenset(),
}


class InvalidCredentials(Refusal):
    """The answer is the same for an unknown address, a wrong password and an inactive account."""

    sentence = "The e-mail address or the password is wrong."
    code = "invalid_credentials"


class NotConfirmed(Refusal):
    """Only a client with the right password learns that the account waits for its confirmation."""

    sentence = "Your e-mail address is not confirmed yet. Please follow the link in the e-mail that we sent you."
    code = "email_not_confirmed"


class LastAdmin(Refusal, PermissionDenied):
    """Without an active admin no user could become one. The admin site answers it as Django's PermissionDenied."""

    kind = Kind.CONFLICT
    code = "last_admin"
    sentence = "This account is the last active admin. Make another user an admin first."


class AdminRefused(Exception):
    """The first admin cannot be made from these settings; the message says what to set."""


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    email: str
    generated_password: str | None
    """Stored nowhere else, so print it once. None when the operator chose the password."""


def check_credentials(*, email: str, password: str, client: Client = NO_CLIENT) -> User:
    """Return the user; raises InvalidCredentials, NotConfirmed or TooManyAttempts.

    NotConfirmed: the password is right, and the account waits for its confirmation. TooManyAttempts: the client has to
    wait after many wrong passwords.
    """
    attempt = Attempt(User.normalize_username(email), client)
    attempt.check()
    # The backend hashes the password for an unknown address too, so that the time of the answer tells nothing.
    user = AllowAllUsersModelBackend().authenticate(None, username=email, password=password)
    if isinstance(user, User) and user.is_active:
        attempt.note_success()
        audit.by(user.pk)
        return user
    note_attempt(attempt.email)
    registered = _registration_key(attempt.email, password)
    was_registered = counters().ask(lambda store: store.held_s(registered)) > 0
    # The right password, but no sign-in: neither counted as a guess nor a reason to forget earlier guesses.
    if was_registered or (isinstance(user, User) and user.awaits_confirmation):
        raise NotConfirmed
    attempt.note_failure()
    raise InvalidCredentials


def note_registration(*, email: str, password: str) -> None:
    """Remember for UNCONFIRMED_LIFETIME that this password was chosen for this address, whether or not it was free.

    Signing in with them is then answered with NotConfirmed in both cases. Otherwise registering an address and signing
    in would tell whether it had an account before.
    """
    # Registering is no way around the limit for guesses: it sends a mail, and an address gets five of them an hour.
    key = _registration_key(email, password)
    counters().ask(lambda store: store.hold(key, int(settings.UNCONFIRMED_LIFETIME.total_seconds())))


def _registration_key(email: str, password: str) -> str:
    """Return the counter's key: a keyed digest, so that nobody reads address or password in Redis."""
    account = User.objects.filter(email=email).values_list("awaits_confirmation", "password").first()
    # With the hash of a confirmed account in the key, the password of an earlier registration becomes a wrong password
    # like any other once the account is confirmed or changes its password.
    confirmed_hash = account[1] if account and not account[0] else ""
    return f"registered:{mark_of(f'{email}:{password}:{confirmed_hash}')}"


def note_attempt(email: str) -> None:
    """Note for the audit trail which account a sign-in or a confirmation was attempted for, if there is one."""
    if (user_id := find_user_id(email)) is not None:
        audit.about("user", user_id)


def find_user_id(email: str) -> int | None:
    """Return the id of the account with this address, or None."""
    # The audit trail holds the id in place of the typed address, which may be a password by mistake.
    return User.objects.filter(email=email).values_list("pk", flat=True).first()


def require_password(*, user: User, password: str, client: Client = NO_CLIENT, field: str = "password") -> None:
    """Raise Refusal for `field` unless this is the user's password, and TooManyAttempts after many wrong ones.

    Changes to an account ask for it, because a device may be left unlocked while its session lives.
    """
    attempt = Attempt(user.email, client)
    attempt.check()
    if not user.check_password(password):
        attempt.note_failure()
        raise Refusal(fields={field: ["This is not your password."]})
    attempt.note_success()


def ensure_roles() -> None:
    """Make a group for every role, with its permissions; safe to repeat."""
    for role in Role:
        permissions = Permission.objects.all()
        if role is not Role.ADMIN:
            permissions = permissions.filter(content_type__app_label="content_app", codename__in=PERMISSIONS[role])
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set(permissions)


@transaction.atomic
def assign_role(*, user: User, role: Role) -> None:
    """Set the role with its group and flags; a former admin loses every admin session. Raises LastAdmin."""
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
    """Raise LastAdmin if no active admin would remain; call it in the transaction that takes the role away."""
    # Two admins who demote each other at the same moment wait for one another here.
    list(User.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk").values_list("pk"))
    if is_last_admin(user=user):
        raise LastAdmin


def is_last_admin(*, user: User) -> bool:
    """True when this user is the only active admin."""
    return list(active_admins().values_list("pk", flat=True)[:2]) == [user.pk]


def active_admins() -> QuerySet[User]:
    return User.objects.filter(role=Role.ADMIN, is_active=True)


def ensure_first_admin(*, email: str = "", password: str = "") -> FirstAdmin | None:
    """Make an admin unless there is an active one; without a password a random one is generated.

    Raises AdminRefused for an address or a password that cannot be used.
    """
    if active_admins().exists():
        return None
    email = User.normalize_username(email) or DEFAULT_EMAIL
    try:
        validate_email(email)
    except ValidationError as error:
        raise AdminRefused(f"DEFAULT_ADMIN_EMAIL is {email!r}: set it to a valid e-mail address.") from error
    if password:
        try:
            validate_password(password, User(email=email))
        except ValidationError as error:
            raise AdminRefused(f"DEFAULT_ADMIN_PASSWORD is too weak: {' '.join(error.messages)}") from error
        if password.lower() in EXAMPLE_PASSWORDS:
            raise AdminRefused("DEFAULT_ADMIN_PASSWORD is an example from a manual: set one of your own.")
    chosen = password or secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = User.objects.create_superuser(email, chosen, name="Admin")
            assign_role(user=user, role=Role.ADMIN)
    except IntegrityError:
        # Another bootstrap may have made the same admin at the same moment; else the address is a user's.
        if active_admins().filter(email=email).exists():
            return None
        raise AdminRefused(
            f"{email} belongs to an account that is not an active admin: set DEFAULT_ADMIN_EMAIL to another address."
        ) from None
    return FirstAdmin(email=email, generated_password=None if password else chosen)
