"""The usage page: what was used, by day or hour and log type, beside the range before.

And what was refused in the same range.
"""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from farebox.core.comparison import (
    Change,
    Comparison,
    change,
    compare_days,
    compare_hours,
    range_before,
)
from farebox.core.daily import Daily, LogTypeSeries
from farebox.core.hourly import HOURLY_DAYS_MAX, Hour
from farebox.core.preset import Preset
from farebox.dashboard.usage_chart import Unit, log_type_name, usage_chart
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace.asked import (
    Asked,
    key_choices,
    log_type_choices,
    read_asked,
    take_query,
)
from farebox.dashboard.workspace.download import download, file_format
from farebox.service.date_range import DateRange
from farebox.service.export.parquet_file import is_available
from farebox.service.export.table import Table
from farebox.service.export.usage import daily_table, hourly_table
from farebox.service.refusal_counts import read_refused_calls
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_hourly import UsageHourly, usage_hourly
from farebox.store.contract import Reader

USUAL: Preset = "30d"


class Shown(NamedTuple):
    """How it is shown: also in the query string."""

    unit: Unit
    is_hourly: bool
    is_compared: bool


class Usage(NamedTuple):
    """A report, by the hour if it has hours, and what it is compared with."""

    report: Daily
    hours: list[Hour]
    before: DateRange | None
    comparison: Comparison | None
    earlier: Daily | None


class Changed(NamedTuple):
    """What became of a log type since the range before, in requests or micro-credits."""

    slug: str
    name: str
    amount: Change


async def show_usage(visit: Visit) -> Response:
    """The page."""
    take_query(visit)

    def work(reader: Reader) -> Response:
        asked = read_asked(visit, reader, USUAL)
        shown = _shown(visit, asked)
        usage = _read(visit, reader, asked, shown)
        chart = usage_chart(
            visit, usage.report, shown.unit, hours=usage.hours, comparison=usage.comparison
        )
        return visit.page(
            "workspace/usage.html",
            asked=asked,
            shown=shown,
            usage=usage,
            chart=chart,
            chart_data=chart.data(visit),
            refused=read_refused_calls(reader, visit.profile_id, asked.days, asked.filters.key_ids),
            changed=_changed(visit, usage, shown.unit),
            is_unfinished=asked.days.end_day > visit.today,
            can_be_hourly=asked.days.length <= HOURLY_DAYS_MAX,
            keys=key_choices(visit, asked.keys),
            log_types=log_type_choices(visit),
            has_parquet=is_available(),
        )

    return await visit.read(work)


async def download_usage(visit: Visit) -> Response:
    """The same report as a file: `?format=csv` or `parquet`."""
    take_query(visit)
    chosen = file_format(visit)

    def work(reader: Reader) -> tuple[Asked, Table]:
        asked = read_asked(visit, reader, USUAL)
        of = (reader, visit.desk.directory, visit.profile_id, asked.days, asked.filters)
        if _shown(visit, asked).is_hourly:
            return asked, hourly_table(usage_hourly(*of), visit.text("Not mapped"))
        return asked, daily_table(usage_daily(*of), visit.text("Not mapped"))

    asked, table = await visit.read(work)
    return download(table, chosen, f"usage-{asked.days.start_date}-{asked.days.end_date}")


def _shown(visit: Visit, asked: Asked) -> Shown:
    by = visit.query("by") or ("hour" if asked.days.length == 1 else "day")
    return Shown(
        "requests" if visit.query("unit") == "requests" else "credits",
        by == "hour" and asked.days.length <= HOURLY_DAYS_MAX,
        visit.query("compare") != "off",
    )


def _read(visit: Visit, reader: Reader, asked: Asked, shown: Shown) -> Usage:
    """The report and the one before it."""
    before = DateRange(*range_before(*asked.days))
    if shown.is_hourly:
        now = _hourly(visit, reader, asked, asked.days)
        if not shown.is_compared:
            return Usage(now.report, now.hours, None, None, None)
        earlier = _hourly(visit, reader, asked, before)
        compared = compare_hours(now.report, now.hours, earlier.report, earlier.hours)
        return Usage(now.report, now.hours, before, compared, earlier.report)
    report = _daily(visit, reader, asked, asked.days)
    if not shown.is_compared:
        return Usage(report, [], None, None, None)
    earlier_days = _daily(visit, reader, asked, before)
    return Usage(report, [], before, compare_days(report, earlier_days), earlier_days)


def _changed(visit: Visit, usage: Usage, unit: Unit) -> list[Changed]:
    """The log types of both ranges, that which changed most first."""
    if usage.earlier is None:
        return []

    def amounts(report: Daily) -> dict[str, int]:
        return {one.slug: _amount(one, unit) for one in report.by_log_type}

    now, before = amounts(usage.report), amounts(usage.earlier)
    both = [*usage.earlier.by_log_type, *usage.report.by_log_type]
    names = {one.slug: log_type_name(visit, one) for one in both}
    found = [
        Changed(slug, name, change(now.get(slug, 0), before.get(slug, 0)))
        for slug, name in names.items()
        if now.get(slug) or before.get(slug)
    ]
    return sorted(found, key=lambda one: -abs(one.amount.now - one.amount.before))


def _amount(one: LogTypeSeries, unit: Unit) -> int:
    return one.totals.requests if unit == "requests" else one.totals.credits_micro


def _hourly(visit: Visit, reader: Reader, asked: Asked, days: DateRange) -> UsageHourly:
    return usage_hourly(reader, visit.desk.directory, visit.profile_id, days, asked.filters)


def _daily(visit: Visit, reader: Reader, asked: Asked, days: DateRange) -> Daily:
    return usage_daily(
        reader, visit.desk.directory, visit.profile_id, days, asked.filters, fill_gaps=True
    )
