"""The values that the operator set: the process environment and `NAME=value` files.

Standard library only, because `make up` reads it before anything is installed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


def parse_env_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yields name and value of each `NAME=value` line; skips comment lines, drops one pair of surrounding quotes."""
    for line in text.splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if not separator or name.startswith("#"):
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        yield name.strip(), value


def read_env_file(path: Path) -> dict[str, str]:
    return dict(parse_env_lines(path.read_text(encoding="utf-8-sig"))) if path.is_file() else {}


def given_values() -> dict[str, str]:
    """The process environment over the file named by ENV_FILE (default `.env`); an empty value counts as unset."""
    path = os.environ.get("ENV_FILE", ".env")
    from_file = read_env_file(BASE_DIR / path) if path else {}
    return {name: value for name, value in {**from_file, **os.environ}.items() if value}


def resolve_folder(value: str) -> Path:
    """The absolute path; a relative one counts from the folder of manage.py, wherever a command is run."""
    return (BASE_DIR / Path(value).expanduser()).resolve()


def data_folder(values: Mapping[str, str]) -> Path:
    return resolve_folder(values.get("DATA_DIR", "var"))
