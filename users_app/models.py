"""Who people are."""

import unicodedata
import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from users_app.managers import UserManager
from users_app.roles import Role


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the login, stored in lower case."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    email_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("may use the admin site", default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        # Addresses differ by more than case, whoever writes the row.
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """The one spelling of an address: full-width and other look-alike forms folded, lower case."""
        return unicodedata.normalize("NFKC", username).strip().lower()

    @property
    def username(self) -> str:
        """Front ends show a `username`; ours is the address."""
        return self.email


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

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"
