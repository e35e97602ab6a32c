"""Lists of the operator's pages: a page of them from a cursor."""

from __future__ import annotations

from farebox.core.errors import FareboxError
from farebox.dashboard.visit import Visit
from farebox.service.pages import Turn, turn

ROWS = 50
CURSOR = "cursor"


def turn_of(visit: Visit) -> Turn:
    """The page of a list that is asked for; the first where the cursor is none."""
    try:
        return turn(visit.query(CURSOR), ROWS)
    except FareboxError:
        return turn(None, ROWS)
