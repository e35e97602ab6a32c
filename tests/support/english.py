"""English on a page of another language: texts of ours that were left untranslated."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from farebox.contract.texts import Language, catalogue
from tests.support.visitor import Page

# A text around what is filled into it, where that alone is shown in an element of its own.
_FILLED = re.compile(r"\{[a-z_]+\}")
_WORDS = re.compile(r"[A-Za-z]{2,}[,;]? [a-z]{2,}")
# What things are called that were made without being asked for a name.
_NAMES = ("first start",)
_SCRIPT = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


@lru_cache(maxsize=4)
def english_of(language: Language) -> frozenset[str]:
    """The English texts that a language says otherwise, and their parts of several words."""
    found = set()
    for msgid, text in catalogue(language).items():
        if msgid == text:
            continue
        found.add(msgid)
        parts = {part.strip(" .,;:'()/") for part in _FILLED.split(msgid)}
        found |= {part for part in parts if " " in part and part not in text}
    return frozenset(found)


def english_on(page: Page, language: Language) -> set[str]:
    """What of a page is English: texts of ours, and whatever else reads like a sentence of it."""
    english = english_of(language)
    shown = {part for text in (*page.texts, *page.labels) for part in text.split(" · ")}
    shown |= {text for data in _SCRIPT.findall(page.response.text) for text in _texts(data)}
    for name in _NAMES:
        shown = {text.replace(name, "") for text in shown}
    return {text for text in shown if text.strip(" .:") in english or text in english} | {
        text for text in shown if _WORDS.search(text)
    }


def _texts(data: str) -> list[str]:
    """Every text in some JSON."""
    waiting, found = [json.loads(data)], []
    while waiting:
        match waiting.pop():
            case str(text):
                found.append(text)
            case list(values):
                waiting += values
            case dict(values):
                waiting += values.values()
            case _:
                pass
    return found
