"""The refusals of all workspaces in a range of days of UTC: by day and reason, by workspace."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_DAY
from farebox.core.refusal import NO_WORKSPACE
from farebox.service.date_range import DateRange
from farebox.service.reading import snapshot
from farebox.store.contract import Reader

WORKSPACES_MAX = 20
_QUARTERS_PER_DAY = MS_PER_DAY // QUARTER_MS


class RefusalsOfDay(NamedTuple):
    """The refusals of a day, counted from 1970-01-01, for a reason."""

    day: int
    denied_by: str
    refusals: int
    shadow_refusals: int


class RefusalsOfReason(NamedTuple):
    """The refusals of the whole range for a reason."""

    denied_by: str
    refusals: int
    shadow_refusals: int


class RefusalsOfWorkspace(NamedTuple):
    """The refusals of a workspace; None is nobody's, such as those of unknown keys."""

    profile_id: int | None
    name: str
    refusals: int
    shadow_refusals: int


class RefusalSums(NamedTuple):
    """All of them. Reasons and workspaces are listed the most frequent first."""

    days: list[RefusalsOfDay]
    reasons: list[RefusalsOfReason]
    workspaces: list[RefusalsOfWorkspace]

    @property
    def refusals(self) -> int:
        """How many calls were refused."""
        return sum(reason.refusals for reason in self.reasons)

    @property
    def shadow_refusals(self) -> int:
        """How many would have been refused by plans in shadow mode."""
        return sum(reason.shadow_refusals for reason in self.reasons)


def read_refusal_totals(reader: Reader, days: DateRange) -> RefusalSums:
    """How many calls were refused in some days of UTC."""
    bounds = {
        "first_quarter": days.first_day * _QUARTERS_PER_DAY,
        "end_quarter": days.end_day * _QUARTERS_PER_DAY,
    }
    with snapshot(reader):
        by_day = reader.rows("refusals_of_all", RefusalsOfDay, **bounds)
        by_workspace = reader.rows(
            "refusals_of_workspaces", RefusalsOfWorkspace, count=WORKSPACES_MAX, **bounds
        )
    return RefusalSums(by_day, _reasons(by_day), [_or_nobody(row) for row in by_workspace])


def read_refusals_lately(reader: Reader, now_ms: int) -> RefusalSums:
    """The same of the last 24 hours, to the quarter hour."""
    end_quarter = now_ms // QUARTER_MS + 1
    bounds = {"first_quarter": end_quarter - 1 - _QUARTERS_PER_DAY, "end_quarter": end_quarter}
    by_day = reader.rows("refusals_of_all", RefusalsOfDay, **bounds)
    return RefusalSums(by_day, _reasons(by_day), [])


def _reasons(rows: list[RefusalsOfDay]) -> list[RefusalsOfReason]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row.denied_by][0] += row.refusals
        sums[row.denied_by][1] += row.shadow_refusals
    reasons = [RefusalsOfReason(denied_by, *counted) for denied_by, counted in sums.items()]
    return sorted(reasons, key=lambda r: (-r.refusals - r.shadow_refusals, r.denied_by))


def _or_nobody(row: RefusalsOfWorkspace) -> RefusalsOfWorkspace:
    return row._replace(profile_id=None) if row.profile_id == NO_WORKSPACE else row
