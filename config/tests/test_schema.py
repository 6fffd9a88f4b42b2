from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from config.schema import only_canonical_routes


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
