"""Confirmations: what can't be undone is asked before, by a dialog or, without scripts, by a page.

Both send the form with a field that says so.
"""

from __future__ import annotations

from starlette.responses import Response

from farebox.dashboard.form import CSRF_FIELD
from farebox.dashboard.visit import FORM_ID_FIELD, Visit

CONFIRMED = "confirmed"
YES = "yes"
_MARKS = {CSRF_FIELD, FORM_ID_FIELD, CONFIRMED}


def is_confirmed(visit: Visit) -> bool:
    """Whether a dialog or a page has asked before."""
    return visit.form.text(CONFIRMED) == YES


async def ask(visit: Visit, title: str, *texts: str, yes: str, back: str) -> Response:
    """The page that asks, where no dialog did: it sends the same form again."""
    fields = [(name, visit.form.text(name)) for name in visit.form.names() if name not in _MARKS]
    return await visit.show(
        "confirm.html",
        title=title,
        texts=texts,
        yes=yes,
        back=back,
        fields=fields,
        form_id=visit.form.text(FORM_ID_FIELD),
    )
