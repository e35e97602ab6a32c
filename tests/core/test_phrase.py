"""Phrases: strings that remember what they were made from."""

from __future__ import annotations

from farebox.core.phrase import Phrase


def test_a_phrase_is_its_english_text_and_remembers_its_parts() -> None:
    phrase = Phrase("a list of at most {items_max} strings", items_max=5)
    assert phrase == "a list of at most 5 strings"
    assert f"The field must be {phrase}." == "The field must be a list of at most 5 strings."
    assert phrase.msgid == "a list of at most {items_max} strings"
    assert phrase.params == {"items_max": 5}


def test_a_phrase_without_parameters_keeps_its_braces() -> None:
    phrase = Phrase("segments that are {names}")
    assert phrase == "segments that are {names}"
    assert phrase.msgid == "segments that are {names}"
    assert phrase.params == {}
