"""Lists of the operator's pages: a page of them from a cursor, and the form that asks first."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.dashboard.form import CSRF_FIELD
from farebox.dashboard.visit import FORM_ID_FIELD, ID_DIGITS_MAX, Visit
from farebox.service.pages import Turn, turn

ROWS = 50
CURSOR = "cursor"
CONFIRMED = "confirmed"
YES = "yes"
_MARKS = {CSRF_FIELD, FORM_ID_FIELD, CONFIRMED}


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


def is_confirmed(visit: Visit) -> bool:
    """Whether a dialog or a page has asked before."""
    return visit.form.text(CONFIRMED) == YES


async def ask(visit: Visit, title: str, text: str, yes: str, back: str) -> Response:
    """The page that asks, where no dialog did: it sends the same form again."""
    fields = [(name, visit.form.text(name)) for name in visit.form.names() if name not in _MARKS]
    return await visit.show(
        "operator/confirm.html",
        title=title,
        text=text,
        yes=yes,
        back=back,
        fields=fields,
        form_id=visit.form.text(FORM_ID_FIELD),
    )
