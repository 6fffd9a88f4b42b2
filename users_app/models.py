"""Users, their sessions, the mails to them, and the audit trail."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin, update_last_login
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from background.leases import Leased, LeasedQuerySet
from users_app.addresses import MAX_ADDRESS_LENGTH, normalize_address
from users_app.roles import Role

MAX_NAME_LENGTH = 150
MAX_PHONE_LENGTH = 40
MAX_POSTAL_ADDRESS_LENGTH = 300
MAX_USER_AGENT_LENGTH = 300


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.model.normalize_username(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields = {"role": Role.ADMIN, "is_staff": True, "is_superuser": True, "email_verified": True, **fields}
        return self.create_user(email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.model.normalize_username(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """An account. Its e-mail address is the login, stored as addresses.normalize_address returns it."""

    email = models.EmailField(max_length=MAX_ADDRESS_LENGTH, unique=True)
    name = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    phone = models.CharField(max_length=MAX_PHONE_LENGTH, blank=True)
    address = models.CharField("postal address", max_length=MAX_POSTAL_ADDRESS_LENGTH, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    email_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    awaits_confirmation = models.BooleanField(
        default=False,
        help_text="Registered, and has not followed the link in the mail yet, which activates the account.",
    )
    is_staff = models.BooleanField("may use the admin site", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # When the account was confirmed, or staff took it on. A registration without it is deleted after a while; with it
    # the account is kept, even when staff set it back to unconfirmed.
    let_in_at = models.DateTimeField(null=True, editable=False)
    # Ends every session of the admin site that began before this moment, see _get_session_auth_hash.
    admin_sessions_ended_at = models.DateTimeField(null=True, editable=False)
    # Links in mails sent before this moment are not valid, even when the user has changed back to the old address.
    address_changed_at = models.DateTimeField(null=True, editable=False)
    # The user's id in the user pool; None, which a unique column may hold many times, for a user without a pool.
    cognito_sub = models.CharField(max_length=64, null=True, unique=True, editable=False)
    # Purchases have to outlive an account: the row of a deleted user stays, without anything that identifies the user.
    erased_at = models.DateTimeField(null=True, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        # In the database, so that no writer of rows can make two accounts whose addresses differ by case only.
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        return normalize_address(username)

    @property
    def username(self) -> str:
        """Front ends show a `username`; it is the e-mail address."""
        return self.email

    def get_full_name(self) -> str:
        """Return the name, or the local part of the address: the admin site shows the whole address beside it."""
        return self.name or self.email.partition("@")[0]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what Django binds an admin session to: it changes with the password and admin_sessions_ended_at."""
        digest: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # the stubs lack it
        if self.admin_sessions_ended_at is None:
            return digest
        ended_at = self.admin_sessions_ended_at.isoformat()
        return salted_hmac("users_app.admin_sessions", digest + ended_at, secret=secret, algorithm="sha256").hexdigest()


def session_lifetime(*, is_remembered: bool) -> timedelta:
    lifetime: timedelta = settings.REMEMBERED_SESSION_LIFETIME if is_remembered else settings.SESSION_LIFETIME
    return lifetime


class SessionManager(models.Manager["Session"]):
    @transaction.atomic
    def open(
        self, *, user: User, is_remembered: bool = False, address: str | None = None, user_agent: str = ""
    ) -> "Session":
        """Return a new session, and delete the user's expired ones, so that the table does not grow."""
        now = timezone.now()
        user.sessions.filter(expires_at__lte=now).delete()
        session = self.create(
            user=user,
            is_remembered=is_remembered,
            expires_at=now + session_lifetime(is_remembered=is_remembered),
            address=address,
            user_agent=user_agent,
        )
        update_last_login(User, user)
        return session


class Session(models.Model):
    """A signed-in device: the family of refresh tokens that descends from one login.

    Only the token `current_jti` can be rotated. `previous_jti` is accepted for a short grace after `rotated_at`, so
    that tabs which refresh at the same moment get the same successor.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    is_remembered = models.BooleanField(default=False)
    current_jti = models.UUIDField(default=uuid.uuid4)
    previous_jti = models.UUIDField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Both as of the last renewal of the access token.
    address = models.GenericIPAddressField("network address", null=True, blank=True)
    user_agent = models.CharField(max_length=MAX_USER_AGENT_LENGTH, blank=True)

    objects = SessionManager()

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def last_used_at(self) -> datetime:
        return self.rotated_at or self.created_at


class MailKind(models.TextChoices):
    """The kinds of mail, named like their templates in templates/emails."""

    CONFIRM_ADDRESS = "confirm_address"
    CHOOSE_PASSWORD = "choose_password"  # noqa: S105 - a name of a mail
    ADDRESS_TAKEN = "address_taken"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name of a mail
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name of a mail
    CONFIRM_NEW_ADDRESS = "confirm_new_address"
    ADDRESS_CHANGE_ASKED = "address_change_asked"
    ADDRESS_CHANGED = "address_changed"
    ACCOUNT_DELETED = "account_deleted"


class Mail(Leased):
    """A mail that waits to be sent; a sent one is deleted. Links are made on sending, so that none is stored here."""

    kind = models.CharField(max_length=30, choices=MailKind)
    to = models.EmailField(max_length=MAX_ADDRESS_LENGTH)
    # None: the worker looks the user up, so that a request takes equally long for an address without an account.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    # The columns of the release before, whose processes go on while this one starts.
    attempts = models.PositiveSmallIntegerField(default=0)
    free_at = models.DateTimeField(default=timezone.now, db_column="try_at")
    given_up_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    objects = LeasedQuerySet["Mail"].as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["given_up_at", "free_at"], name="mail_waiting")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mail_given_up_is_not_leased", condition=models.Q(given_up_at=None) | models.Q(lease_token=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"


class ConfirmationCode(models.Model):
    """Six digits that confirm an address instead of the link in the mail, for a limited number of attempts."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="confirmation_code")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts_left = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"of {self.user_id}"


class AuditEntry(models.Model):
    """Who did what, and how the request was answered. `target` is like `video:7`; `detail` never holds a secret."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    target = models.CharField(max_length=200, blank=True)
    method = models.CharField(max_length=10, blank=True)
    route = models.CharField(max_length=200, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    address = models.GenericIPAddressField("network address", null=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            models.Index(fields=["action", "-at"], name="audit_action"),
            models.Index(fields=["actor", "-at"], name="audit_actor"),
            models.Index(fields=["target", "-at"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()
