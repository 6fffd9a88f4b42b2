import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from config.openapi.views import documents

JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi; charset=utf-8"


@pytest.fixture
def generations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A list that gets an entry each time the schema is made."""
    made: list[str] = []
    get_schema = SchemaGenerator.get_schema

    def counting(generator: SchemaGenerator, *args: Any, **options: Any) -> Any:
        made.append("made")
        return get_schema(generator, *args, **options)  # type: ignore[no-untyped-call]  # drf-spectacular's

    monkeypatch.setattr(SchemaGenerator, "get_schema", counting)
    documents.forget()
    yield made
    documents.forget()


def test_a_hundred_different_requests_make_the_schema_once(client: Client, generations: list[str]) -> None:
    for number in range(50):
        language = ("de", "en", "fr")[number % 3]
        for format_name in ("json", "yaml"):
            query = f"format={format_name}&lang={language}{number}&version={number}&other={number}"
            answer = client.get(f"/api/schema/?{query}", HTTP_ACCEPT_LANGUAGE=language)
            assert answer.status_code == 200
    assert generations == ["made"]
    assert set(documents.made) == {"json", "yaml"}


def test_requests_that_come_together_wait_for_one_schema(generations: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(documents.get, ["json", "yaml"] * 8))
    assert generations == ["made"]
    assert len({id(answer) for answer in answers}) == 2


def test_language_and_version_change_nothing(client: Client) -> None:
    plain = client.get("/api/schema/?format=json").content
    assert client.get("/api/schema/?format=json&lang=de&version=7", HTTP_ACCEPT_LANGUAGE="de").content == plain


@pytest.mark.parametrize(
    ("query", "accept", "content_type"),
    [
        ("", None, YAML),
        ("", "*/*", YAML),
        ("?format=yaml", None, YAML),
        ("?format=json", None, JSON),
        ("", "application/json", "application/json"),
        ("", JSON, JSON),
    ],
)
def test_the_schema_is_yaml_or_json_as_the_client_asks(
    query: str, accept: str | None, content_type: str, client: Client
) -> None:
    answer = client.get(f"/api/schema/{query}", **({"HTTP_ACCEPT": accept} if accept else {}))  # type: ignore[arg-type]
    assert answer["Content-Type"] == content_type
    read = json.loads if "json" in content_type else yaml.safe_load
    assert read(answer.content)["info"]["title"] == "Videoflix"


def test_the_schema_is_compressed_for_clients_that_accept_gzip(client: Client) -> None:
    packed = client.get("/api/schema/", HTTP_ACCEPT_ENCODING="br, gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert {"Accept", "Accept-Encoding"} <= set(packed["Vary"].split(", "))
    plain = client.get("/api/schema/")
    assert "Content-Encoding" not in plain
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 5


def test_a_client_that_has_the_schema_gets_a_304(client: Client) -> None:
    first = client.get("/api/schema/")
    again = client.get("/api/schema/", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert "no-cache" in again["Cache-Control"]
    assert client.get("/api/schema/?format=json", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


@pytest.mark.parametrize(("query", "accept", "status"), [("?format=xml", "*/*", 404), ("", "text/html", 406)])
def test_an_error_of_the_schema_route_is_json(query: str, accept: str, status: int, client: Client) -> None:
    answer = client.get(f"/api/schema/{query}", HTTP_ACCEPT=accept)
    assert answer.status_code == status
    assert set(answer.json()) == {"detail", "code"}


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs", "/api/redoc/", "/api/redoc"])
def test_the_pages_name_no_other_host_and_run_no_script_of_their_own(path: str, client: Client) -> None:
    page = client.get(path, HTTP_ACCEPT="text/html")
    policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert b"http" not in page.content
    assert b"csrf" not in page.content.lower()
