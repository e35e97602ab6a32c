"""Texts: the language that is asked for, and no text without its translation."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox import msgids
from farebox.contract.texts import (
    LANGUAGES,
    TRANSLATED,
    Language,
    catalogue,
    error_message,
    language_of,
    read_catalogue,
    translate,
)
from farebox.core.errors import (
    CATALOGUE,
    INTERNAL,
    INVALID_FIELD,
    RATE_LIMITED,
    UNKNOWN_LOG_TYPE,
    FareboxError,
)
from farebox.core.phrase import Phrase
from tests.contract.shape import SEED_NAMES, load

# Words that are the same in every language.
SAME_EVERYWHERE = re.compile(r"API|CSV|Parquet|OpenAPI|Farebox|a UUID|\W*")
CODE = re.compile(r"`[^`]+`")
EXPECTED_LANGUAGES = [
    (None, "en"),
    ("", "en"),
    ("*", "en"),
    ("en-GB,en;q=0.9", "en"),
    ("zh-CN", "cn"),
    ("zh-TW,zh;q=0.9,en;q=0.8", "cn"),
    ("ZH-hans-SG", "cn"),
    ("ko", "ko"),
    ("ko-KR,ko;q=0.9", "ko"),
    ("ja,en-US;q=0.7", "jp"),
    ("de-DE,de;q=0.9", "en"),
    ("de, ja;q=0.5", "jp"),
    ("en;q=0.4, ko;q=0.8", "ko"),
    ("ko;q=0, ja;q=0.1", "jp"),
    ("ko;q=0", "en"),
    ("ko ; q=0.5 , zh ; q=0.9", "cn"),
    ("ko;q=2, ja;q=0.1", "jp"),
    ("ko;q=high", "en"),
    ("ko;level=1", "en"),
    ("fr, *;q=0.5, ko;q=0.4", "en"),
    ("ko;q=1.000, ja", "ko"),
]


@pytest.mark.parametrize(("header", "language"), EXPECTED_LANGUAGES)
def test_the_language_is_the_best_that_is_asked_for(header: str | None, language: str) -> None:
    assert language_of(header) == language


@given(st.text(max_size=200))
def test_any_header_gives_a_language(header: str) -> None:
    assert language_of(header) in LANGUAGES


def test_a_header_of_any_length_is_read_up_to_a_bound() -> None:
    assert language_of("de," * 10_000 + "ko") == "en"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: Language) -> None:
    assert msgids.missing(language) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over(language: Language) -> None:
    assert msgids.stale(language) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_text(language: Language) -> None:
    for msgid, text in catalogue(language).items():
        assert msgids.placeholders(text) == msgids.placeholders(msgid), msgid


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_code_of_its_text(language: Language) -> None:
    for msgid, text in catalogue(language).items():
        assert sorted(CODE.findall(text)) == sorted(CODE.findall(msgid)), msgid


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_not_the_english_text(language: Language) -> None:
    same = [msgid for msgid, text in catalogue(language).items() if text == msgid]
    assert [msgid for msgid in same if not SAME_EVERYWHERE.fullmatch(msgid)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_sorted_and_has_nothing_obsolete_or_fuzzy(language: Language) -> None:
    messages = read_catalogue(language)
    ids = [str(message.id) for message in messages if message.id]
    assert ids == sorted(ids)
    assert not messages.obsolete
    assert not [message for message in messages if message.id and message.fuzzy]


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_texts_of_429_and_500_are_the_seeds(name: str) -> None:
    for language in LANGUAGES:
        texts = load(name)["texts"].get(language)
        if texts is not None:
            assert translate(language, RATE_LIMITED.message) == texts["429"]
            assert translate(language, INTERNAL.message) == texts["500"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_filled_in_in_every_language(language: Language) -> None:
    for kind in CATALOGUE.values():
        params = {name: f"<{name}>" for name in kind.parameters}
        message = error_message(language, FareboxError(kind, **params))  # type: ignore[arg-type] # str
        assert all(value in message for value in params.values())
        assert "{" not in message


def test_a_phrase_in_a_message_is_translated_with_its_own_parameters() -> None:
    expected = Phrase("an integer of at least {limit}", limit=3)
    error = FareboxError(INVALID_FIELD, field="page", expected=expected)
    assert error.message == "The field 'page' must be an integer of at least 3."
    assert error_message("cn", error) == "字段“page”必须是不小于 3 的整数。"


def test_a_plain_text_of_ours_in_a_message_is_translated_too() -> None:
    error = FareboxError(INVALID_FIELD, field="page", expected="an integer")
    assert error_message("jp", error) == "フィールド 'page' の値は整数でなければなりません。"


def test_what_a_caller_sent_is_never_translated() -> None:
    assert "request" in catalogue("ko")
    error = FareboxError(UNKNOWN_LOG_TYPE, field="request", slug="request")
    message = "필드 'request'에 해당하는 로그 타입이 없습니다: 'request'."
    assert error_message("ko", error) == message


def test_braces_in_what_a_caller_sent_are_no_placeholders() -> None:
    error = FareboxError(UNKNOWN_LOG_TYPE, field="log_type", slug="{0.__class__}")
    assert error_message("en", error).endswith("'{0.__class__}'.")


MARKED = """
HELP_TEXT = "one"
STATUS_TEXTS: dict[int, str] = {1: "two"}
SLUG_EXPECTED = "three"
raise ValueError(Phrase("four {n}", n=1))
Setting("NAME", "default", "five "
        "and six", read)
other("not this", Other("nor this"))
"""


def test_texts_are_found_where_they_are_marked() -> None:
    found = set(msgids._marked(ast.parse(MARKED)))
    assert found == {"one", "two", "three", "four {n}", "five and six"}


def test_the_list_of_missing_texts_is_one_that_a_catalogue_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msgids, "missing", lambda language: ['say "hi"'] * (language == "ko"))
    assert msgids.main([]) == 1
    assert capsys.readouterr().out == '# ko\nmsgid "say \\"hi\\""\nmsgstr ""\n'
    monkeypatch.setattr(msgids, "stale", lambda language: [] if language else ["x"])
    assert msgids.main(["--stale"]) == 0
