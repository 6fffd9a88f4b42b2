"""The one kind of failure that people see."""

from typing import NoReturn


class Problem(Exception):
    """Why it cannot go on, as one sentence that says what to do."""


def describe_os_error(error: OSError) -> str:
    return error.strerror or str(error)


def not_writable(folder: object, error: OSError, remedy: str) -> NoReturn:
    raise Problem(f"{folder} cannot be written to ({describe_os_error(error)}): {remedy}.") from error
