import re
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from config.env import BASE_DIR
from config.management.commands.api_reference import read_examples, read_schema
from config.openapi.reference import METHODS, anchor, operation_of, render, table, type_of

PAGE = BASE_DIR / "docs" / "06-api-reference.md"


@pytest.fixture(scope="module")
def schema() -> Any:
    return read_schema()


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_is_the_output_of_the_command(page: str) -> None:
    printed = StringIO()
    call_command("api_reference", stdout=printed)
    assert printed.getvalue() == page, (
        "The API has changed: run `.venv/bin/python manage.py api_reference > docs/06-api-reference.md` "
        "(and `.venv/bin/python -m tests.record_api_examples` before it where answers are others)."
    )


def test_it_is_the_same_each_time(schema: Any) -> None:
    assert render(schema, read_examples()) == render(read_schema(), read_examples())


def test_every_operation_of_the_schema_has_its_section(schema: Any, page: str) -> None:
    headings = set(re.findall(r"^### `(.+)`$", page, re.MULTILINE))
    documented = {
        f"{method.upper()} {path}"
        for path, operations in schema["paths"].items()
        for method in METHODS
        if method in operations
    }
    assert headings == documented


def test_every_example_belongs_to_an_operation_and_its_statuses(schema: Any) -> None:
    for example in read_examples():
        found = operation_of(schema, example["request"])
        assert found, f"{example['request']} is no route of the schema"
        method, path = found
        succeeds = example["status"] < 400
        assert not succeeds or str(example["status"]) in schema["paths"][path][method]["responses"], example["request"]


def test_every_link_leads_to_one_heading(page: str) -> None:
    counted = Counter(anchor(heading) for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE))
    assert {name for name, count in counted.items() if count > 1} == set()
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(counted)


def test_no_example_has_a_secret_or_an_address_of_the_run(page: str) -> None:
    assert not re.search(r"eyJ[\w-]{10}|localhost:\d|/[0-9a-z]{6,13}\.[\w-]{43}", page)


def test_a_request_belongs_to_the_path_with_the_fewest_blanks() -> None:
    paths: Any = {path: {"get": {}} for path in ("/content/{ref}/", "/content/categories/", "/by-key/{s3_key}/")}
    schema = {"paths": paths}
    assert operation_of(schema, "GET /content/categories/?a=b") == ("get", "/content/categories/")
    assert operation_of(schema, "GET /content/7") == ("get", "/content/{ref}/")
    assert operation_of(schema, "GET /by-key/originals/a/b.mp4/") == ("get", "/by-key/{s3_key}/")
    assert operation_of(schema, "POST /content/7/") is None
    assert operation_of(schema, "GET /content/7/more/") is None


def test_types_are_described_in_words() -> None:
    schemas = {"Kind": {"enum": ["a", "b"]}, "Thing": {"properties": {}}}
    schema = {"components": {"schemas": schemas}}
    assert type_of(schema, {"type": "string", "minLength": 1, "maxLength": 5}) == "string, at most 5 characters"
    assert type_of(schema, {"type": "string", "format": "uri", "nullable": True}) == "string (uri), or null"
    assert type_of(schema, {"allOf": [{"$ref": "#/components/schemas/Kind"}]}) == "one of `a`, `b`"
    assert type_of(schema, {"type": "array", "items": {"$ref": "#/x/Thing"}}) == "list of [Thing](#thing)"
    assert type_of(schema, {"type": "boolean", "default": False}) == "boolean, `false` unless given"


def test_a_table_leaves_out_empty_columns() -> None:
    assert table(("A", "B"), [("1|2", ""), ("3", "")]) == "| A |\n| --- |\n| 1\\|2 |\n| 3 |\n"
