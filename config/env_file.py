"""The values that the operator set: the process environment and `NAME=value` files.

Standard library only, because `make up` reads it before anything is installed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
MAX_SHOWN_LENGTH = 100


class UnreadableSetting(Exception):
    """Why a file or a folder of the settings cannot be read, in a sentence that says what to set."""


def shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"


def quote_value(value: str) -> str:
    """The value as a message shows it: on one line, and only the beginning of a long one."""
    return repr(shorten(value))


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
    """The values of a file, none without one; raises UnreadableSetting."""
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except OSError as error:
        raise UnreadableSetting(f"{quote_value(str(path))} cannot be read: {error.strerror}.") from error
    except ValueError:
        raise UnreadableSetting(f"{quote_value(str(path))} is not text in UTF-8: save it as such.") from None
    # No path, variable or address of the system can hold a NUL byte, so it would fail later and far from here.
    if "\0" in text:
        raise UnreadableSetting(f"{quote_value(str(path))} has a NUL byte: save it as text in UTF-8.")
    return dict(parse_env_lines(text))


def given_values() -> dict[str, str]:
    """The process environment over the file named by ENV_FILE (default `.env`); an empty value counts as unset."""
    path = os.environ.get("ENV_FILE", ".env")
    from_file = read_env_file(BASE_DIR / path) if path else {}
    return {name: value for name, value in {**from_file, **os.environ}.items() if value}


def resolve_folder(name: str, value: str) -> Path:
    """The absolute path of the setting `name`; a relative one counts from the folder of manage.py, wherever a command
    is run. Raises UnreadableSetting.
    """
    try:
        return (BASE_DIR / Path(value).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # an unknown user after ~, a NUL byte
        raise UnreadableSetting(
            f"{name} is {quote_value(value)}, which is no folder ({error}); set it to a path such as /srv/videoflix."
        ) from error


def data_folder(values: Mapping[str, str]) -> Path:
    return resolve_folder("DATA_DIR", values.get("DATA_DIR", "var"))
