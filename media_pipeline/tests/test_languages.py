"""What files call a language, and what a menu calls it."""

import pytest

from media_pipeline.languages import language_name, parse_language


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("deu", "de"), ("ger", "de"), ("en", "en"), ("pt-BR", "pt"), ("pt_BR", "pt"), ("ENG", "en"), ("gsw", "gsw"),
        ("", "und"), ("und", "und"), ("german", "und"), ('a"b', "und"), ("e\nn", "und"), ("en\n", "und"), ("d", "und"),
        ("日本", "und"), ("-", "und"),
    ],
)  # fmt: skip
def test_a_language_tag_is_a_code_or_nothing(tag: str, language: str) -> None:
    assert parse_language(tag) == language


@pytest.mark.parametrize(("language", "name"), [("de", "Deutsch"), ("ja", "日本語"), ("gsw", "gsw"), ("und", "")])
def test_a_language_is_called_by_its_own_name(language: str, name: str) -> None:
    assert language_name(language) == name
