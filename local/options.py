"""The options of `make up`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.env_file import data_folder, quote_value
from local.problem import Problem

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    port: int
    bind: str
    workers: int
    data_dir: Path
    origin: str
    has_own_redis: bool
    has_mail_server: bool
    has_own_secret: bool


def read_options(env: Mapping[str, str]) -> Options:
    """Reads the values of the operator (config.env_file.given_values); raises Problem or UnreadableSetting."""
    port = whole_number(env, "PORT", default=8000, minimum=1, maximum=65535)
    return Options(
        port=port,
        # This machine only, until the operator says otherwise: the server speaks plain HTTP.
        bind=env.get("BIND", LOOPBACK),
        workers=whole_number(env, "WORKERS", default=2, minimum=1, maximum=64),
        data_dir=data_folder(env),
        origin=env.get("BACKEND_ORIGIN", f"http://localhost:{port}").rstrip("/"),
        has_own_redis=bool(env.get("REDIS_URL") or env.get("REDIS_HOST")),
        has_mail_server=bool(env.get("EMAIL_HOST") or env.get("EMAIL_BACKEND")),
        has_own_secret=bool(env.get("SECRET_KEY") or env.get("SECRET_KEY_FILE")),
    )


def whole_number(env: Mapping[str, str], name: str, *, default: int, minimum: int, maximum: int) -> int:
    value = env.get(name, str(default))
    # isascii: Python counts "³" as a digit.
    if not (value.isascii() and value.isdigit() and minimum <= int(value[:9]) <= maximum):
        raise Problem(f"{name} is {quote_value(value)}: set it to a whole number from {minimum} to {maximum}.")
    return int(value)
