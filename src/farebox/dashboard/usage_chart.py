"""The usage chart: a report by log type as stacked bars, and its twin, the table.

Numbers are there to be drawn; what is shown of them are texts in the reader's language, and chart
and table have the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from farebox.core.calendar import QUARTER_MS, parse_day
from farebox.core.comparison import Comparison
from farebox.core.credits import to_number
from farebox.core.daily import Daily, DayPoint, LogTypeSeries
from farebox.core.hourly import Hour
from farebox.core.report import Number
from farebox.core.request import UNKNOWN_SLUG
from farebox.dashboard.visit import Visit

Unit = Literal["credits", "requests"]
# As many as there are colours that can be told apart, less one for all others.
SERIES_MAX = 7
NOTHING = "–"
_LOCAL_HOUR = slice(11, 16)


class Line(NamedTuple):
    """Numbers along the axis; None where there is nothing to compare with."""

    name: str
    values: list[Number | None]
    texts: list[str]
    total: Number


class Place(NamedTuple):
    """A day or an hour on the axis: `at` is which, `date` its day."""

    label: str
    title: str
    date: str
    at: str


class UsageChart(NamedTuple):
    """What chart and table show."""

    places: list[Place]
    series: list[Line]
    total: Line
    previous: Line | None
    previous_titles: list[str]

    def data(self, visit: Visit) -> dict[str, object]:
        """The chart's JSON."""
        previous = self.previous
        return {
            "labels": [place.label for place in self.places],
            "titles": [place.title for place in self.places],
            "series": [
                {"name": one.name, "values": one.values, "texts": one.texts} for one in self.series
            ],
            "totals": self.total.texts,
            "previous": previous
            and {
                "name": previous.name,
                "values": previous.values,
                "texts": previous.texts,
                "titles": self.previous_titles,
            },
            "texts": {
                "total": visit.text("Total"),
                "empty": visit.text("No requests in this range"),
            },
        }


def log_type_name(visit: Visit, series: LogTypeSeries) -> str:
    """What a log type is called; names aren't translated, but that of what is none."""
    return visit.text("Not mapped") if series.slug == UNKNOWN_SLUG else series.name


def usage_chart(
    visit: Visit,
    report: Daily,
    unit: Unit,
    *,
    hours: Sequence[Hour] = (),
    comparison: Comparison | None = None,
) -> UsageChart:
    """The chart of a report whose gaps are filled: by day, or by the hours that are given."""
    largest = sorted(report.by_log_type, key=lambda one: -_total(one, unit))
    shown, others = largest[:SERIES_MAX], largest[SERIES_MAX:]
    series = [
        _line(visit, log_type_name(visit, one), _values(one.series, unit), unit) for one in shown
    ]
    if others:
        columns = zip(*(_values(one.series, unit) for one in others), strict=True)
        series.append(_line(visit, visit.text("Others"), [sum(c) for c in columns], unit))
    total = _line(visit, visit.text("Total"), _values(report.series, unit), unit)
    previous, titles = None, []
    if comparison is not None:
        name = visit.text("Previous range")
        amounts = [None if p is None else _amount(p, unit) for p in comparison.points]
        previous = _line(visit, name, amounts, unit)
        titles = [name if p is None else _title(visit, p.date) for p in comparison.points]
    places = [_hour(visit, hour) for hour in hours] or [_day(visit, p.date) for p in report.series]
    return UsageChart(places, series, total, previous, titles)


def _day(visit: Visit, date: str) -> Place:
    return Place(visit.formats.day_text(parse_day(date), "MMMd"), _title(visit, date), date, date)


def _hour(visit: Visit, hour: Hour) -> Place:
    """The first hour of a day is labelled with the day."""
    is_first = hour.start[_LOCAL_HOUR] == "00:00"
    clock = visit.formats.clock(hour.first_quarter * QUARTER_MS, visit.zone)
    day = visit.formats.day_text(parse_day(hour.date), "MMMd")
    return Place(day if is_first else clock, _title(visit, hour.start), hour.date, hour.start)


def _title(visit: Visit, date: str) -> str:
    """The whole day, or the hour with its offset, since one may come twice."""
    day = visit.formats.day_text(parse_day(date[:10]), "full")
    if len(date) == len("2026-05-01"):
        return day
    start = datetime.fromisoformat(date)
    clock = visit.formats.clock(int(start.timestamp()) * 1000, visit.zone)
    return f"{day} {clock} (UTC{date[16:]})"


def _amount(point: DayPoint, unit: Unit) -> int:
    """Requests or micro-credits."""
    return point.requests if unit == "requests" else point.credits_micro


def _total(series: LogTypeSeries, unit: Unit) -> int:
    return series.totals.requests if unit == "requests" else series.totals.credits_micro


def _values(points: Iterable[DayPoint], unit: Unit) -> list[int]:
    return [_amount(point, unit) for point in points]


def _line(visit: Visit, name: str, amounts: Sequence[int | None], unit: Unit) -> Line:
    """A line of requests or micro-credits, told as numbers."""

    def number(amount: int) -> Number:
        return amount if unit == "requests" else to_number(amount)

    values = [None if amount is None else number(amount) for amount in amounts]
    number_text = visit.formats.number_text
    texts = [NOTHING if value is None else number_text(value) for value in values]
    return Line(name, values, texts, number(sum(amount or 0 for amount in amounts)))
