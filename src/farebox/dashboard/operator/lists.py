"""Lists of the operator's pages: a page of them from a cursor."""

from __future__ import annotations

from farebox.core.errors import FareboxError
from farebox.dashboard.visit import ID_DIGITS_MAX, Visit
from farebox.service.pages import Turn, turn

ROWS = 50
CURSOR = "cursor"


def turn_of(visit: Visit) -> Turn:
    """The page of a list that is asked for; the first where the cursor is none."""
    try:
        return turn(visit.query(CURSOR), ROWS)
    except FareboxError:
        return turn(None, ROWS)


def number_of(text: str) -> int | None:
    """The id that a text may be."""
    is_id = text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS_MAX
    return int(text) if is_id else None
