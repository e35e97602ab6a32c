"""The daily report: a series of days, the same by log type, and the totals (seed: usage_daily).

Owns its order: days ascend, log types go by credits, then requests, descending, then slug. A day
without traffic is absent, unless it is to be filled with zeros.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from farebox.core.calendar import format_day
from farebox.core.report import UNKNOWN, Named, Totals
from farebox.core.request import UNMAPPED

DayRow = tuple[int, int, int, int]  # day, log_type_id, requests, credits_micro
DaySums = dict[int, tuple[int, int]]  # by day: credits_micro, requests

_NOTHING = (0, 0)


class DayPoint(NamedTuple):
    """A day of a series; `date` is `YYYY-MM-DD`."""

    date: str
    credits_micro: int
    requests: int


class LogTypeSeries(NamedTuple):
    """The days of one log type; the unmapped one has the slug `__unknown__`."""

    slug: str
    name: str
    totals: Totals
    series: list[DayPoint]


class Daily(NamedTuple):
    """The report."""

    series: list[DayPoint]
    by_log_type: list[LogTypeSeries]
    totals: Totals


def daily(
    rows: Iterable[DayRow],
    names: Mapping[int, Named],
    *,
    filled: Sequence[int] = (),
    text_of: Callable[[int], str] = format_day,
) -> Daily:
    """Shape the sums of days.

    Args:
        rows: sums in any order; a day and log type may come in several parts.
        names: the log types by id; one that isn't there is reported as unmapped.
        filled: the days that every series shows even without traffic.
        text_of: how a point tells its day; days may be other spans that ascend, such as hours.
    """
    by_id = _by_log_type(rows, names)
    all_days = _added(by_id.values())
    dates = {day: text_of(day) for day in sorted({*all_days, *filled})}
    by_log_type = [
        _log_type_series(names.get(log_type_id, UNKNOWN), sums, _dates(sums, dates, filled))
        for log_type_id, sums in by_id.items()
    ]
    by_log_type.sort(key=_order)
    return Daily(_series(all_days, dates), by_log_type, _totals(all_days))


def _by_log_type(rows: Iterable[DayRow], names: Mapping[int, Named]) -> dict[int, DaySums]:
    """Day sums by log type id. Plain tuples inside: a year has thousands of rows."""
    by_id: defaultdict[int, DaySums] = defaultdict(dict)
    for day, log_type_id, requests, credits_micro in rows:
        sums = by_id[log_type_id]
        if day in sums:
            credits_before, requests_before = sums[day]
            sums[day] = (credits_before + credits_micro, requests_before + requests)
        else:
            sums[day] = (credits_micro, requests)
    unnamed = [log_type_id for log_type_id in by_id if log_type_id not in names]
    if unnamed:
        by_id[UNMAPPED] = _added([by_id.pop(log_type_id) for log_type_id in unnamed])
    return by_id


def _added(parts: Iterable[DaySums]) -> DaySums:
    """The sum of some day sums."""
    total: DaySums = {}
    for sums in parts:
        for day, (credits_micro, requests) in sums.items():
            if day in total:
                credits_before, requests_before = total[day]
                total[day] = (credits_before + credits_micro, requests_before + requests)
            else:
                total[day] = (credits_micro, requests)
    return total


def _dates(sums: DaySums, dates: Mapping[int, str], filled: Sequence[int]) -> Mapping[int, str]:
    """The days that the series of a log type shows, ascending, with their texts."""
    shown = {*sums, *filled}
    return dates if len(shown) == len(dates) else {day: dates[day] for day in sorted(shown)}


def _series(sums: DaySums, dates: Mapping[int, str]) -> list[DayPoint]:
    shown = [sums.get(day, _NOTHING) for day in dates]
    return [
        DayPoint(text, credits_micro, requests)
        for text, (credits_micro, requests) in zip(dates.values(), shown, strict=True)
    ]


def _log_type_series(named: Named, sums: DaySums, dates: Mapping[int, str]) -> LogTypeSeries:
    return LogTypeSeries(named.slug, named.name, _totals(sums), _series(sums, dates))


def _totals(sums: DaySums) -> Totals:
    if not sums:
        return Totals(0, 0)
    credits_micro, requests = zip(*sums.values(), strict=True)
    return Totals(sum(credits_micro), sum(requests))


def _order(entry: LogTypeSeries) -> tuple[int, int, str]:
    return (-entry.totals.credits_micro, -entry.totals.requests, entry.slug)
