"""The breakdown page: who used what, by key and by endpoint."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.breakdown import TOP
from farebox.core.preset import Preset
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace.asked import (
    Asked,
    key_choices,
    log_type_choices,
    read_asked,
    take_query,
)
from farebox.dashboard.workspace.download import download, file_format
from farebox.service.export.parquet_file import is_available
from farebox.service.export.table import Table
from farebox.service.export.usage import endpoint_table, key_table
from farebox.service.usage_breakdown import UsageBreakdown, usage_breakdown
from farebox.store.contract import Reader

USUAL: Preset = "30d"


async def show_breakdown(visit: Visit) -> Response:
    """The page."""
    take_query(visit)
    directory = visit.desk.directory

    def work(reader: Reader) -> Response:
        asked, found = _read(visit, reader)
        return visit.page(
            "workspace/breakdown.html",
            asked=asked,
            report=found.report,
            zone=found.zone.zone,
            top=TOP,
            names={key.key_id: key.name for key in directory.keys_of(visit.profile_id)},
            keys=key_choices(visit, asked.keys),
            log_types=log_type_choices(visit),
            has_parquet=is_available(),
        )

    return await visit.read(work)


async def download_breakdown(visit: Visit) -> Response:
    """One of its lists as a file: `?list=keys` or `endpoints`."""
    take_query(visit)
    chosen = file_format(visit)
    name = "endpoints" if visit.query("list") == "endpoints" else "keys"

    def work(reader: Reader) -> tuple[Asked, Table]:
        asked, found = _read(visit, reader)
        if name == "endpoints":
            return asked, endpoint_table(found.report, visit.text("Not mapped"))
        return asked, key_table(found.report, found.zone.zone)

    asked, table = await visit.read(work)
    return download(table, chosen, f"{name}-{asked.days.start_date}-{asked.days.end_date}")


def _read(visit: Visit, reader: Reader) -> tuple[Asked, UsageBreakdown]:
    asked = read_asked(visit, reader, USUAL)
    of = (reader, visit.desk.directory, visit.profile_id, asked.days, asked.filters)
    return asked, usage_breakdown(*of)
