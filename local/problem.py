"""The one kind of failure that `make up` shows."""

from typing import NoReturn


class Problem(Exception):
    """Why `make up` cannot go on, in a sentence that says what to do."""


def describe_os_error(error: OSError) -> str:
    return error.strerror or str(error)


def not_writable(folder: object, error: OSError, remedy: str) -> NoReturn:
    raise Problem(f"{folder} cannot be written to ({describe_os_error(error)}): {remedy}.") from error
