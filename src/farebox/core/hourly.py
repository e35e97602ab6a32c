"""The hourly report: the daily one for a few days, cut by workspace hours.

An hour is a pair of UTC offset and local hour, so a day has 23 to 25 of them, and one may last 30
minutes where clocks are moved by half an hour. It is a run of quarter hours of one day; so the
hours of a day always add up to that day of the daily report. An hour without traffic is shown:
there are few, and a gap would hide how a day went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from farebox.core.calendar import QUARTER_SECONDS, day_of_quarter, day_quarters, format_day
from farebox.core.daily import Daily, DayRow, daily
from farebox.core.report import Named

HOURLY_DAYS_MAX = 3

QuarterRow = tuple[int, int, int, int]  # quarter, log_type_id, requests, credits_micro


class Hour(NamedTuple):
    """A run of quarters; `start` is `2026-10-25T02:00+02:00`, on the local clock."""

    date: str
    start: str
    first_quarter: int
    end_quarter: int


def hours_of(first_day: int, end_day: int, zone: ZoneInfo) -> list[Hour]:
    """The hours of some days, ascending, without a gap."""
    hours: list[Hour] = []
    last: tuple[object, ...] = ()
    for quarter in range(*day_quarters(first_day, end_day, zone)):
        local = datetime.fromtimestamp(quarter * QUARTER_SECONDS, zone)
        day = day_of_quarter(quarter, zone)
        this = (day, local.utcoffset(), local.date(), local.hour)
        if this == last:
            hours[-1] = hours[-1]._replace(end_quarter=quarter + 1)
        else:
            start = local.isoformat(timespec="minutes")
            hours.append(Hour(format_day(day), start, quarter, quarter + 1))
        last = this
    return hours


def hourly(rows: Iterable[QuarterRow], hours: Sequence[Hour], names: Mapping[int, Named]) -> Daily:
    """The report; the `date` of its points is the start of the hour.

    Args:
        rows: sums of quarters inside the hours, in any order and number of parts.
        hours: all hours of the range.
        names: the log types by id; one that isn't there is reported as unmapped.
    """
    place = {
        quarter: index
        for index, hour in enumerate(hours)
        for quarter in range(hour.first_quarter, hour.end_quarter)
    }
    placed: Iterable[DayRow] = (
        (place[quarter], log_type_id, requests, credits_micro)
        for quarter, log_type_id, requests, credits_micro in rows
    )
    return daily(placed, names, filled=range(len(hours)), text_of=lambda index: hours[index].start)
