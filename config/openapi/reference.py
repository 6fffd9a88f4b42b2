"""The API as a page of Markdown, made from its OpenAPI schema and from examples of a real run; pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
TITLES = {
    "auth": "Signing in (`/api/v1/auth/`)",
    "users": "Signing in (`/users/`)",
    "people": "People",
    "videos": "Videos",
    "content": "Catalogue",
    "captions": "Captions",
    "posters": "Posters",
    "streaming": "Playing",
    "upload": "Uploads of large files",
    "services": "Other services",
    "audit": "Audit",
    "health": "Health of the platform",
}
WAYS = {
    "cookie": "the cookie `{name}`",
    "bearer": "`Authorization: Bearer <access token>`",
    "staff": "the admin site's session (cookie `{name}`) with its CSRF token",
    "signature": "AWS Signature Version 4 in `Authorization`",
    "gateway": "`{name}`, which only the API gateway of this site knows",
}
MAX_INLINE_FIELDS = 4  # an object with more has its table under "Objects" only
LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
}
# The list of values that drf-spectacular adds to the description of a choice; the column of types has them too.
CHOICE_LINE = re.compile(r"^\* `", re.MULTILINE)
ERROR = {"$ref": "#/components/schemas/Error"}
REFERENCE = re.compile(r"#/components/schemas/(\w+)")
HEAD = """\
# API reference

For those who write a client. This page is made by `manage.py api_reference > docs/06-api-reference.md` from the OpenAPI
schema (`/api/schema/`, to be tried out at `/api/docs/`); the examples are from a run
(`python -m tests.record_api_examples`), with placeholders for what differs each time.

Every route answers with and without its trailing slash, never by a redirect. `{ref}` is the id or the public id of a
video. Errors have one shape, a sentence for people and a code for programs: `{"detail": "…", "code": "…"}`; where
fields are wrong, a list of sentences for each of them and `"code": "invalid"`. Requests that change something and carry
cookies have to come from a page of this site or of `CORS_ALLOWED_ORIGINS` (otherwise 403, `cross_site`). A request is
found in the logs by the `X-Request-ID` of its answer.
"""


def render(schema: Json, examples: Sequence[Json]) -> str:
    """The page; the same schema and examples always give the same text."""
    groups = by_tag(schema)
    parts = [HEAD, *overview(groups)]
    for tag, operations in groups.items():
        parts.append(f"## {title_of(tag)}\n")
        for method, path, operation in operations:
            fitting = [one for one in examples if operation_of(schema, one["request"]) == (method, path)]
            parts += [*section(schema, method, path, operation), *map(show, fitting)]
    parts += objects(schema)
    return "\n".join(parts)


def by_tag(schema: Json) -> dict[str, list[tuple[str, str, Json]]]:
    """Method, path and operation, grouped in the order of TITLES; groups that it does not name come last."""
    groups: dict[str, list[tuple[str, str, Json]]] = {tag: [] for tag in TITLES}
    for path, operations in schema["paths"].items():
        for method in METHODS:
            if method in operations:
                groups.setdefault(operations[method]["tags"][0], []).append((method, path, operations[method]))
    return {tag: operations for tag, operations in groups.items() if operations}


def title_of(tag: str) -> str:
    return TITLES.get(tag, tag.capitalize())


def operation_of(schema: Json, request: str) -> tuple[str, str] | None:
    """Method and documented path that a request line ("GET /content/1/?x=y") belongs to."""
    method, _, address = request.partition(" ")
    path = address.partition("?")[0]
    fitting = [
        documented
        for documented, operations in schema["paths"].items()
        if method.lower() in operations and path_pattern(documented).fullmatch(path)
    ]
    # `/content/categories/` also fits `/content/{ref}/`: the path with fewer placeholders is meant.
    return (method.lower(), min(fitting, key=lambda one: one.count("{"))) if fitting else None


def path_pattern(documented: str) -> re.Pattern[str]:
    """A pattern for the addresses of a path, with or without the last slash; a key in a bucket may contain slashes."""
    parts = re.split(r"(\{\w+\})", documented)
    wild = {"{s3_key}": ".+"}
    parts = [wild.get(part, "[^/]+") if part.startswith("{") else re.escape(part) for part in parts]
    return re.compile("".join(parts) + "?" * documented.endswith("/"))


# --- One operation ---


def overview(groups: Mapping[str, Sequence[tuple[str, str, Json]]]) -> Iterator[str]:
    for tag, operations in groups.items():
        rows = [
            (f"[`{operation_name(method, path)}`](#{anchor(operation_name(method, path))})", summary(operation))
            for method, path, operation in operations
        ]
        yield f"**[{title_of(tag)}](#{anchor(title_of(tag))})**\n"
        yield table(("Route", "Does"), rows)


def section(schema: Json, method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### `{operation_name(method, path)}`\n"
    yield f"{prose(operation)}\n"
    yield f"Access: {who(schema, operation)}.\n"
    yield from parameters(schema, operation)
    yield from body(schema, operation)
    yield from answers(schema, operation)


def operation_name(method: str, path: str) -> str:
    return f"{method.upper()} {path}"


def anchor(heading: str) -> str:
    """The anchor that GitHub makes for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def prose(described: Json) -> str:
    """The description, each paragraph on one line, without the list of a choice's values."""
    text = CHOICE_LINE.split(str(described.get("description", "")))[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def summary(operation: Json) -> str:
    """The first sentence."""
    return re.split(r"(?<=\.)\s", prose(operation), maxsplit=1)[0]


def who(schema: Json, operation: Json) -> str:
    ways = [name for way in operation.get("security", []) for name in way]
    if not ways:
        return "all requests"
    schemes = schema["components"]["securitySchemes"]
    return "requests with " + " or ".join(WAYS.get(way, way).format(name=schemes[way].get("name", way)) for way in ways)


def parameters(schema: Json, operation: Json) -> Iterator[str]:
    rows = [
        (f"`{one['name']}`", one["in"], type_of(schema, one["schema"]), yes(one.get("required")), prose(one))
        for one in operation.get("parameters", [])
    ]
    if rows:
        yield table(("Parameter", "In", "Type", "Required", "Meaning"), rows)


def body(schema: Json, operation: Json) -> Iterator[str]:
    """The fields of each kind of body; kinds with the same fields share a table."""
    kinds: dict[str, list[str]] = {}
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        text = "\n".join(one_body(schema, content["schema"]))
        kinds.setdefault(text, []).append(f"`{kind}`")
    for text, names in kinds.items():
        yield f"Body, {' or '.join(names)}:\n"
        yield text


def one_body(schema: Json, given: Json) -> Iterator[str]:
    choices = [resolve(schema, one) for one in resolve(schema, given).get("oneOf", [given])]
    for number, choice in enumerate(choices):
        if number:
            yield "or\n"
        yield fields(schema, choice, need="Required") if choice.get("properties") else f"{type_of(schema, choice)}\n"


def answers(schema: Json, operation: Json) -> Iterator[str]:
    rows = []
    inline = ""
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {"": {}}).items():
            if content.get("schema") == ERROR:
                continue  # HEAD explains the shape of errors once
            kind_cell = f"`{kind}`" if kind else ""
            type_cell = type_of(schema, content["schema"]) if "schema" in content else "none"
            meaning = prose(response)
            rows.append((status, kind_cell, type_cell, "" if meaning == "No response body" else meaning))
            inline = inline or small_object(schema, content.get("schema", {}))
    yield table(("Status", "Type", "Body", "Meaning"), rows)
    if inline:
        yield inline


