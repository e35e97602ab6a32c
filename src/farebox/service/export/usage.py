"""The usage reports as tables, each with the API's own numbers.

By day and by hour: a row for each log type and day or hour with traffic, ascending, log types in
the report's order. The breakdown: its two lists, as they are. `not_mapped` names what is mapped to
no log type, in the words of whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from zoneinfo import ZoneInfo

from farebox.core.breakdown import Breakdown
from farebox.core.daily import Daily
from farebox.core.instant import to_local_stamp
from farebox.core.request import UNKNOWN_SLUG
from farebox.service.export.table import Column, Table
from farebox.service.usage_hourly import UsageHourly

_MEASURES = (Column("requests", "integer"), Column("credits", "credits"))
_LOG_TYPE = (Column("log_type_slug", "text"), Column("log_type_name", "text"))
_SHARES = (Column("percent_of_requests", "number"), Column("percent_of_credits", "number"))


def daily_table(report: Daily, not_mapped: str) -> Table:
    """`date`, log type, requests and credits."""
    columns = (Column("date", "date"), *_LOG_TYPE, *_MEASURES)
    return Table(columns, ((row[0], *row[2:]) for row in _points(report, not_mapped)))


def hourly_table(hourly: UsageHourly, not_mapped: str) -> Table:
    """As the daily table, with the `hour`: its start on the local clock, and the offset."""
    columns = (Column("date", "date"), Column("hour", "text"), *_LOG_TYPE, *_MEASURES)
    dates = {hour.start: hour.date for hour in hourly.hours}
    # Hours of one offset ascend as texts; where clocks are put back they don't.
    places = {hour.start: place for place, hour in enumerate(hourly.hours)}
    points = _points(hourly.report, not_mapped)
    rows = sorted(points, key=lambda row: (places[row[0]], row[1]))
    return Table(columns, ((dates[row[0]], row[0], *row[2:]) for row in rows))


def key_table(report: Breakdown, zone: ZoneInfo) -> Table:
    """The breakdown by key; `last_used` is the API's stamp."""
    columns = (
        Column("key_id", "text"),
        Column("name", "text"),
        *_MEASURES,
        Column("last_used", "text"),
        *_SHARES,
    )
    rows = (
        (
            share.key_id,
            share.name,
            share.requests,
            share.credits_micro,
            None if share.last_used_ms is None else to_local_stamp(share.last_used_ms, zone),
            share.percent_of_requests,
            share.percent_of_credits,
        )
        for share in report.by_key
    )
    return Table(columns, rows)


def endpoint_table(report: Breakdown, not_mapped: str) -> Table:
    """The breakdown by endpoint; the unmapped has no slug."""
    columns = (*_LOG_TYPE, *_MEASURES, Column("cost_per_call", "number"), *_SHARES)
    rows = (
        (
            share.slug,
            not_mapped if share.slug is None else share.name,
            share.requests,
            share.credits_micro,
            share.cost_per_call,
            share.percent_of_requests,
            share.percent_of_credits,
        )
        for share in report.by_endpoint
    )
    return Table(columns, rows)


_Point = tuple[str, int, str, str, int, int]  # date, place of the log type, …


def _points(report: Daily, not_mapped: str) -> Iterator[_Point]:
    """The points with traffic of all log types, by date and place of the log type."""
    series = (_of_one(report, place, not_mapped) for place in range(len(report.by_log_type)))
    return merge(*series)


def _of_one(report: Daily, place: int, not_mapped: str) -> Iterator[_Point]:
    entry = report.by_log_type[place]
    name = not_mapped if entry.slug == UNKNOWN_SLUG else entry.name
    return (
        (point.date, place, entry.slug, name, point.requests, point.credits_micro)
        for point in entry.series
        if point.requests
    )
