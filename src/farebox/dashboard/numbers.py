"""Numbers in addresses: the id of a thing, the page of a list."""

from __future__ import annotations

import re

_ID = re.compile(r"\d{1,18}", re.ASCII)
_PAGE = re.compile(r"[1-9]\d{0,5}", re.ASCII)


def id_of(text: str) -> int | None:
    """The id that a text may be."""
    return int(text) if _ID.fullmatch(text) else None


def page_of(text: str) -> int:
    """The number of a page; the first where the text is none."""
    return int(text) if _PAGE.fullmatch(text) else 1
