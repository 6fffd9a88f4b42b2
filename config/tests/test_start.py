"""Processes with wrong settings do not start: each reports every problem, without a traceback."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.env_file import BASE_DIR
from tests.services import free_port

MANAGE = (sys.executable, "manage.py")
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "local/gunicorn_conf.py", "config.wsgi:application")
UNSAFE = {"SECRET_KEY": "", "ALLOWED_HOSTS": "*", "TRANSCODER": "external", "EMAIL_HOST_USER": "videoflix"}


def start(*argv: str, data_dir: Path, **values: str) -> "subprocess.CompletedProcess[str]":
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(data_dir),
        "MEDIA_ROOT": str(data_dir / "media"),
        **values,
    }
    return subprocess.run(argv, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False)


def tables_of(database: Path) -> list[tuple[str]]:
    """Returns the tables. Django's own checks may connect to the database, which makes an empty file."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT name FROM sqlite_master").fetchall()


def refused(*argv: str, data_dir: Path, **values: str) -> str:
    done = start(*argv, data_dir=data_dir, **values)
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        (*MANAGE, "migrate"),
        (*MANAGE, "bootstrap", "--migrate"),
        (*MANAGE, "reaper"),
        (*MANAGE, "rqworker"),
        (*MANAGE, "runserver", "--noreload", "0"),
        GUNICORN,
    ],
    ids=" ".join,
)
def test_nothing_starts_with_unsafe_settings_and_all_are_reported(argv: tuple[str, ...], tmp_path: Path) -> None:
    output = refused(*argv, data_dir=tmp_path, **UNSAFE)
    for number, name, hint in (
        ("001", "SECRET_KEY is missing", "Set it to a long random value"),
        ("003", "ALLOWED_HOSTS is '*'", "List the host names"),
        ("022", "TRANSCODER is external", "Set USE_S3_MEDIA=1"),
        ("033", "EMAIL_HOST_USER is set", "Set EMAIL_HOST as well"),
    ):
        assert f"(videoflix.E{number}) {name}" in output
        assert f"HINT: {hint}" in output
    assert not tables_of(tmp_path / "videoflix.sqlite3")


def test_the_web_server_opens_no_socket_with_unsafe_settings(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):  # a server that got so far would report that the port is in use
        output = refused(*GUNICORN, "--bind", f"127.0.0.1:{port}", data_dir=tmp_path, **UNSAFE)
    assert output.startswith("Videoflix cannot start:\n(videoflix.E001) SECRET_KEY is missing")
    assert "in use" not in output


@pytest.mark.parametrize("argv", [(*MANAGE, "check"), (*MANAGE, "rqworker"), GUNICORN], ids=" ".join)
def test_a_folder_that_cannot_be_made_is_one_sentence(argv: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = refused(*argv, data_dir=tmp_path / "file" / "data")
    assert output == (
        f"Videoflix cannot start: the folder {tmp_path / 'file' / 'data'} cannot be made (Not a directory): "
        "set DATA_DIR or MEDIA_ROOT to another one.\n"
    )


@pytest.mark.parametrize("argv", [(*MANAGE, "check"), GUNICORN], ids=" ".join)
def test_a_value_that_cannot_be_read_is_one_sentence(argv: tuple[str, ...], tmp_path: Path) -> None:
    output = refused(*argv, data_dir=tmp_path, MAX_UPLOAD_MB="many")
    assert output == "Videoflix cannot start: MAX_UPLOAD_MB is 'many'; set it to a whole number.\n"


@pytest.mark.parametrize("argv", [(*MANAGE, "check"), GUNICORN], ids=" ".join)
def test_an_env_file_that_is_no_text_is_one_sentence(argv: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "my.env").write_bytes(b"SITE=caf\xe9\n")
    output = refused(*argv, data_dir=tmp_path, ENV_FILE=str(tmp_path / "my.env"))
    assert output.startswith("Videoflix cannot start: '")
    assert output.count("\n") == 1
    assert output.endswith("my.env' is not text in UTF-8: save it as such.\n")


def test_the_web_server_names_a_wrong_format_of_logs_in_one_sentence(tmp_path: Path) -> None:
    output = refused(*GUNICORN, data_dir=tmp_path, LOG_FORMAT="xml")
    assert output == "Videoflix cannot start: LOG_FORMAT is 'xml'; set it to one of: plain, json.\n"


def test_the_folder_of_an_unknown_user_is_one_sentence(tmp_path: Path) -> None:
    output = refused(*MANAGE, "check", data_dir=tmp_path, MEDIA_ROOT="~nosuchuser/x")
    assert output.startswith("Videoflix cannot start: MEDIA_ROOT is '~nosuchuser/x', which is no folder (")
    assert output.count("\n") == 1


def test_the_folders_are_made_when_the_application_starts_and_not_by_reading_the_settings(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert start(sys.executable, "-c", "import config.settings", data_dir=data_dir).returncode == 0
    assert not data_dir.exists()
    done = start(*MANAGE, "check", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    folders = {str(path.relative_to(data_dir)) for path in data_dir.rglob("*")}
    assert folders == {"media", "media/incoming", "work", "static"}
