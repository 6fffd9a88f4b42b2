import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env_file
from config.env import Env, load_env
from config.env_file import parse_env_lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NAME=value", [("NAME", "value")]),
        ("  NAME = value  ", [("NAME", "value")]),
        ("export NAME=value", [("NAME", "value")]),
        ("NAME='a value'", [("NAME", "a value")]),
        ('NAME="a=b"', [("NAME", "a=b")]),
        ("NAME=\"'quoted'\"", [("NAME", "'quoted'")]),
        ("NAME='", [("NAME", "'")]),
        ("NAME=a#b", [("NAME", "a#b")]),
        ("NAME=", [("NAME", "")]),
        ("# NAME=value", []),
        ("no separator", []),
        ("", []),
    ],
)
def test_lines_of_an_env_file(line: str, expected: list[tuple[str, str]]) -> None:
    assert list(parse_env_lines(line)) == expected


def test_the_last_line_of_a_name_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nA=2\n", encoding="utf-8")
    assert env_file.read_env_file(tmp_path / ".env") == {"A": "2"}
    assert env_file.read_env_file(tmp_path / "missing") == {}


def test_a_file_saved_with_a_byte_order_mark_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8-sig")
    assert env_file.read_env_file(tmp_path / ".env") == {"A": "1"}


@pytest.mark.parametrize("word", ["1", "true", "True", "YES", "on"])
def test_words_for_yes(word: str) -> None:
    assert Env({"A": word}).boolean("A", default=False) is True


@pytest.mark.parametrize("word", ["0", "false", "False", "NO", "off"])
def test_words_for_no(word: str) -> None:
    assert Env({"A": word}).boolean("A", default=True) is False


@pytest.mark.parametrize("is_default", [True, False])
def test_an_unset_or_empty_value_is_the_default(is_default: bool) -> None:
    for env in (Env({}), Env({"A": ""})):
        assert env.boolean("A", default=is_default) is is_default
        assert env.integer("A", default=7, least=1, most=9) == 7
        assert env.decimal("A", default=0.5, least=0, most=1) == 0.5
        assert env.text("A", default="x") == "x"
        assert env.names("A", default=("x", "y")) == ["x", "y"]
        assert env.choice("A", default="x", choices=("x", "y")) == "x"
        assert env.folder("A", default=Path("/x")) == Path("/x")


@pytest.mark.parametrize(
    ("reader", "value", "sentence"),
    [
        ("boolean", "maybe", "A is 'maybe'; set it to 1 or 0."),
        ("integer", "many", "A is 'many'; set it to a whole number."),
        ("integer", "1.5", "A is '1.5'; set it to a whole number."),
        ("integer", "0", "A is '0'; set it to a whole number from 1 to 9."),
        ("integer", "10", "A is '10'; set it to a whole number from 1 to 9."),
        ("integer", "9" * 4000, f"A is '{'9' * 100}…'; set it to a whole number from 1 to 9."),
        ("integer", "9" * 5000, f"A is '{'9' * 100}…'; set it to a whole number."),
        ("decimal", "much", "A is 'much'; set it to a number."),
        ("decimal", "0.5", "A is '0.5'; set it to a number from 1 to 9."),
        ("decimal", "1e308", "A is '1e308'; set it to a number from 1 to 9."),
        ("decimal", "nan", "A is 'nan'; set it to a number."),
        ("decimal", "inf", "A is 'inf'; set it to a number."),
        ("choice", "Lux", "A is 'Lux'; set it to one of: Lax, None."),
    ],
)
def test_a_value_that_makes_no_sense_stops_with_a_sentence(reader: str, value: str, sentence: str) -> None:
    arguments: dict[str, dict[str, Any]] = {
        "boolean": {"default": True},
        "integer": {"default": 2, "least": 1, "most": 9},
        "decimal": {"default": 2, "least": 1, "most": 9},
        "choice": {"default": "Lax", "choices": ("Lax", "None")},
    }
    with pytest.raises(ImproperlyConfigured) as stopped:
        getattr(Env({"A": value}), reader)("A", **arguments[reader])
    assert sentence in str(stopped.value)


def test_lists_are_split_at_commas_and_trimmed() -> None:
    assert Env({"A": " a, b ,,c "}).names("A") == ["a", "b", "c"]


def test_the_first_name_that_is_set_counts() -> None:
    env = Env({"SECOND": "2", "THIRD": "3"})
    assert env.text("FIRST", "SECOND", "THIRD") == "2"


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    assert Env({"A_FILE": str(tmp_path / "secret")}).text("A") == "s3cret"
    assert Env({"A": "own", "A_FILE": str(tmp_path / "secret")}).text("A") == "own"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_secret_that_cannot_be_read_stops_with_a_sentence(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=r"^A_FILE names .+, which cannot be read: .+\.$"):
        Env({"A_FILE": str(path)}).text("A")


@pytest.mark.parametrize(
    ("value", "reason"),
    [("~nosuchuser/films", "home directory"), ("a\0b", "null"), ("~nosuchuser/" + "x" * 9999, "home directory")],
    ids=["user", "NUL byte", "long"],
)
def test_a_folder_that_cannot_be_one_stops_with_a_sentence(value: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^A is '.+', which is no folder \(.*{reason}.*\); set") as stopped:
        Env({"A": value}).folder("A", default=Path("/x"))
    assert len(str(stopped.value)) < 300


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"A=\xff\xfe\n", "is not text in UTF-8: save"), (b"MEDIA_ROOT=/srv/a\0b\n", "has a NUL byte: save")],
    ids=["Latin-1", "NUL byte"],
)
def test_an_env_file_that_is_no_text_stops_with_a_sentence(
    content: bytes, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my.env").write_bytes(content)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "my.env"))
    with pytest.raises(ImproperlyConfigured, match=rf"^'.+' {sentence}"):
        load_env()


def test_an_env_file_that_cannot_be_read_stops_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV_FILE", "x" * 5000)
    with pytest.raises(ImproperlyConfigured, match=r"^'.{100}…' cannot be read: File name too long\.$"):
        load_env()


def test_relative_folders_count_from_the_project() -> None:
    assert Env({"A": "films"}).folder("A", default=Path("/x")) == env_file.BASE_DIR / "films"


def test_the_environment_goes_before_the_file_and_the_file_before_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my.env").write_text(f"DATA_DIR={tmp_path}\nONE=file\nTWO=file\n", encoding="utf-8")
    (tmp_path / "local.env").write_text("ONE=data\nTWO=data\nTHREE=data\n", encoding="utf-8")
    for name in ("DATA_DIR", "TWO", "THREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "my.env"))
    monkeypatch.setenv("ONE", "environment")
    env = load_env()
    assert [env.text(name) for name in ("ONE", "TWO", "THREE")] == ["environment", "file", "data"]


def test_tests_see_no_file_of_the_developer() -> None:
    assert os.environ["ENV_FILE"] == ""
