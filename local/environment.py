"""The settings that `make up` chooses where the operator set none, and `local.env`, where `manage.py` finds them."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from local.options import Options


def chosen_settings(options: Options, *, redis_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """Settings for the services, without those that the operator gave: config.env reads these itself."""
    settings = {
        "DEBUG": "0",
        "DATA_DIR": str(options.data_dir),
        "BACKEND_ORIGIN": options.origin,
    }
    if not options.has_own_redis:
        settings["REDIS_URL"] = redis_url
    if not options.has_own_secret:
        settings["SECRET_KEY_FILE"] = str(options.data_dir / "secret_key")
    return {name: value for name, value in settings.items() if name not in given}


def child_environment(settings: Mapping[str, str], *, data_dir: Path) -> dict[str, str]:
    # People set PYTHONDONTWRITEBYTECODE to keep compiled modules out of the source folders. Without compiled modules
    # every start would take seconds longer, so they go to the folder named below.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        **settings,
        "PYTHONUNBUFFERED": "1",
        # Compiled modules lie under the data folder, like all files that the platform writes.
        "PYTHONPYCACHEPREFIX": str(data_dir / "pycache"),
    }


def ensure_secret(path: Path) -> None:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(50))


def write_local_env(path: Path, settings: Mapping[str, str]) -> None:
    lines = ["# Written by `make up` at every start, for manage.py in another terminal; your own settings go in .env."]
    lines += [f"{name}={value}" for name, value in settings.items()]
    write_private(path, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Writes the whole file or nothing; at no moment can another user read it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
