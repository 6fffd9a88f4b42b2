"""The audit trail: written with one insert, read by admins, kept for a set number of days."""

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

MOST_AT_ONCE = 5000
HOUR_S = 3600
# Of what strangers tried, so that no stranger fills the table: 600 an hour are five million rows in a year.
ATTEMPTS_OF_ADDRESS = 60
ATTEMPTS_IN_ALL = 600
LEFT_OUT = "audit:left-out"


def write_attempts(attempts: Iterable[AuditEntry]) -> None:
    """What strangers tried, up to so many an hour; the next that is written says how many were left out before it."""
    write([attempt for attempt in attempts if counters().ask(partial(_has_room, attempt=attempt))])


def _has_room(store: CounterStore, *, attempt: AuditEntry) -> bool:
    of_address = f"audit:{network_of(attempt.address or '')}"
    is_full = take_turn(store, of_address, ATTEMPTS_OF_ADDRESS, HOUR_S) or take_turn(
        store, "audit:all", ATTEMPTS_IN_ALL, HOUR_S
    )
    left_out = store.add(LEFT_OUT, HOUR_S) - (0 if is_full else 1)
    if is_full:
        return False
    store.drop(LEFT_OUT)
    if left_out:
        attempt.detail = {**attempt.detail, "left_out": left_out}
    return True


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
