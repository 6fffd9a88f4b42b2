"""The codes of languages in files, and their names in menus."""

import pytest

from media_pipeline.sources.languages import canonical_tag, language_name, parse_language, tag_name


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


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("de", "de"), ("DE", "de"), ("ger", "de"), ("pt-br", "pt-BR"), ("POR-BR", "pt-BR"), ("zh-hans", "zh-Hans"),
        ("zh-HANT-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("und", "und"), ("gsw", "gsw"), ("de-1996", "de-1996"),
        ("", None), ("d", None), ("german", None), ("de-", None), ("-de", None), ("de_AT", None), ("de--AT", None),
        ("de-a", None), ("de-123456789", None), ("de-abcd-efghi", None), ("de\n", None), ("de/..", None), ("d\0", None),
        ("日本", None), ("ｄｅ", None), ("de-٣٣", None),
    ],
)  # fmt: skip
def test_a_full_tag_has_one_spelling_or_is_no_tag(text: str, tag: str | None) -> None:
    assert canonical_tag(text) == tag


@pytest.mark.parametrize(("tag", "name"), [("de", "Deutsch"), ("pt-BR", "Português (BR)"), ("gsw", "gsw"), ("und", "")])
def test_a_region_is_said_behind_the_language(tag: str, name: str) -> None:
    assert tag_name(tag) == name
