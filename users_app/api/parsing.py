"""Validates what a client sent by a serializer."""

from typing import Any

from rest_framework.serializers import Serializer


def validated(serializer_class: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the values of the fields by name; raises ValidationError."""
    form = serializer_class(data=data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values
