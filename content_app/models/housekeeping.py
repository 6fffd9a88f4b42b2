"""Rows that the platform keeps for its own upkeep: objects to remove, the reaper's last round."""

from django.db import models
from django.utils import timezone


class Discard(models.Model):
    """Stored objects that no row refers to any more, to be removed once `due_at` has passed.

    The row is written in the transaction that drops the last reference. A job removes the objects after the commit; if
    that job is lost, the reaper does. `prefix` is one key, or a folder of keys.
    """

    prefix = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.prefix


class ReaperRound(models.Model):
    """The end of the reaper's last round, in a single row; `manage.py doctor` reads it to see that a reaper runs."""

    ended_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.ended_at:%Y-%m-%d %H:%M:%S}"
