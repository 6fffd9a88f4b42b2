"""What the platform must not forget about itself: objects to remove, a cache to empty, the reaper's last round."""

from django.db import models
from django.utils import timezone


class Discard(models.Model):
    """Stored objects that nothing refers to any more, to be removed once `due_at` has passed.

    Written in the transaction that lets go of them; a job removes them after commit, and the reaper what a lost job
    left. `prefix` is a key or a folder of keys.
    """

    prefix = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.prefix


class CacheDoubt(models.Model):
    """Something was changed that the cache could not be told of; whoever reaches it next has it forget everything."""

    since = models.DateTimeField(default=timezone.now)


class ReaperRound(models.Model):
    """When a reaper last came to the end of a round: one row, from which `manage.py doctor` tells that one works."""

    ended_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.ended_at:%Y-%m-%d %H:%M:%S}"
