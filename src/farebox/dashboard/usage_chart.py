"""The usage chart: a report by log type as stacked bars.

Numbers are there to be drawn; what is shown of them are texts in the reader's language, the same
as in the table beside the chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from farebox.core.calendar import parse_day
from farebox.core.credits import to_number
from farebox.core.daily import Daily, DayPoint, LogTypeSeries
from farebox.core.report import Number
from farebox.core.request import UNKNOWN_SLUG
from farebox.dashboard.visit import Visit

Unit = Literal["credits", "requests"]
# As many as there are colours that can be told apart, less one for all others.
SERIES_MAX = 7


def amount(point: DayPoint, unit: Unit) -> Number:
    """What a bar shows."""
    return point.requests if unit == "requests" else to_number(point.credits_micro)


def log_type_name(visit: Visit, series: LogTypeSeries) -> str:
    """What a log type is called; names aren't translated, but that of what is none."""
    return visit.text("Not mapped") if series.slug == UNKNOWN_SLUG else series.name


def usage_chart(visit: Visit, report: Daily, unit: Unit) -> dict[str, object]:
    """The chart of a daily report whose gaps are filled."""
    largest = sorted(report.by_log_type, key=lambda s: -_total(s, unit))
    shown, others = largest[:SERIES_MAX], largest[SERIES_MAX:]
    series = [_series(visit, log_type_name(visit, s), _values(s.series, unit)) for s in shown]
    if others:
        columns = zip(*(_values(s.series, unit) for s in others), strict=True)
        series.append(_series(visit, visit.text("Others"), [sum(c) for c in columns]))
    days = [parse_day(point.date) for point in report.series]
    return {
        "labels": [visit.formats.day_text(day, "MMMd") for day in days],
        "titles": [visit.formats.day_text(day, "full") for day in days],
        "series": series,
        "totals": _texts(visit, _values(report.series, unit)),
        "previous": None,
        "texts": {"total": visit.text("Total"), "empty": visit.text("No requests in this range")},
    }


def _total(series: LogTypeSeries, unit: Unit) -> int:
    return series.totals.requests if unit == "requests" else series.totals.credits_micro


def _values(points: Iterable[DayPoint], unit: Unit) -> list[Number]:
    return [amount(point, unit) for point in points]


def _texts(visit: Visit, values: Sequence[Number]) -> list[str]:
    return [visit.formats.number_text(value) for value in values]


def _series(visit: Visit, name: str, values: Sequence[Number]) -> dict[str, object]:
    return {"name": name, "values": values, "texts": _texts(visit, values)}
