"""The audit trail: written with one insert, read by admins, kept for a set number of days."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from users_app.models import AuditEntry

log = logging.getLogger(__name__)

MOST_AT_ONCE = 5000


def write(entries: Iterable[AuditEntry]) -> None:
    """Whoever asked has what they asked for: what cannot be written goes to the log and fails nothing."""
    rows = list(entries)
    try:
        AuditEntry.objects.bulk_create(rows)
    except DatabaseError as error:
        for row in rows:
            log.error("not in the audit trail: %s by %s on %s: %s", row.action, row.actor_id, row.target, error)


def drop_old() -> int:
    """Remove what is older than AUDIT_DAYS, not too much at once; how many entries."""
    before = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    old = AuditEntry.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:MOST_AT_ONCE]
    count, _ = AuditEntry.objects.filter(pk__in=list(old)).delete()
    return count
