"""The daily report against sums made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.daily import Daily, DayPoint, DayRow, LogTypeSeries, daily
from farebox.core.report import LogTypeName, Totals
from tests.core.strategies import thorough

NAMES = {
    1: LogTypeName("people_redeem", "Redeem People"),
    2: LogTypeName("people_search", "People Search"),
    3: LogTypeName("company_search", "Company Search"),
}
FIRST_DAY = 20_500

# Small numbers, so that log types often tie.
rows = st.lists(
    st.tuples(
        st.integers(FIRST_DAY, FIRST_DAY + 5),
        st.sampled_from((0, 1, 2, 3, 99)),
        st.integers(1, 2),
        st.sampled_from((0, 1_000_000, 2_500_000)),
    ),
    max_size=12,
)


def text(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def summed(found: Iterable[DayRow]) -> Totals:
    kept = list(found)
    return Totals(sum(row[3] for row in kept), sum(row[2] for row in kept))


def series(found: Iterable[DayRow], filled: Iterable[int]) -> list[DayPoint]:
    kept = list(found)
    days = sorted({row[0] for row in kept} | set(filled))
    return [DayPoint(text(day), *summed(r for r in kept if r[0] == day)) for day in days]


def by_hand(found: list[DayRow], filled: Iterable[int] = ()) -> Daily:
    """The report as SPEC says it, with a pass over all rows for each number."""
    by_log_type = []
    for ids, slug, name in (
        ({0, 99}, "__unknown__", "Unknown"),
        *(({n}, named.slug, named.name) for n, named in NAMES.items()),
    ):
        own = [row for row in found if row[1] in ids]
        if own:
            by_log_type.append(LogTypeSeries(slug, name, summed(own), series(own, filled)))
    by_log_type.sort(key=lambda entry: entry.slug)
    by_log_type.sort(key=lambda entry: entry.totals.requests, reverse=True)
    by_log_type.sort(key=lambda entry: entry.totals.credits_micro, reverse=True)
    return Daily(series(found, filled), by_log_type, summed(found))


@given(rows)
@thorough
def test_the_report_is_what_summing_by_hand_finds(found: list[DayRow]) -> None:
    assert daily(found, NAMES) == by_hand(found)


@given(rows, st.integers(-1, 3), st.integers(0, 9))
@thorough
def test_filled_days_show_zeros_in_every_series(
    found: list[DayRow], before: int, length: int
) -> None:
    filled = range(FIRST_DAY - before, FIRST_DAY - before + length)
    assert daily(found, NAMES, filled=filled) == by_hand(found, filled)


@given(rows, st.data())
@thorough
def test_the_order_and_parts_of_the_sums_change_nothing(
    found: list[DayRow], data: st.DataObject
) -> None:
    parts = [
        part
        for day, log_type_id, requests, micro in found
        for part in ((day, log_type_id, requests, 0), (day, log_type_id, 0, micro))
    ]
    assert daily(data.draw(st.permutations(parts)), NAMES) == daily(found, NAMES)


@given(rows)
@thorough
def test_every_series_adds_up_to_its_totals(found: list[DayRow]) -> None:
    report = daily(found, NAMES)
    for points, totals in (
        (report.series, report.totals),
        *((entry.series, entry.totals) for entry in report.by_log_type),
    ):
        assert sum(point.credits_micro for point in points) == totals.credits_micro
        assert sum(point.requests for point in points) == totals.requests
    assert sum(entry.totals.requests for entry in report.by_log_type) == report.totals.requests


def test_nothing_found_is_empty_lists_and_zero_totals() -> None:
    assert daily([], NAMES) == Daily([], [], Totals(0, 0))
    filled = daily([], NAMES, filled=range(FIRST_DAY, FIRST_DAY + 2))
    assert filled.series == [DayPoint(text(FIRST_DAY), 0, 0), DayPoint(text(FIRST_DAY + 1), 0, 0)]
    assert filled.by_log_type == []


def test_ties_go_by_slug_with_the_unmapped_among_them() -> None:
    report = daily([(FIRST_DAY, n, 1, 0) for n in (2, 0, 1, 3)], NAMES)
    assert [entry.slug for entry in report.by_log_type] == [
        "__unknown__",
        "company_search",
        "people_redeem",
        "people_search",
    ]


def test_more_credits_come_before_more_requests() -> None:
    report = daily([(FIRST_DAY, 1, 9, 1), (FIRST_DAY, 2, 1, 2), (FIRST_DAY, 3, 10, 1)], NAMES)
    slugs = [entry.slug for entry in report.by_log_type]
    assert slugs == ["people_search", "company_search", "people_redeem"]
