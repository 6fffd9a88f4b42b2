"""Fields that a save() of an instance leaves as they are in the row, because other processes change them meanwhile."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = object


class KeptBySave(AnyField):
    """Mixin: an INSERT writes the value of the instance, and from then on only QuerySet.update() changes the column.

    A worker may have changed it after the instance was read; writing the instance must not bring the old value back.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return super().pre_save(model_instance, add) if add else F(self.attname)

    def deconstruct(self) -> Any:
        """For migrations the field is like any other of its kind."""
        name, _, args, kwargs = super().deconstruct()
        kind = next(base for base in type(self).__mro__ if base.__module__.startswith("django."))
        return name, f"django.db.models.{kind.__name__}", args, kwargs


class KeptCharField(KeptBySave, models.CharField):  # type: ignore[type-arg]  # generic in the stubs only
    pass


class KeptBooleanField(KeptBySave, models.BooleanField):  # type: ignore[type-arg]  # generic in the stubs only
    pass


class KeptBigIntegerField(KeptBySave, models.PositiveBigIntegerField):  # type: ignore[type-arg]  # generic in the stubs only
    pass


class KeptOneToOneField(KeptBySave, models.OneToOneField):  # type: ignore[type-arg]  # generic in the stubs only
    pass


class OriginalField(KeptBySave, models.FileField):
    """The original: a save() writes it only when it stores a new file."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        file = getattr(model_instance, self.attname)
        is_new = bool(file) and not file._committed
        # The mixin is passed over: FileField stores the file, and returns its name.
        stored = super(KeptBySave, self).pre_save(model_instance, add)
        return stored if add or is_new else F(self.attname)
