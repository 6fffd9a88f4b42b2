"""Who people are."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from users_app.addresses import one_spelling
from users_app.roles import Role


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
    """A person. The e-mail address is the login, stored in lower case."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField("postal address", max_length=300, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    email_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    awaits_confirmation = models.BooleanField(
        default=False,
        help_text="Registered, and has not followed the link in the mail yet, which activates the account.",
    )
    is_staff = models.BooleanField("may use the admin site", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # From then on the account is more than a registration that may be forgotten, whatever staff tick later.
    let_in_at = models.DateTimeField(null=True, editable=False)
    # Sessions of the admin site that began before are over, see get_session_auth_hash.
    admin_sessions_ended_at = models.DateTimeField(null=True, editable=False)
    # Links in mails that are older than it lead nowhere, even when the address is the old one again.
    address_changed_at = models.DateTimeField(null=True, editable=False)
    # Who somebody is in the user pool; None, which may be many times, for who is in none.
    cognito_sub = models.CharField(max_length=64, null=True, unique=True, editable=False)
    # What belongs to the books outlives the person: the row stays, with nothing in it that tells who it was.
    erased_at = models.DateTimeField(null=True, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        # Addresses differ by more than case, whoever writes the row.
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        return one_spelling(username)

    @property
    def username(self) -> str:
        """Front ends show a `username`; ours is the address."""
        return self.email

    def get_full_name(self) -> str:
        """Never the whole address: the admin site shows that beside it."""
        return self.name or self.email.partition("@")[0]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What Django binds a session of the admin site to: the password, and that nothing has ended it since."""
        digest: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # the stubs lack it
        if self.admin_sessions_ended_at is None:
            return digest
        ended_at = self.admin_sessions_ended_at.isoformat()
        return salted_hmac("users_app.admin_sessions", digest + ended_at, secret=secret, algorithm="sha256").hexdigest()


class Session(models.Model):
    """One signed-in device: the family of refresh tokens that descends from one login.

    `current_jti` is the only token that may be rotated; `previous_jti` is honoured for a short grace after
    `rotated_at`, so that tabs which refresh at the same moment get the same successor.
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
    # As of the last use, which is noted when the access token is renewed.
    address = models.GenericIPAddressField("network address", null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def last_used_at(self) -> datetime:
        return self.rotated_at or self.created_at


class MailKind(models.TextChoices):
    """The names are those of the templates in templates/emails."""

    CONFIRM_ADDRESS = "confirm_address"
    CHOOSE_PASSWORD = "choose_password"  # noqa: S105 - a name of a mail
    ADDRESS_TAKEN = "address_taken"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a name of a mail
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name of a mail
    CONFIRM_NEW_ADDRESS = "confirm_new_address"
    ADDRESS_CHANGE_ASKED = "address_change_asked"
    ADDRESS_CHANGED = "address_changed"
    ACCOUNT_DELETED = "account_deleted"


class Mail(models.Model):
    """A mail that is to be sent. Its links are made when it is, so none of them lies here; what is sent is removed."""

    kind = models.CharField(max_length=30, choices=MailKind)
    to = models.EmailField(max_length=254)
    # None: whose it is shows when it is sent, so that asking for it takes as long for any address.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(default=timezone.now, help_text="Who sends it moves this on first.")
    given_up_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["given_up_at", "try_at"], name="mail_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"


class ConfirmationCode(models.Model):
    """Six digits that confirm an address instead of the link; they die of too many attempts."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="confirmation_code")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts_left = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"of {self.user_id}"


class AuditEntry(models.Model):
    """Who did what, and how it was answered; `target` as in `video:7`. Nothing secret is ever in `detail`."""

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
