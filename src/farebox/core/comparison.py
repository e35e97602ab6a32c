"""The comparison of a range with the one before it: as many days, lined up one by one.

Owns which point stands beside which. Days go by their place in the range. Hours go by their day's
place and the time on the local clock, so that noon stands beside noon on days of 23 and 25 hours,
too; an hour that the other day doesn't have, or has once only, stands alone. Totals are those of
the two reports: they count every hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farebox.core.daily import Daily, DayPoint
from farebox.core.hourly import Hour
from farebox.core.report import Number, percent

PLACES = 2
_LOCAL_HOUR = slice(11, 13)  # of 2026-10-25T02:00+02:00


class Change(NamedTuple):
    """The change from one total to another; `in_percent` is None when there was nothing before.

    It is cut after 2 places toward 0, as all percentages are.
    """

    now: int
    before: int
    in_percent: Number | None


class Comparison(NamedTuple):
    """`points` are the previous range's, one beside each point of this one, None where it lacks."""

    points: list[DayPoint | None]
    credits_micro: Change
    requests: Change


def range_before(first_day: int, end_day: int) -> tuple[int, int]:
    """The half-open range of as many days that ends where another begins."""
    return first_day - (end_day - first_day), first_day


def change(now: int, before: int) -> Change:
    """From `before` to `now`, neither below 0."""
    if before == 0:
        return Change(now, before, 0 if now == 0 else None)
    cut = percent(abs(now - before), before, PLACES)
    return Change(now, before, cut if now >= before else -cut)


def compare_days(current: Daily, previous: Daily) -> Comparison:
    """Two daily reports of as many days, both with their gaps filled."""
    assert len(current.series) == len(previous.series)
    return _comparison(current, previous, list(previous.series))


def compare_hours(
    current: Daily, hours: Sequence[Hour], previous: Daily, previous_hours: Sequence[Hour]
) -> Comparison:
    """Two hourly reports of as many days, with their hours."""
    found = dict(zip(_places(previous_hours), previous.series, strict=True))
    return _comparison(current, previous, [found.get(place) for place in _places(hours)])


def _places(hours: Sequence[Hour]) -> list[tuple[int, str, int]]:
    """Where each hour stands: its day in the range, its local hour, how often that was before."""
    days: dict[str, int] = {}
    seen: dict[tuple[int, str], int] = {}
    places = []
    for hour in hours:
        day = days.setdefault(hour.date, len(days))
        local = hour.start[_LOCAL_HOUR]
        again = seen.get((day, local), 0)
        seen[day, local] = again + 1
        places.append((day, local, again))
    return places


def _comparison(current: Daily, previous: Daily, points: Sequence[DayPoint | None]) -> Comparison:
    return Comparison(
        list(points),
        change(current.totals.credits_micro, previous.totals.credits_micro),
        change(current.totals.requests, previous.totals.requests),
    )
