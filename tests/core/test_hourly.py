"""The hourly report: its hours are those of the calendar, and add up to the days."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import (
    EPOCH_ORDINAL,
    QUARTER_MS,
    day_of_quarter,
    day_quarters,
    format_day,
    natural_window,
    zone_of,
)
from farebox.core.daily import DayPoint, daily
from farebox.core.hourly import Hour, hourly, hours_of
from farebox.core.report import LogTypeName, Totals
from tests.core.strategies import moments, quick, thorough

NAMES = {1: LogTypeName("people", "People"), 2: LogTypeName("company", "Company")}


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL


def starts(text: str, timezone: str) -> list[str]:
    return [hour.start for hour in hours_of(day(text), day(text) + 1, zone_of(timezone))]


@pytest.mark.parametrize(
    ("date", "timezone", "count", "among"),
    [
        ("2026-05-05", "Europe/Berlin", 24, ["2026-05-05T00:00+02:00", "2026-05-05T23:00+02:00"]),
        ("2026-03-29", "Europe/Berlin", 23, ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"]),
        ("2026-10-25", "Europe/Berlin", 25, ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]),
        ("2026-05-05", "Asia/Kathmandu", 24, ["2026-05-05T00:00+05:45"]),
        # Back by half an hour: from 1:30 to 2 comes twice, by the second offset as an hour.
        ("2026-04-05", "Australia/Lord_Howe", 25, ["2026-04-05T01:30+10:30"]),
        ("2026-10-04", "Australia/Lord_Howe", 24, ["2026-10-04T02:30+11:00"]),
        # Its midnight doesn't exist.
        ("2026-09-06", "America/Santiago", 23, ["2026-09-06T01:00-03:00"]),
    ],
)
def test_a_day_has_the_hours_of_its_clock(
    date: str, timezone: str, count: int, among: list[str]
) -> None:
    found = starts(date, timezone)
    assert len(found) == count
    assert set(among) <= set(found)


@given(moments(), st.integers(1, 3))
@thorough
def test_hours_are_the_calendars_windows_without_gap_or_overlap(
    moment: tuple[str, int], length: int
) -> None:
    zone = zone_of(moment[0])
    first = day_of_quarter(moment[1] // QUARTER_MS, zone)
    hours = hours_of(first, first + length, zone)
    ends = [hour.end_quarter for hour in hours]
    assert [hours[0].first_quarter, *ends[:-1]] == [hour.first_quarter for hour in hours]
    assert (hours[0].first_quarter, ends[-1]) == day_quarters(first, first + length, zone)
    assert len({hour.start for hour in hours}) == len(hours)
    for hour in hours:
        start_ms = hour.first_quarter * QUARTER_MS
        window = natural_window("hour", start_ms, zone)
        assert (window.start_ms, window.end_ms) == (start_ms, hour.end_quarter * QUARTER_MS)
        assert datetime.fromisoformat(hour.start).timestamp() * 1000 == start_ms
        days = {day_of_quarter(q, zone) for q in range(hour.first_quarter, hour.end_quarter)}
        assert [format_day(found) for found in days] == [hour.date]


@given(moments(), st.data())
@quick
def test_the_hours_of_a_day_add_up_to_the_daily_report(
    moment: tuple[str, int], data: st.DataObject
) -> None:
    zone = ZoneInfo(moment[0])
    first = day_of_quarter(moment[1] // QUARTER_MS, zone)
    hours = hours_of(first, first + 2, zone)
    quarters = st.integers(hours[0].first_quarter, hours[-1].end_quarter - 1)
    row = st.tuples(quarters, st.sampled_from((0, 1, 2, 99)), st.integers(1, 3), st.integers(0, 5))
    rows = data.draw(st.lists(row, max_size=20))
    by_hour = hourly(rows, hours, NAMES)
    by_day = daily(
        [(day_of_quarter(row[0], zone), row[1], row[2], row[3]) for row in rows],
        NAMES,
        filled=range(first, first + 2),
    )
    assert by_hour.totals == by_day.totals
    assert summed(by_hour.series, hours) == by_day.series
    for own, other in zip(by_hour.by_log_type, by_day.by_log_type, strict=True):
        assert (own.slug, own.name, own.totals) == (other.slug, other.name, other.totals)
        assert summed(own.series, hours) == other.series


def summed(points: list[DayPoint], hours: list[Hour]) -> list[DayPoint]:
    """The points of hours by their dates."""
    dates = list(dict.fromkeys(hour.date for hour in hours))
    assert [point.date for point in points] == [hour.start for hour in hours]
    found = []
    for text in dates:
        own = [p for p, hour in zip(points, hours, strict=True) if hour.date == text]
        found.append(
            DayPoint(text, sum(p.credits_micro for p in own), sum(p.requests for p in own))
        )
    return found


def test_an_hour_without_traffic_is_shown_with_zeros() -> None:
    hours = hours_of(day("2026-05-05"), day("2026-05-06"), zone_of("UTC"))
    report = hourly([(hours[3].first_quarter + 1, 1, 2, 7)], hours, NAMES)
    assert len(report.series) == 24
    assert report.series[2] == DayPoint("2026-05-05T02:00+00:00", 0, 0)
    assert report.series[3] == DayPoint("2026-05-05T03:00+00:00", 7, 2)
    assert report.totals == Totals(7, 2)
