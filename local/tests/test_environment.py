import re
from pathlib import Path

import pytest

from config.env_file import read_env_file
from local.environment import child_environment, chosen_settings, ensure_secret, write_local_env
from local.options import read_options


def choose(**given: str) -> dict[str, str]:
    return chosen_settings(read_options(given), redis_url="unix:///data/redis.sock?db=0", given=given)


def test_without_settings_it_chooses_all_that_the_services_need() -> None:
    assert choose(DATA_DIR="/data", PORT="8010") == {
        "DEBUG": "0",
        "BACKEND_ORIGIN": "http://localhost:8010",
        "REDIS_URL": "unix:///data/redis.sock?db=0",
        "SECRET_KEY_FILE": "/data/secret_key",
    }


def test_settings_of_the_operator_are_not_replaced() -> None:
    own = {"DEBUG": "1", "BACKEND_ORIGIN": "https://a", "REDIS_HOST": "redis", "SECRET_KEY": "s", "DATA_DIR": "/data"}
    assert choose(**own) == {}


def test_compiled_modules_lie_in_the_data_folder_even_where_they_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    env = child_environment({"DEBUG": "0"}, data_dir=Path("/data"))
    assert env["PYTHONPYCACHEPREFIX"] == "/data/pycache"
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["DEBUG"] == "0"


def test_the_secret_is_long_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    ensure_secret(path)
    secret = path.read_text()
    assert re.fullmatch(r"[\w-]{60,}", secret)
    assert path.stat().st_mode & 0o777 == 0o600
    ensure_secret(path)
    assert path.read_text() == secret


def test_manage_py_in_another_terminal_reads_the_same_settings(tmp_path: Path) -> None:
    path, settings = tmp_path / "local.env", {"DEBUG": "0", "REDIS_URL": "unix:///a%20b/redis.sock?db=0"}
    (tmp_path / "local.env.new").write_text("left by one that was killed")
    write_local_env(path, settings)
    assert read_env_file(path) == settings
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "local.env.new").exists()
