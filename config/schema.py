"""What drf-spectacular cannot know by itself: double routes, our authentication, our errors."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

Endpoint = tuple[str, str, str, Any]  # path, its regex, method, view
ERROR_COMPONENT = {
    "type": "object",
    "description": "A sentence and a stable code; validation errors have a list of sentences per field instead.",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "required": ["code"],
    "additionalProperties": {},
}
ERROR_RESPONSE = {
    "description": "What went wrong.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


class Schema(AutoSchema):
    def get_operation_id(self) -> str:
        """An entry of a list may be removed as the list may: each has a name of its own."""
        name: str = super().get_operation_id()
        return f"{name}_one" if self.path.endswith("_id}/") else name


def only_canonical_routes(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Each route once: of its two forms, the one with the trailing slash."""
    paths = {path for path, *_ in endpoints}
    return [endpoint for endpoint in endpoints if f"{endpoint[0]}/" not in paths]


def describe_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every operation may answer with an error, and all errors have one shape."""
    result["components"].setdefault("schemas", {})["Error"] = ERROR_COMPONENT
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", ERROR_RESPONSE)
    return result


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers by a plain metaclass
    target_class = "users_app.authentication.TokenAuthentication"
    name = ["cookie", "bearer"]  # noqa: RUF012 - as the base class has it

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "cookie", "name": settings.JWT_ACCESS_COOKIE_NAME},
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ]


class StaffScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "users_app.authentication.StaffSession"
    name = "staff"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        description = "The session of the admin site; needs its CSRF token as well."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": description}


class ServiceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "users_app.service_authentication.ServiceAuthentication"
    name = ["signature", "gateway"]  # noqa: RUF012 - as the base class has it

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature Version 4."},
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-Gateway-Secret",
                "description": "Of our API gateway.",
            },
        ]
