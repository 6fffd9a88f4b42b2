"""`manage.py api_reference > docs/06-api-reference.md`: the API for people, from its schema."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from config.env import BASE_DIR
from config.openapi.reference import render

EXAMPLES = BASE_DIR / "docs" / "api-examples.json"


class Command(BaseCommand):
    help = "Prints the API reference: the OpenAPI schema in words, with the examples of docs/api-examples.json."

    requires_system_checks = ("videoflix",)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(render(read_schema(), read_examples()), ending="")


def read_schema() -> Any:
    """The schema as `manage.py spectacular` writes it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # not annotated
    return json.loads(OpenApiJsonRenderer().render(schema, renderer_context={}))


def read_examples() -> Any:
    """Empty in a container image, which has no documents."""
    return json.loads(EXAMPLES.read_text(encoding="utf-8")) if EXAMPLES.exists() else []
