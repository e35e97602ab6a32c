"""The comparison of a range with the one before it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import zone_of
from farebox.core.comparison import (
    Change,
    change,
    compare_days,
    compare_hours,
    range_before,
)
from farebox.core.daily import Daily, DayRow, daily
from farebox.core.hourly import Hour, QuarterRow, hourly, hours_of
from farebox.core.report import LogTypeName
from tests.core.test_hourly import day

NAMES = {1: LogTypeName("people", "People")}


def report(rows: list[DayRow], first: int, end: int) -> Daily:
    return daily(rows, NAMES, filled=range(first, end))


def test_the_range_before_is_as_long_and_ends_where_this_begins() -> None:
    assert range_before(10, 17) == (3, 10)
    assert range_before(10, 11) == (9, 10)


def test_days_stand_beside_the_days_at_the_same_place() -> None:
    found = compare_days(report([(10, 1, 3, 30)], 10, 12), report([(9, 1, 2, 60)], 8, 10))
    assert [(p.date, p.requests) for p in found.points if p] == [
        ("1970-01-09", 0),
        ("1970-01-10", 2),
    ]
    assert found.credits_micro == Change(30, 60, -50)
    assert found.requests == Change(3, 2, 50)


@pytest.mark.parametrize(
    ("now", "before", "percent"),
    [
        (0, 0, 0),
        (5, 0, None),
        (0, 5, -100),
        (7, 7, 0),
        (2, 3, Decimal("-33.33")),
        (5, 3, Decimal("66.66")),
        (10**9 + 1, 10**9, 0),
        (10**9 - 1, 10**9, 0),
    ],
)
def test_the_change_is_cut_toward_zero(now: int, before: int, percent: object) -> None:
    found = change(now, before)
    assert found == Change(now, before, percent)  # type: ignore[arg-type]
    assert str(found.in_percent) == str(percent)


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_the_change_is_never_told_larger_than_it_is(now: int, before: int) -> None:
    found = change(now, before).in_percent
    assert found is not None
    exact = abs(now - before) * 10_000
    told = abs(int(found * 100))
    assert told * before <= exact < (told + 1) * before


def hours(text: str, length: int = 1) -> list[Hour]:
    return hours_of(day(text), day(text) + length, zone_of("Europe/Berlin"))


def counted(found: list[Hour]) -> Daily:
    """As many requests in each hour as its place, from 1."""
    rows: list[QuarterRow] = [(h.first_quarter, 1, n, 0) for n, h in enumerate(found, 1)]
    return hourly(rows, found, NAMES)


def beside(text: str, before: str) -> dict[str, str | None]:
    own, other = hours(text), hours(before)
    compared = compare_hours(counted(own), own, counted(other), other)
    assert len(compared.points) == len(own)
    assert compared.requests.before == sum(range(1, len(other) + 1))
    return {
        hour.start: None if point is None else point.date
        for hour, point in zip(own, compared.points, strict=True)
    }


def test_hours_stand_beside_the_same_time_of_the_local_clock() -> None:
    # The clocks were put forward: there is no 2 o'clock.
    found = beside("2026-03-30", "2026-03-29")
    assert found["2026-03-30T01:00+02:00"] == "2026-03-29T01:00+01:00"
    assert found["2026-03-30T02:00+02:00"] is None
    assert found["2026-03-30T03:00+02:00"] == "2026-03-29T03:00+02:00"
    # They were put back: 2 o'clock comes twice, and stands alone the second time.
    found = beside("2026-10-25", "2026-10-24")
    assert found["2026-10-25T02:00+02:00"] == "2026-10-24T02:00+02:00"
    assert found["2026-10-25T02:00+01:00"] is None
    assert found["2026-10-25T23:00+01:00"] == "2026-10-24T23:00+02:00"


def test_hours_of_some_days_stand_beside_the_day_at_the_same_place() -> None:
    own, other = hours("2026-05-05", 2), hours("2026-05-03", 2)
    compared = compare_hours(counted(own), own, counted(other), other)
    assert [point and point.requests for point in compared.points] == list(range(1, 49))
    assert compared.requests.in_percent == 0
