"""Typed readers of the environment. A value that cannot be read raises ImproperlyConfigured, which says what to set.

A value comes from the process environment, else from the file named by ENV_FILE (default `.env` beside manage.py),
else from `local.env` in the data folder, which `make up` writes so that `manage.py` in another terminal speaks to the
same services. `NAME_FILE` names a file that holds the value of NAME (container secrets).
"""

import math
from collections.abc import Collection, Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.env_file import BASE_DIR as BASE_DIR
from config.env_file import (
    UnreadableSetting,
    data_folder,
    given_values,
    quote_value,
    read_env_file,
    resolve_folder,
    shorten,
)

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


class Env:
    """Typed access to one mapping of settings; each reader takes a name and the default for an unset or empty value."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def raw(self, *names: str) -> str | None:
        """The value of the first name that is set, from NAME or the file that NAME_FILE names; None without one."""
        for name in names:
            if self.values.get(name):
                return self.values[name]
            if path := self.values.get(f"{name}_FILE"):
                return self._read_secret_file(name, path)
        return None

    def _read_secret_file(self, name: str, path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {shorten(path)}, which cannot be read: {error.strerror}."
            ) from error
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {shorten(path)}, which cannot be read: it is not text."
            ) from error

    def text(self, *names: str, default: str = "") -> str:
        value = self.raw(*names)
        return default if value is None else value

    def boolean(self, name: str, *, default: bool) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if value.lower() in TRUE_WORDS:
            return True
        if value.lower() in FALSE_WORDS:
            return False
        raise ImproperlyConfigured(f"{name} is {quote_value(value)}; set it to 1 or 0.")

    def integer(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self.raw(name)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name} is {quote_value(value)}; set it to a whole number.") from None
        if not least <= number <= most:
            raise ImproperlyConfigured(
                f"{name} is {quote_value(value)}; set it to a whole number from {least} to {most}."
            )
        return number

    def decimal(self, name: str, *, default: float, least: float, most: float) -> float:
        value = self.raw(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ImproperlyConfigured(f"{name} is {quote_value(value)}; set it to a number.")
        if not least <= number <= most:
            raise ImproperlyConfigured(f"{name} is {quote_value(value)}; set it to a number from {least} to {most}.")
        return number

    def choice(self, name: str, *, default: str, choices: Collection[str]) -> str:
        value = self.text(name, default=default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is {quote_value(value)}; set it to one of: {', '.join(choices)}.")
        return value

    def names(self, *names: str, default: tuple[str, ...] = ()) -> list[str]:
        """A comma-separated list."""
        value = self.raw(*names)
        return list(default) if value is None else [part.strip() for part in value.split(",") if part.strip()]

    def folder(self, name: str, *, default: Path) -> Path:
        value = self.raw(name)
        if value is None:
            return default
        try:
            return resolve_folder(name, value)
        except UnreadableSetting as error:
            raise ImproperlyConfigured(str(error)) from error


def load_env() -> Env:
    try:
        given = given_values()
        return Env({**read_env_file(data_folder(given) / "local.env"), **given})
    except UnreadableSetting as error:
        raise ImproperlyConfigured(str(error)) from error
