"""Phrases: the parts of a message that are texts themselves, such as "a list of strings".

A phrase is a plain English string wherever a string will do, and remembers what it was made from,
so that the edge can say it in the reader's language. Every text given to `Phrase` is found by the
check that no text lacks its translation.
"""

from __future__ import annotations

from typing import Self


class Phrase(str):
    """English text with its parameters filled in; `msgid` and `params` are what it is made from."""

    __slots__ = ("msgid", "params")

    msgid: str
    params: dict[str, object]

    def __new__(cls, msgid: str, **params: object) -> Self:
        """Fill `params` into the braces of `msgid`; a text without parameters is kept as it is."""
        phrase = super().__new__(cls, msgid.format_map(params) if params else msgid)
        phrase.msgid = msgid
        phrase.params = params
        return phrase
