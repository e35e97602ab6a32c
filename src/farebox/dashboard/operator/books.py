"""What a workspace is invoiced from: its statement of a period, and its ledger line by line."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.core.instant import parse_rfc3339, to_iso_ms
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.visit import Visit
from farebox.service.pages import turn
from farebox.service.statement import first_period_ms, read_statement
from farebox.service.workspace_ledger import read_ledger
from farebox.store.contract import Reader


async def show_statement(visit: Visit) -> Response:
    """The statement of the period that is asked for, else of the current one."""
    profile_id, period = visit.profile_id, visit.query("period") or None

    def work(reader: Reader) -> Response:
        told = read_statement(reader, profile_id, period, visit.now_ms)
        first = first_period_ms(reader, profile_id)
        start_ms, end_ms = parse_rfc3339(told.period_start), parse_rfc3339(told.period_end)
        return visit.page(
            "operator/statement.html",
            told=told,
            start_ms=start_ms,
            end_ms=end_ms,
            earlier=to_iso_ms(start_ms - 1) if start_ms > first else None,
            later=told.period_end if told.is_closed else None,
            at=parse_rfc3339,
        )

    return await visit.read(work)


async def show_ledger(visit: Visit) -> Response:
    """The ledger, the newest first; `?draws=on` tells what processes draw, too."""
    profile_id, with_draws = visit.profile_id, visit.query("draws") == "on"

    def work(reader: Reader) -> Response:
        try:
            found = read_ledger(reader, profile_id, turn_of(visit), with_draws=with_draws)
        except FareboxError:
            found = read_ledger(reader, profile_id, turn(None, None), with_draws=with_draws)
        return visit.page("operator/ledger.html", found=found, with_draws=with_draws)

    return await visit.read(work)
