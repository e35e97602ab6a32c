"""The refusals of a workspace in a range of its days: by day, by reason, by key and reason.

The operator is told of all of them. A workspace is told what was refused, and not what its plan in
shadow mode let through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from farebox.core.calendar import (
    EPOCH_ORDINAL,
    QUARTER_MS,
    day_of_quarter,
    day_quarters,
    format_day,
)
from farebox.core.instant import to_iso_ms
from farebox.core.refusal import NO_KEY
from farebox.engine.report_zone import ReportZone, report_zone
from farebox.service.date_range import DAYS_MAX, DateRange, date_range, day_of
from farebox.service.forms.refusal import (
    RefusalCounts,
    RefusalDay,
    RefusalKey,
    RefusalReason,
    RefusalTotals,
)
from farebox.service.reading import json_list, rows_of, snapshot
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

KEYS_MAX = 1_000
DAYS_DEFAULT = 30
FIRST_DAY = 1 - EPOCH_ORDINAL


class _DayRow(NamedTuple):
    day: int
    denied_by: str
    refusals: int
    shadow_refusals: int


class _KeyRow(NamedTuple):
    key_id: str
    masked_authentication: str | None
    denied_by: str
    refusals: int
    shadow_refusals: int
    last_ms: int


class RefusedCalls(NamedTuple):
    """The refused calls of some days: by day, the oldest first, and by reason, the most first.

    Days without are absent.
    """

    days: list[RefusalDay]
    reasons: list[RefusalReason]

    @property
    def refusals(self) -> int:
        """How many calls were refused."""
        return sum(day.refusals for day in self.days)


_day_rows = msgspec.json.Decoder(list[_DayRow])
_key_rows = msgspec.json.Decoder(list[_KeyRow])


def read_refusal_counts(
    reader: Reader, profile_id: int, start_date: str | None, end_date: str | None, now_ms: int
) -> RefusalCounts:
    """How many calls were refused, from a date to another, both of them included.

    Without an end it is today, without a start it is 30 days in all.

    Raises:
        FareboxError: 404, there is no such workspace; 400 as `date_range`.
    """
    with snapshot(reader):
        workspace_row(reader, profile_id)
        at = report_zone(reader, profile_id)
        days = _range(at, start_date, end_date, now_ms)
        by_day = _by_day(reader, profile_id, days, at)
        by_key = _by_key(reader, profile_id, days, at)
    return RefusalCounts(
        profile_id=profile_id,
        start_date=format_day(days.first_day),
        end_date=format_day(days.end_day - 1),
        timezone=at.zone.key,
        totals=RefusalTotals(
            sum(row.refusals for row in by_day), sum(row.shadow_refusals for row in by_day)
        ),
        days=_days(by_day),
        reasons=_reasons(by_day),
        keys=[_key(row) for row in by_key[:KEYS_MAX]],
        is_cut=len(by_key) > KEYS_MAX,
    )


def read_refused_calls(
    reader: Reader, profile_id: int, days: DateRange, key_ids: Collection[str] | None = None
) -> RefusedCalls:
    """How many calls of a workspace were refused, as it is told itself; None is calls of all keys.

    Log types are no filter: refusals aren't counted by them.
    """
    with snapshot(reader):
        at = report_zone(reader, profile_id)
        rows = _by_day(reader, profile_id, days, at, key_ids)
    told = [row._replace(shadow_refusals=0) for row in rows if row.refusals]
    return RefusedCalls(_days(told), _reasons(told))


def _range(at: ReportZone, start_date: str | None, end_date: str | None, now_ms: int) -> DateRange:
    if end_date is None:
        end_date = format_day(day_of_quarter(now_ms // QUARTER_MS, at.zone))
    if start_date is not None:
        return date_range(start_date, end_date)
    end_day = day_of("end_date", end_date) + 1
    return DateRange(max(FIRST_DAY, end_day - DAYS_DEFAULT), end_day)


def _by_day(
    reader: Reader,
    profile_id: int,
    days: DateRange,
    at: ReportZone,
    key_ids: Collection[str] | None = None,
) -> list[_DayRow]:
    bounds = [(day, *day_quarters(day, day + 1, at.zone)) for day in range(*days)]
    assert len(bounds) <= DAYS_MAX
    text = reader.value(
        "refusals_by_day",
        profile_id=profile_id,
        days=msgspec.json.encode(bounds).decode(),
        key_ids=json_list(key_ids),
    )
    return rows_of(text, _day_rows)


def _by_key(reader: Reader, profile_id: int, days: DateRange, at: ReportZone) -> list[_KeyRow]:
    first_quarter, end_quarter = day_quarters(*days, at.zone)
    text = reader.value(
        "refusals_by_key",
        profile_id=profile_id,
        first_quarter=first_quarter,
        end_quarter=end_quarter,
        count=KEYS_MAX + 1,
    )
    rows = rows_of(text, _key_rows)
    # A join promises no order.
    return sorted(rows, key=lambda row: (*_rank(row), row.key_id, row.denied_by))


def _days(rows: list[_DayRow]) -> list[RefusalDay]:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        _add(sums[row.day], row)
    return [RefusalDay(format_day(day), *sums[day]) for day in sorted(sums)]


def _reasons(rows: list[_DayRow]) -> list[RefusalReason]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        _add(sums[row.denied_by], row)
    reasons = [RefusalReason(denied_by, *counted) for denied_by, counted in sums.items()]
    return sorted(reasons, key=lambda reason: (*_rank(reason), reason.denied_by))


def _add(counted: list[int], row: _DayRow) -> None:
    counted[0] += row.refusals
    counted[1] += row.shadow_refusals


def _rank(counted: _KeyRow | RefusalReason) -> tuple[int]:
    """The most frequent first, as the query has it."""
    return (-counted.refusals - counted.shadow_refusals,)


def _key(row: _KeyRow) -> RefusalKey:
    return RefusalKey(
        key_id=None if row.key_id == NO_KEY else row.key_id,
        masked_authentication=row.masked_authentication,
        denied_by=row.denied_by,
        refusals=row.refusals,
        shadow_refusals=row.shadow_refusals,
        last_at=to_iso_ms(row.last_ms),
    )
