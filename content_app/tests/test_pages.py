"""The page shells: the same for all users, with a strict Content-Security-Policy."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client

from content_app.input_rules import EXTENSIONS

SOME_ID = "3f2b8c1e-6d0a-4f0e-9a55-0c6f2f6f2a11"
PAGES = ["/", "/login/", "/upload/", f"/watch/{SOME_ID}/"]
ERROR_TEMPLATES = ["400.html", "403.html", "404.html", "500.html"]
STATIC = Path(__file__).resolve().parents[2] / "static"


@pytest.fixture
def stranger() -> Client:
    return Client()


class Elements(HTMLParser):
    """Collects the start tags of a page with their attributes, and all `ids`, repeated ones included."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline_scripts = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.found.append((tag, attributes))
        self.inline_scripts += tag == "script" and "src" not in attributes

    @property
    def ids(self) -> list[str]:
        return [value for _, attributes in self.found if (value := attributes.get("id"))]

    @property
    def links(self) -> list[str]:
        return [value for _, attributes in self.found for name in ("src", "href") if (value := attributes.get(name))]


def elements_of(client: Client, path: str) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(client.get(path).content.decode()).found


def policy(response: Any) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in directives}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_same_for_everybody_and_needs_no_database(stranger: Client, path: str) -> None:
    # Without the `db` fixture a query would fail the test.
    response = stranger.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert not response.cookies


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_compressed_for_clients_that_accept_it(stranger: Client, path: str) -> None:
    packed = stranger.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content) == stranger.get(path).content
    assert len(packed.content) < 6000


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/"])
def test_a_page_answers_without_its_trailing_slash(stranger: Client, path: str) -> None:
    assert stranger.get(path.rstrip("/")).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_only_reading_a_page_is_allowed(stranger: Client, path: str) -> None:
    assert stranger.head(path).status_code == 200
    assert stranger.post(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_lets_a_page_load_only_from_this_site(stranger: Client, path: str) -> None:
    directives = policy(stranger.get(path))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["media-src"] == directives["worker-src"] == "'self' blob:"
    assert directives["base-uri"] == "'none'"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_inline_that_the_policy_would_refuse(stranger: Client, path: str) -> None:
    page = Elements(stranger.get(path).content.decode())
    assert page.inline_scripts == 0
    assert "style" not in [tag for tag, _ in page.found]
    assert not [name for _, attributes in page.found for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_the_ids_of_a_page_are_unique(stranger: Client, path: str) -> None:
    ids = Elements(stranger.get(path).content.decode()).ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_every_file_that_a_page_names_exists(stranger: Client, path: str) -> None:
    page = Elements(stranger.get(path).content.decode())
    files = {link.removeprefix(site.STATIC_URL).partition("#")[0] for link in page.links if link.startswith("/static/")}
    assert files
    assert [file for file in files if finders.find(file) is None] == []


def test_every_module_that_a_script_imports_exists() -> None:
    missing = [
        f"{script.name}: {name}"
        for script in (STATIC / "js").rglob("*.js")
        for name in re.findall(r'(?: from |import\()"(.+?)"', script.read_text(encoding="utf-8"))
        if not (script.parent / name).is_file()
    ]
    assert missing == []


def test_the_upload_page_says_what_may_be_uploaded(stranger: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_MB = 4096
    main = next(attributes for tag, attributes in elements_of(stranger, "/upload/") if tag == "main")
    assert main["data-max-upload-mb"] == "4096"
    assert main["data-file-types"] == ",".join(f".{extension}" for extension in EXTENSIONS)


def test_the_watch_page_knows_its_film_by_id_only(stranger: Client) -> None:
    main = next(attributes for tag, attributes in elements_of(stranger, f"/watch/{SOME_ID}/") if tag == "main")
    assert main["data-video"] == SOME_ID


def test_the_watch_page_loads_the_vendored_player_whose_licence_is_kept(stranger: Client) -> None:
    links = Elements(stranger.get(f"/watch/{SOME_ID}/").content.decode()).links
    script = next(link for link in links if "/vendor/hls.js/" in link)
    folder = (STATIC / script.removeprefix(site.STATIC_URL)).parent
    assert (folder / "LICENSE").is_file()
    assert folder.name in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/watch/", "/watch/7/", "/watch/not-an-id/", "/login/again/", "/index.html"]
)
def test_an_unknown_address_shows_the_not_found_page(stranger: Client, path: str) -> None:
    response = stranger.get(path, headers={"accept": "text/html"})
    assert response.status_code == 404
    assert "Nothing is playing here" in response.content.decode()


@pytest.mark.parametrize("template", ERROR_TEMPLATES)
def test_an_error_page_needs_no_context(template: str) -> None:
    html = render_to_string(template)
    assert template.removesuffix(".html") in html
    assert Elements(html).inline_scripts == 0
