"""docs/frontend.md shows the code that the tests run, and has every error of the routes that it describes."""

import hashlib
import re

import pytest

from config.env import BASE_DIR

DOCS = BASE_DIR / "docs"
BUNDLE = BASE_DIR / "tests" / "browser" / "angular" / "angular.bundle.js"
# Routes of staff and of other services have their own pages; those of single fields come with `invalid`.
ELSEWHERE = ("admin", "service_")
OF_FIELDS = {"unchanged"}


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "frontend.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "language"), [("session-client.js", "js"), ("session.interceptor.ts", "ts")])
def test_the_page_shows_the_examples_as_they_are(page: str, name: str, language: str) -> None:
    example = (DOCS / "examples" / name).read_text(encoding="utf-8")
    assert f"\n```{language}\n{example}```\n" in page, f"copy docs/examples/{name} into docs/frontend.md"


def test_the_bundle_of_the_browser_tests_has_the_interceptor_that_is_shown() -> None:
    digest = hashlib.sha256((DOCS / "examples" / "session.interceptor.ts").read_bytes()).hexdigest()
    assert BUNDLE.read_text(encoding="utf-8").startswith(f"// session.interceptor.ts {digest}\n"), (
        "The interceptor has changed: run `npm ci && npm run build` in tests/browser/angular."
    )


def test_every_code_of_the_account_routes_is_explained(page: str) -> None:
    sources = [
        *(path for path in (BASE_DIR / "users_app").rglob("*.py") if "tests" not in path.parts),
        BASE_DIR / "config" / "http" / "errors.py",
    ]
    codes = {
        code
        for path in sources
        if not path.name.startswith(ELSEWHERE)
        for code in re.findall(r'\b(?:default_)?code ?= ?"(\w+)"', path.read_text(encoding="utf-8"))
    }
    table = page.partition("## What errors mean")[2]
    assert len(codes) > 15
    assert codes - OF_FIELDS - set(re.findall(r"`(\w+)`", table)) == set()


def test_every_setting_on_the_page_exists(page: str) -> None:
    settings = set(re.findall(r"^(\w+)=", (BASE_DIR / ".env.example.prod").read_text(encoding="utf-8"), re.MULTILINE))
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    named = set(re.findall(r"`([A-Z][A-Z_]*_[A-Z_]+)(?:=\w+)?`", prose)) - {"ASKS_NOBODY"}
    assert len(named) > 8
    assert named <= settings


def test_every_link_of_the_page_leads_somewhere(page: str) -> None:
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    headings = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", prose, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        name, _, fragment = target.partition("#")
        assert (DOCS / name).exists() if name else fragment in headings, target
