"""Audits: whether the books agree, what each audit found, and another one now."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.phrase import Phrase
from farebox.dashboard.numbers import id_of
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.visit import Visit
from farebox.service.audits import list_audits, read_audit
from farebox.store.contract import Reader


async def show_audits(visit: Visit) -> Response:
    """The history, the newest first."""

    def work(reader: Reader) -> Response:
        return visit.page(
            "operator/audits.html",
            found=list_audits(reader, turn_of(visit)),
            is_running=visit.desk.auditor.is_running,
            is_first_page=not visit.query("cursor"),
        )

    return await visit.read(work)


async def audit_now(visit: Visit) -> Response:
    """Begin an audit, unless one runs; it goes on when this is answered."""
    visit.desk.auditor.begin()
    return visit.go(f"{visit.root}/audit")


async def show_audit(visit: Visit) -> Response:
    """One of the history, with every check."""
    audit_id = id_of(visit.path("audit_id"))
    if audit_id is None:
        raise FareboxError(NOT_FOUND, what=Phrase("audit"))

    def work(reader: Reader) -> Response:
        return visit.page("operator/audit.html", told=read_audit(reader, audit_id))

    return await visit.read(work)
