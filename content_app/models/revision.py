"""Revisions: a number in a row that every change of the row replaces by a higher one, in the same UPDATE.

What was made of a row can be kept under its revision, by any process and for any time: a request that reads the row
sees whether it still holds. That needs a number that is never given twice, not even after a transaction was rolled back
or an older backup restored, both of which would bring the numbers of a counter back with other contents. A revision is
therefore taken from the clock, with random bits.
"""

import secrets
import time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from django.db import models
from django.db.models import F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

# Milliseconds take 41 bits until the year 2039 and 42 afterwards, and a BIGINT has 63.
RANDOM_BITS = 20
Row = TypeVar("Row", bound=models.Model, covariant=True)


def now() -> int:
    return (time.time_ns() // 1_000_000) << RANDOM_BITS


def first_revision() -> int:
    return now() + secrets.randbits(RANDOM_BITS)


def next_revision(name: str) -> Combinable:
    """Returns the expression that replaces the revision in the column `name`."""
    # Above the stored one even where this host's clock is behind, and random even then.
    return Greatest(F(name), Value(now())) + Value(1 + secrets.randbits(RANDOM_BITS))


if TYPE_CHECKING:
    BigInteger: TypeAlias = models.PositiveBigIntegerField[int | Combinable, int]
else:  # the real class takes no parameter
    BigInteger = models.PositiveBigIntegerField


class RevisionField(BigInteger):
    """The revision of its row. After a save the instance still has the revision that it was read with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The default of the database is for rows that processes of a release without the column insert.
        super().__init__(*args, **{"db_default": 1, "editable": False, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if not add:
            return next_revision(self.attname)
        setattr(model_instance, self.attname, first_revision())
        return super().pre_save(model_instance, add)


class RevisedQuerySet(models.QuerySet[Row]):
    def update(self, **changes: Any) -> int:
        """Changes the rows and their revisions; `revision=F("revision")` is for a change that nothing kept shows."""
        return super().update(**{"revision": next_revision("revision"), **changes})

    def bulk_create(self, objs: Any, *args: Any, update_conflicts: bool = False, **options: Any) -> Any:
        if update_conflicts:
            raise NotImplementedError("An upsert would change rows without their revisions.")
        return super().bulk_create(objs, *args, **options)


class Revised(models.Model):
    revision = RevisionField()

    class Meta:
        abstract = True

    def save_base(self, *args: Any, **options: Any) -> None:
        # Here and not in save(), which itself chooses the fields of an instance with deferred ones.
        if fields := options.get("update_fields"):
            options["update_fields"] = frozenset({*fields, "revision"})
        super().save_base(*args, **options)
