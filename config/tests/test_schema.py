import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from config.openapi.reference import TITLES
from config.openapi.schema import first_words, only_canonical_routes


@pytest.fixture
def schema(client: Client, db: None) -> Any:
    return client.get("/api/schema/?format=json").json()


def test_of_two_forms_of_a_route_the_one_with_the_slash_is_kept() -> None:
    view = object()
    both = [("/a/", "/a/", "GET", view), ("/a", "/a", "GET", view), ("/a/", "/a/", "POST", view)]
    alone = ("/b.m3u8", "/b.m3u8", "GET", view)
    assert only_canonical_routes([*both, alone]) == [both[0], both[2], alone]


def test_the_schema_is_valid_and_made_without_a_guess(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_every_operation_may_fail_in_the_documented_way(schema: Any) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            content = operation["responses"]["default"]["content"]
            assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert set(schema["components"]["schemas"]["Error"]["properties"]) == {"detail", "code"}


def test_cookie_and_bearer_token_are_documented_as_alternatives(schema: Any) -> None:
    assert set(schema["components"]["securitySchemes"]) == {"cookie", "bearer", "staff", "signature", "gateway"}
    assert schema["paths"]["/api/v1/auth/me/"]["get"]["security"] == [{"cookie": []}, {"bearer": []}]
    assert schema["paths"]["/users/login/"]["post"]["security"] == [{}]


def test_every_documented_path_is_routed_with_and_without_its_slash(schema: Any) -> None:
    paths = [path for path in schema["paths"] if "{" not in path]
    assert "/users/login/" in paths
    for path in paths:
        assert resolve(path).func.__module__ == resolve(path.rstrip("/")).func.__module__


def operations_of(schema: Any) -> Iterator[tuple[str, Any]]:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_has_a_summary_that_fits_beside_its_path(schema: Any) -> None:
    for name, operation in operations_of(schema):
        summary = operation.get("summary", "")
        assert 3 <= len(summary) <= 110, name
        assert not summary.endswith("."), name
        assert operation.get("description", ""), name


def test_every_used_tag_is_explained_and_every_explained_tag_is_used(schema: Any) -> None:
    used = {tag for _, operation in operations_of(schema) for tag in operation["tags"]}
    explained = {tag["name"]: tag["description"] for tag in schema["tags"]}
    assert set(explained) == used == set(TITLES)
    assert all(explained.values())


def test_both_families_of_sign_in_routes_name_their_clients(schema: Any) -> None:
    explained = {tag["name"]: tag["description"] for tag in schema["tags"]}
    assert "for single-page applications" in explained["users"]
    assert "cookies" in explained["users"]
    assert "for apps and programs" in explained["auth"]
    assert "Authorization: Bearer" in explained["auth"]
    named = re.findall(r"`POST (/[a-z0-9/]+)`", " ".join(explained.values()))
    assert named
    assert set(named) <= set(schema["paths"]), "a description names an unknown route"


def test_operations_of_a_kind_document_the_same_errors(schema: Any) -> None:
    """Operations with a body or query document 400, those with sign-in 401 and 403, those with a path parameter 404."""
    for name, operation in operations_of(schema):
        answers = set(operation["responses"])
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        needs_sign_in = {} not in operation["security"]
        assert ({"401", "403"} <= answers) == needs_sign_in, name
        assert ("404" in answers) == ("path" in places), name
        if "requestBody" in operation or "query" in places:
            assert "400" in answers, name
        assert "default" in answers, name


def test_a_summary_is_the_beginning_of_the_description() -> None:
    assert first_words("One video.") == "One video"
    assert first_words("Bring a deleted video back (admins).") == "Bring a deleted video back"
    assert first_words("Add captions (WebVTT), in place\nof others. More.") == "Add captions"
    assert first_words("Who is\nsigned in: a person.\n\nMore.") == "Who is signed in"
    assert first_words("") is None
