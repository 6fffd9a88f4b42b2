"""The rows of the audit trail: written with one insert, and kept for AUDIT_DAYS."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from users_app.limits.counters import CounterStore, counters
from users_app.limits.rates import network_of, take_turn
from users_app.models import AuditEntry

log = logging.getLogger(__name__)

MAX_DROPPED_AT_ONCE = 5000
HOUR_S = 3600
# What strangers attempt is bounded, so that none of them can fill the table: 600 an hour are five million rows a year.
MAX_ATTEMPTS_OF_ADDRESS = 60
MAX_ATTEMPTS = 600
LEFT_OUT = "audit:left-out"


def write_attempts(attempts: Iterable[AuditEntry]) -> None:
    """Write the attempts of strangers, up to a limit an hour; the next entry tells how many were left out before it."""
    rows = []
    for attempt in attempts:
        left_out = counters().ask(partial(_count_attempt, key=f"audit:{network_of(attempt.address or '')}"))
        if left_out is None:
            continue
        if left_out:
            attempt.detail = {**attempt.detail, "left_out": left_out}
        rows.append(attempt)
    write(rows)


def _count_attempt(store: CounterStore, *, key: str) -> int | None:
    """Return how many attempts were left out since the last entry, or None when this one is left out too."""
    if take_turn(store, key, MAX_ATTEMPTS_OF_ADDRESS, HOUR_S) or take_turn(store, "audit:all", MAX_ATTEMPTS, HOUR_S):
        store.add(LEFT_OUT, HOUR_S)
        return None
    # A counter is read by adding to it, and this attempt is not left out.
    left_out = store.add(LEFT_OUT, HOUR_S) - 1
    store.drop(LEFT_OUT)
    return left_out


def write(entries: Iterable[AuditEntry]) -> None:
    """Write the entries; when the database refuses them, they go to the log, because the request itself is done."""
    rows = list(entries)
    try:
        AuditEntry.objects.bulk_create(rows)
    except DatabaseError as error:
        for row in rows:
            log.error("not in the audit trail: %s by %s on %s: %s", row.action, row.actor_id, row.target, error)


def drop_old() -> int:
    """Delete entries older than AUDIT_DAYS, at most MAX_DROPPED_AT_ONCE of them; returns their number."""
    before = timezone.now() - timedelta(days=settings.AUDIT_DAYS)
    old = AuditEntry.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:MAX_DROPPED_AT_ONCE]
    count, _ = AuditEntry.objects.filter(pk__in=list(old)).delete()
    return count
