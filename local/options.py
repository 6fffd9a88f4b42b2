"""What the operator may choose for `make up`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.env_file import data_folder
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
    """From the operator's values (config.env_file.given_values); raises Problem."""
    port = whole_number(env, "PORT", default=8000, least=1, most=65535)
    return Options(
        port=port,
        # Nobody else on the network, until the operator says so: this is plain HTTP.
        bind=env.get("BIND", LOOPBACK),
        workers=whole_number(env, "WORKERS", default=2, least=1, most=64),
        data_dir=data_folder(env),
        origin=env.get("BACKEND_ORIGIN", f"http://localhost:{port}").rstrip("/"),
        has_own_redis=bool(env.get("REDIS_URL") or env.get("REDIS_HOST")),
        has_mail_server=bool(env.get("EMAIL_HOST") or env.get("EMAIL_BACKEND")),
        has_own_secret=bool(env.get("SECRET_KEY") or env.get("SECRET_KEY_FILE")),
    )


def whole_number(env: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    value = env.get(name, str(default))
    # isascii: "³" is a digit to Python and no number to anybody.
    if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
        raise Problem(f"{name} is {value!r}: set it to a whole number from {least} to {most}.")
    return int(value)