def small_object(schema: Json, given: Json) -> str:
    """The table of an answered object with few fields; empty for a larger one."""
    described = resolve(schema, given.get("items", given))
    is_small = 0 < len(described.get("properties", {})) <= MAX_INLINE_FIELDS
    return fields(schema, described, need="Always") if is_small else ""


# --- Fields and types ---


def fields(schema: Json, described: Json, *, need: str) -> str:
    required = described.get("required", [])
    rows = [
        (f"`{name}`", type_of(schema, field), yes(name in required), prose(field))
        for name, field in described["properties"].items()
    ]
    return table(("Field", "Type", need, "Meaning"), rows)


def resolve(schema: Json, given: Json) -> Json:
    """The schema that a reference leads to, with its name as `name`; any other schema as it is."""
    if "$ref" not in given:
        return given
    name = given["$ref"].rpartition("/")[2]
    return {**schema["components"]["schemas"][name], "name": name}


def type_of(schema: Json, field: Json) -> str:
    text = bare_type(schema, field)
    # A minimum of one character says no more than "required" does.
    limited = {name: value for name, value in field.items() if name in LIMITS and (name, value) != ("minLength", 1)}
    if limits := [words.format(limited[name]) for name, words in LIMITS.items() if name in limited]:
        text += f", {', '.join(limits)}"
    if "default" in field and field["default"] != "":
        text += f", `{json.dumps(field['default'])}` unless given"
    return f"{text}, or null" if field.get("nullable") else text


def bare_type(schema: Json, field: Json) -> str:
    if "allOf" in field:
        return bare_type(schema, field["allOf"][0])
    if "oneOf" in field:
        return " or ".join(dict.fromkeys(bare_type(schema, one) for one in field["oneOf"]))
    resolved = resolve(schema, field)
    if "enum" in resolved:
        return "one of " + ", ".join(f"`{value}`" for value in resolved["enum"] if value not in ("", None))
    if "name" in resolved:
        return f"[{resolved['name']}](#{anchor(resolved['name'])})"
    kind = str(resolved.get("type", "anything"))
    if kind == "array":
        return f"list of {bare_type(schema, resolved['items'])}"
    if kind == "object" and resolved.get("additionalProperties"):
        return f"object of {bare_type(schema, resolved['additionalProperties'])}"
    return f"{kind} ({resolved['format']})" if "format" in resolved else kind


def objects(schema: Json) -> Iterator[str]:
    """The objects of answers; the bodies of requests have their tables beside their routes."""
    bodies = [
        operations[method].get("requestBody", {})
        for operations in schema["paths"].values()
        for method in METHODS
        if method in operations
    ]
    sent = set(REFERENCE.findall(json.dumps(bodies)))
    yield "## Objects\n"
    for name, described in schema["components"]["schemas"].items():
        if "properties" in described and name not in sent:
            yield f"### {name}\n"
            if text := prose(described):
                yield f"{text}\n"
            yield fields(schema, described, need="Always")


# --- Markdown ---


def yes(is_so: object) -> str:
    return "yes" if is_so else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table without its empty columns."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    lines = [
        [head[column] for column in kept],
        ["---"] * len(kept),
        *([row[column].replace("|", "\\|").replace("\n", " ") for column in kept] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(example: Json) -> str:
    """One request and its answer as they were sent, with placeholders for what differs each time."""
    lines = [example["request"], *header_lines(example, "headers")]
    if "body" in example:
        lines += ["", as_text(example["body"])]
    lines += ["", f"HTTP {example['status']}", *header_lines(example, "answer_headers")]
    if example["answer"]:
        lines.append(as_text(example["answer"]))
    return "\n".join([f"{example['title']}:\n", "```", *lines, "```\n"])


def header_lines(example: Json, which: str) -> list[str]:
    return [f"{name}: {value}" for name, value in example.get(which, {}).items()]


def as_text(value: Any) -> str:
    return value.rstrip("\n") if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
