"""What drf-spectacular cannot know by itself: routes with two forms, summaries, ways to sign in, errors."""

import re
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
    "example": {"detail": "It is not there.", "code": "not_found"},
}
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
ERRORS = {
    "400": "Something in the request is wrong; `code` or the names of fields say what.",
    "401": "No person is signed in, or the session is over.",
    "403": "This person may not do it, or the request comes from a page of another site (`cross_site`).",
    "404": "It is not there, or not for this person.",
    "429": "Too many requests; `Retry-After` says in how many seconds there is room again.",
    "default": "What went wrong.",
}
# In the order in which the pages show them.
TAGS = {
    "users": (
        "Accounts and sessions **for single-page applications in a browser**: signing in sets two cookies that no "
        'script can read, every request is sent with `credentials: "include"`, and a request that changes something '
        "has to come from a page of this site or of `CORS_ALLOWED_ORIGINS`. Begin with `POST /users/login/`; after a "
        "401 ask `POST /users/refresh/` once and send the request again. `docs/frontend.md` has two clients."
    ),
    "auth": (
        "Accounts and sessions **for apps and programs**: `POST /api/v1/auth/token/` answers an access and a refresh "
        "token as JSON and sets no cookies; send `Authorization: Bearer <access token>`, and exchange the refresh "
        "token at `POST /api/v1/auth/refresh/` before the access token ends. An app confirms a new account by the six "
        "digits of the mail (`verify-email`). The other routes are the same as below `/users/`, cookies included, for "
        "clients that have them under this prefix."
    ),
    "people": "Profiles and, for admins, all accounts and their roles.",
    "content": "The catalogue as the pages show it, favourites, and addresses for watching.",
    "videos": "Films: upload with a form, change, delete, bring back, and what will become of a file.",
    "upload": (
        "Uploads of large files beside the forms: into the bucket by signed requests, or into a folder by tus 1.0, "
        "both to be resumed after a break."
    ),
    "posters": "The pictures of a film, and which of them is shown.",
    "captions": "Captions of a film, one file for each language.",
    "streaming": "What players read: the HLS master playlist, pictures of the seek bar, one quality as a file.",
    "services": "For an external transcoder and other services; signed with AWS Signature Version 4, or by a gateway.",
    "audit": "Who did what, for admins.",
    "health": "Whether the platform works, for monitors and load balancers.",
}
END_OF_SUMMARY = re.compile(r"[;:(]|\.(?:\s|$)")
PEOPLE = ("/users/profile", "/api/v1/users/")


class Schema(AutoSchema):
    def get_operation_id(self) -> str:
        """Gives the route of one entry an id of its own; by itself it would get that of the route of the list."""
        name: str = super().get_operation_id()
        return f"{name}_one" if self.path.endswith("_id}/") else name

    def get_tags(self) -> list[str]:
        return ["people"] if self.path.startswith(PEOPLE) else super().get_tags()

    def get_summary(self) -> str | None:
        """The first sentence of the description, up to a bracket, colon or semicolon."""
        return super().get_summary() or first_words(self.get_description())

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Adds the errors: every operation may answer with one, and all have the same shape."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation:
            for status in (*self.expected_errors(operation), "default"):
                answer = {"description": ERRORS[status], "content": ERROR_CONTENT}
                operation["responses"].setdefault(status, answer)
        return operation

    def expected_errors(self, operation: dict[str, Any]) -> list[str]:
        """The statuses that follow from the parameters of an operation and from who may call it."""
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        causes = {
            "400": "requestBody" in operation or "query" in places,
            "401": {} not in operation.get("security", []),
            "403": {} not in operation.get("security", []),
            "404": "path" in places,
            "429": bool(self.view.throttle_classes),
        }
        return [status for status, is_so in causes.items() if is_so]


def first_words(description: str) -> str | None:
    sentence = " ".join(description.split("\n\n")[0].split())
    return END_OF_SUMMARY.split(sentence)[0].strip() or None


def only_canonical_routes(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Keeps one form of each route, the one with the trailing slash."""
    paths = {path for path, *_ in endpoints}
    return [endpoint for endpoint in endpoints if f"{endpoint[0]}/" not in paths]


def describe_whole(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds the shape of errors, and what each group of routes is for."""
    result["components"].setdefault("schemas", {})["Error"] = ERROR_COMPONENT
    result["tags"] = [{"name": name, "description": description} for name, description in TAGS.items()]
    return result


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers by a plain metaclass
    target_class = "users_app.http.authentication.TokenAuthentication"
    name = ["cookie", "bearer"]  # noqa: RUF012 - as the base class has it

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """A request needs only one of the two."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "cookie", "name": settings.JWT_ACCESS_COOKIE_NAME},
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ]


class StaffScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "users_app.http.authentication.StaffSession"
    name = "staff"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        description = "The session of the admin site; needs its CSRF token as well."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": description}


class ServiceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "users_app.http.service_authentication.ServiceAuthentication"
    name = ["signature", "gateway"]  # noqa: RUF012 - as the base class has it

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """A request needs only one of the two."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature Version 4."},
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-Gateway-Secret",
                "description": "The secret of this site's API gateway.",
            },
        ]
