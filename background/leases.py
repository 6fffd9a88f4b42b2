"""Leases: a row belongs to one worker until the end of its lease, which the worker renews while it lives.

A worker that is killed renews nothing, and the row is free again once the lease has ended. Each write of a worker is a
conditional UPDATE that names the token of its lease, so a worker which was taken for dead changes nothing any more.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class LeaseLost(Exception):
    """The lease has ended and another worker took the row, or the row was settled or deleted meanwhile."""


def lease_end() -> datetime:
    """The end of a lease that is taken or renewed now."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


Row = TypeVar("Row", bound="Leased")


class LeasedQuerySet(models.QuerySet[Row]):
    def free(self) -> Self:
        """The rows that a worker may take now."""
        return self.filter(Q(free_at=None) | Q(free_at__lte=timezone.now()))

    def expired(self) -> Self:
        """The rows whose worker did not renew its lease in time."""
        return self.exclude(lease_token=None).filter(free_at__lte=timezone.now())

    def take(self, *, until: datetime | None = None, is_attempt: bool = True, **changes: Any) -> Row | None:
        """Leases the one row of this query, and counts the attempt. Returns None when there is none that is free.

        `until`: the end of the lease, where it is not the usual one. The related rows that the query selects are read
        with the row, because they may be deleted together with it later.
        """
        token = uuid.uuid4()
        counted = {"attempts": F("attempts") + 1} if is_attempt else {}
        taken = self.free().update(lease_token=token, free_at=until or lease_end(), **counted, **changes)
        rows = self.model._base_manager.filter(lease_token=token)
        rows.query.select_related = self.query.select_related
        # Asked again: the row may have been deleted since the UPDATE.
        return rows.first() if taken else None


class Leased(models.Model):
    """A row that one worker at a time may hold."""

    lease_token = models.UUIDField(null=True, unique=True, editable=False)
    # No worker takes the row before this moment: the end of a lease, or of the pause after an attempt that failed.
    # None: a worker may take it at any time.
    free_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        abstract = True

    def held(self) -> "models.QuerySet[Self]":
        """This row, as long as the lease is the one that this instance was taken with."""
        # An instance that was read, not taken, has no token: it must not match a row that is free.
        own = type(self)._base_manager.filter(pk=self.pk, lease_token=self.lease_token)
        return own.exclude(lease_token=None)

    def write(self, **changes: Any) -> None:
        """Changes the row and renews the lease. Raises LeaseLost."""
        if not self.held().update(free_at=lease_end(), **changes):
            raise LeaseLost

    def renew(self) -> None:
        """Raises LeaseLost."""
        self.write()

    def release(self, *, until: datetime | None = None, **changes: Any) -> None:
        """Changes the row and ends the lease; no worker takes the row before `until`. Raises LeaseLost."""
        if not self.held().update(lease_token=None, free_at=until, **changes):
            raise LeaseLost


class Heartbeat:
    """Renews a lease about once a second while it is called more often, as slow work does. Raises LeaseLost."""

    def __init__(self, row: Leased) -> None:
        self.row = row
        self.next_at = timezone.now()

    def __call__(self) -> None:
        if timezone.now() >= self.next_at:
            self.row.renew()
            self.next_at = timezone.now() + timedelta(seconds=1)
