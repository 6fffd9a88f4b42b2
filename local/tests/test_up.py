"""Which programs `make up` starts, and what it says when the database cannot be prepared."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env_file import BASE_DIR
from local.up import describe_failure, worker


def test_a_worker_serves_every_queue_unless_it_is_given_one() -> None:
    assert worker("worker-1").argv[1:] == ["manage.py", "rqworker", "--verbosity", "0"]
    assert worker("errands", "default").argv[1:] == ["manage.py", "rqworker", "default", "--verbosity", "0"]


def test_the_sentence_of_a_command_is_printed_as_it_is() -> None:
    assert describe_failure(["CommandError: The disk is full."]) == "The disk is full."


def test_wrong_settings_are_listed_each_with_its_hint() -> None:
    printed = [
        "SystemCheckError: System check identified some issues:",
        "",
        "ERRORS:",
        "?: (videoflix.E003) ALLOWED_HOSTS is '*'.",
        "\tHINT: List the host names that this site is reached by.",
        "?: (videoflix.E033) EMAIL_HOST_USER is set but EMAIL_HOST is not.",
        "\tHINT: Set EMAIL_HOST as well, or remove EMAIL_HOST_USER.",
    ]
    assert describe_failure(printed).splitlines() == [
        "Videoflix cannot start:",
        *(line.removeprefix("?: ") for line in printed[3:]),
    ]


@pytest.mark.parametrize("printed", [[], ["Traceback (most recent call last):", "ValueError: x"]])
def test_a_crash_is_printed_whole(printed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert describe_failure(printed) == "The database could not be prepared: the lines above say why."
    assert capsys.readouterr().out.splitlines() == [f"setup    | {line}" for line in printed]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"DATA_DIR=~nosuchuser/x\n", "DATA_DIR is '~nosuchuser/x', which is no folder ("),
        (b"SITE=caf\xe9\n", "is not text in UTF-8: save it as such."),
        (b"DATA_DIR=/srv/a\0b\n", "has a NUL byte: save it as text in UTF-8."),
    ],
    ids=["user", "Latin-1", "NUL byte"],
)
def test_settings_that_cannot_be_read_are_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "my.env").write_bytes(content)
    env = {name: value for name, value in os.environ.items() if name not in ("DATA_DIR", "MEDIA_ROOT")}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "local.up"], env={**env, "ENV_FILE": str(tmp_path / "my.env")}, cwd=BASE_DIR,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
