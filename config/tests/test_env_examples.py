"""The two example files name every setting that is read, and nothing else."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.env import Env
from config.env_file import BASE_DIR, parse_env_lines

READERS = tuple(BASE_DIR / path for path in ("config/settings.py", "config/readers.py", "local/options.py"))
COMPOSE = BASE_DIR / "docker-compose.yml"
EXAMPLES = (BASE_DIR / ".env.example.dev", BASE_DIR / ".env.example.prod")
SETTING = re.compile(r"[A-Z][A-Z0-9_]+")


def read_names(source: Path) -> set[str]:
    """Returns each NAME in calls such as `env.text("NAME")` and `whole_number(env, "NAME")`, run or not."""
    calls = (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call))
    return {name for call in calls if concerns_env(call) for name in names_in(call)}


def all_names() -> set[str]:
    in_compose = re.findall(r"\$\{([A-Z][A-Z0-9_]+)", COMPOSE.read_text())
    return {name for source in READERS for name in read_names(source)} | set(in_compose)


def concerns_env(call: ast.Call) -> bool:
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    return any(isinstance(node, ast.Name) and node.id == "env" for node in (receiver, *call.args))


def names_in(call: ast.Call) -> Iterator[str]:
    for node in call.args:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SETTING.fullmatch(node.value):
            yield node.value


def listed_names(example: Path) -> list[str]:
    return [name for name, _ in parse_env_lines(example.read_text())]


def test_the_settings_are_found_in_the_source() -> None:
    found = all_names()
    assert {"NGINX_TLS", "DEBUG", "DB_SSL_ROOTCERT", "DJANGO_SUPERUSER_EMAIL", "PORT", "WORKERS"} <= found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_setting_that_is_read_is_in_the_example(example: Path) -> None:
    text = example.read_text()
    named = set(SETTING.findall(text))
    assert all_names() - named == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_names_nothing_that_is_not_read(example: Path) -> None:
    read = all_names() | {"DATA_DIR"}
    assert set(listed_names(example)) - read == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_setting_of_the_example_is_explained_by_the_line_above_it(example: Path) -> None:
    lines = example.read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if SETTING.match(line):
            assert before.startswith("# "), line


def test_both_examples_list_the_same_settings_in_the_same_order() -> None:
    dev, prod = (listed_names(example) for example in EXAMPLES)
    assert dev == prod
    assert len(dev) == len(set(dev))


def test_the_production_example_does_not_start_before_its_secret_is_set() -> None:
    values = Env(dict(parse_env_lines(EXAMPLES[1].read_text())))
    assert len(values.text("SECRET_KEY")) < 32
    assert not values.boolean("DEBUG", default=True)
