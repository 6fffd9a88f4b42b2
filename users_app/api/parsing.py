"""What was sent, as a shape has it."""

from typing import Any

from rest_framework.serializers import Serializer


def read(shape: type[Serializer[Any]], sent: Any) -> dict[str, Any]:
    """The fields by their names; raises ValidationError."""
    form = shape(data=sent)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values
