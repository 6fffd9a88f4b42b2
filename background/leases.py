"""Leases: a row belongs to one worker until the end of its lease, which the worker renews while it lives.

The end is a field of the row. A worker that is killed renews nothing, and the row is free once the end has passed.
Every write of a worker is a conditional UPDATE that names its lease, so that a worker which was taken for dead changes
nothing any more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone


def lease_end() -> datetime:
    """The end of a lease that is taken or renewed now."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def is_free(until: str) -> Q:
    """The rows that no worker holds; `until` names the field with the end of the lease, null where there is none."""
    return Q(**{until: None}) | Q(**{f"{until}__lte": timezone.now()})
