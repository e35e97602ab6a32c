"""Texts: every text for people in English, Simplified Chinese, Korean and Japanese.

English is written in the code and is the key of the catalogues, `locales/{cn,ko,jp}.po`, which are
read once when first asked for. A text without a translation is given in English; the tests see to
it that there is none. `language_of` follows RFC 9110 and never fails, whatever the header holds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from farebox.core.admission import KIND_OF_DENIAL
from farebox.core.errors import FareboxError
from farebox.core.phrase import Phrase

Language = Literal["en", "cn", "ko", "jp"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
TRANSLATED: tuple[Language, ...] = LANGUAGES[1:]
LANGUAGE_NAMES: dict[Language, str] = {
    "en": "English",
    "cn": "简体中文",
    "ko": "한국어",
    "jp": "日本語",
}
# What HTML and HTTP call them (BCP 47).
LANGUAGE_TAGS: dict[Language, str] = {"en": "en", "cn": "zh-Hans", "ko": "ko", "jp": "ja"}
_BY_PRIMARY_TAG: dict[str, Language] = {"en": "en", "zh": "cn", "ko": "ko", "ja": "jp", "*": "en"}
# These hold texts of ours also where they are plain strings, such as those of a ValueError.
_PHRASE_PARAMETERS = ("expected", "reason", "what")
_RANGES_MAX = 32
_QUALITY = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=1024)
def language_of(accept_language: str | None) -> Language:
    """The best language for an `Accept-Language` header; English when none of ours is asked for."""
    best: Language = "en"
    best_quality = 0.0
    for item in (accept_language or "").split(",", _RANGES_MAX)[:_RANGES_MAX]:
        tag, _, parameters = item.partition(";")
        language = _BY_PRIMARY_TAG.get(tag.strip().partition("-")[0].lower())
        quality = _quality(parameters)
        if language is not None and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    """The weight of a language range, 1 without one, and 0 when it can't be read."""
    if not parameters.strip():
        return 1.0
    weight = _QUALITY.fullmatch(parameters.strip())
    return float(weight[1]) if weight else 0.0


def translate(language: Language, msgid: str, **params: object) -> str:
    """A text in a language, its braces filled with `params`; phrases among them are translated."""
    text = msgid if language == "en" else catalogue(language).get(msgid, msgid)
    if not params:
        return text
    return text.format_map({name: _localized(language, name, v) for name, v in params.items()})


def error_message(language: Language, error: FareboxError) -> str:
    """What a caller is told of an error."""
    return translate(language, error.kind.message, **error.params)


def refusal_message(language: Language, denied_by: str) -> str:
    """What a caller is told who is refused for a reason; empty for one that is none any more."""
    kind = KIND_OF_DENIAL.get(denied_by)
    return "" if kind is None else translate(language, kind.message, limit=denied_by)


def _localized(language: Language, name: str, value: object) -> object:
    """A parameter in a language. What callers sent is left alone: it is no word of ours."""
    if isinstance(value, Phrase):
        return translate(language, value.msgid, **value.params)
    is_ours = name in _PHRASE_PARAMETERS and isinstance(value, str)
    return translate(language, str(value)) if is_ours else value


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: Language) -> dict[str, str]:
    """The translations of a language: English to text."""
    return {
        str(message.id): str(message.string)
        for message in read_catalogue(language)
        if message.id and message.string and not message.fuzzy
    }


def read_catalogue(language: Language) -> Catalog:
    """The catalogue's file, with all that it holds."""
    with resources.files("farebox").joinpath(f"locales/{language}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)
