"""The operator's overview: what comes in, whether the books agree, who needs somebody to look."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from farebox.dashboard.visit import Visit
from farebox.service.attention import list_attention
from farebox.service.audits import list_audits
from farebox.service.ingest import IngestPart, read_ingest
from farebox.service.near_quotas import list_near_quotas
from farebox.service.pages import turn
from farebox.service.processes import read_processes
from farebox.service.refusal_totals import read_refusals_lately
from farebox.store.contract import Reader

REASONS_SHOWN = 5


async def show_overview(visit: Visit) -> Response:
    """The page; `?by=minute` shows the last hour by the minute."""
    is_by_minute = visit.query("by") == "minute"
    now_ms, directory = visit.now_ms, visit.desk.directory

    def work(reader: Reader) -> Response:
        ingest = read_ingest(reader, now_ms)
        parts = ingest.minutes if is_by_minute else ingest.hours
        audits = list_audits(reader, turn(None, 1)).data
        refusals = read_refusals_lately(reader, now_ms)
        return visit.page(
            "operator/overview.html",
            by="minute" if is_by_minute else "hour",
            parts=parts,
            chart_data=_chart(visit, parts),
            last_hour=ingest.minutes,
            audit=audits[0] if audits else None,
            processes=read_processes(reader, now_ms),
            refusals=refusals,
            reasons=refusals.reasons[:REASONS_SHOWN],
            attention=list_attention(reader, now_ms),
            near=list_near_quotas(reader, directory, now_ms),
            users=directory.users,
            queue_rows=visit.desk.link.rows_waiting,
        )

    return await visit.read(work)


def _chart(visit: Visit, parts: Sequence[IngestPart]) -> dict[str, object]:
    """Requests by part, as bars."""
    texts = [visit.formats.number_text(part.requests) for part in parts]
    labels = [visit.formats.clock(part.start_ms, visit.zone) for part in parts]
    requests = {
        "name": visit.text("Requests"),
        "values": [part.requests for part in parts],
        "texts": texts,
    }
    return {
        "labels": labels,
        "titles": labels,
        "series": [requests],
        "totals": texts,
        "previous": None,
        "texts": {"total": visit.text("Total"), "empty": visit.text("Nothing was recorded")},
    }
