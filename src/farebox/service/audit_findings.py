"""Findings: what an audit has found so far, and what it has compared.

Of each check the first differences are kept and the rest are counted. The store does the comparing
of what is large; its rows of differences (gaps) become `Difference`s here.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from farebox.core.calendar import LAST_DAY, QUARTER_MS, format_day
from farebox.core.instant import MS_PER_DAY, to_iso_seconds
from farebox.core.invariants import Difference, check_amounts, check_usage
from farebox.core.rollup import Usage

DIFFERENCES_SHOWN_MAX = 100
_PLACES = ("zone_version", "commit_id", "quarter", "day", "log_type_id", "key_id", "channel")
_NS_PER_MS = 1_000_000


class UsageGap(NamedTuple):
    """A place where two rollups differ, as the store finds it.

    What doesn't name the place is None, and so is `last_ms` of a side without a row. `gaps` counts
    all such rows, also beyond the limit.
    """

    zone_version: int | None
    quarter: int | None
    day: int | None
    log_type_id: int | None
    key_id: str | None
    channel: str | None
    requests: int
    credits_micro: int
    last_ms: int | None
    kept_requests: int
    kept_credits_micro: int
    kept_last_ms: int | None
    gaps: int


class AmountGap(NamedTuple):
    """A place where two sums of credits differ, as the store finds it."""

    commit_id: int | None
    quarter: int | None
    credits_micro: int
    kept_credits_micro: int
    gaps: int


class Audited(NamedTuple):
    """A workspace that some table names; the rest is None when there is no such workspace."""

    profile_id: int
    timezone: str | None
    zone_version: int | None


class CheckResult(NamedTuple):
    """One check: the rows it compared, the places that differ, and its time."""

    check: str
    rows: int
    differences: int
    took_ms: int


class Findings:
    """Collects; not to be shared between threads."""

    def __init__(self) -> None:
        self.requests = 0
        self.credits_micro = 0
        self._shown: dict[str, list[Difference]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._rows: dict[str, int] = {}
        self._took_ns: Counter[str] = Counter()

    @contextmanager
    def checking(self, check: str, rows: int = 0) -> Iterator[None]:
        """The time inside is the check's, and so are the rows."""
        self.compared(check, rows)
        began_ns = time.monotonic_ns()
        try:
            yield
        finally:
            self._took_ns[check] += time.monotonic_ns() - began_ns

    def compared(self, check: str, rows: int) -> None:
        """Count rows that a check compared."""
        self._rows[check] = self._rows.get(check, 0) + rows

    def room(self, check: str) -> int:
        """How many more differences are shown; at least 1, so that the store counts the rest."""
        return max(1, DIFFERENCES_SHOWN_MAX - len(self._shown[check]))

    def add(self, differences: Iterable[Difference]) -> None:
        """Keep differences, or count them."""
        for difference in differences:
            self._counts[difference.check] += 1
            shown = self._shown[difference.check]
            if len(shown) < DIFFERENCES_SHOWN_MAX:
                shown.append(difference)

    def add_others(
        self, check: str, profile_id: int | None, gaps: Sequence[tuple[str, str, str, int]]
    ) -> None:
        """Keep gaps of another form: where, what should be, what is, and how many in all."""
        self.add(Difference(check, profile_id, *gap[:3]) for gap in gaps)
        if gaps:
            self._counts[check] += gaps[0][3] - len(gaps)

    def add_usage_gaps(self, check: str, profile_id: int, gaps: Sequence[UsageGap]) -> None:
        """Keep gaps between two rollups."""
        expected: dict[str, Usage] = {}
        found: dict[str, Usage] = {}
        for gap in gaps:
            where = place(gap)
            if gap.last_ms is not None:
                expected[where] = Usage(gap.requests, gap.credits_micro, gap.last_ms)
            if gap.kept_last_ms is not None:
                found[where] = Usage(gap.kept_requests, gap.kept_credits_micro, gap.kept_last_ms)
        self.add(check_usage(check, profile_id, expected, found))
        self._count_rest(check, gaps)

    def add_amount_gaps(self, check: str, profile_id: int, gaps: Sequence[AmountGap]) -> None:
        """Keep gaps between two sums of credits."""
        expected = {place(gap): gap.credits_micro for gap in gaps}
        found = {place(gap): gap.kept_credits_micro for gap in gaps}
        self.add(check_amounts(check, profile_id, expected, found))
        self._count_rest(check, gaps)

    def differences(self) -> tuple[Difference, ...]:
        """All that are shown, by check."""
        return tuple(difference for shown in self._shown.values() for difference in shown)

    def checks(self) -> tuple[CheckResult, ...]:
        """All checks made, in the order in which they began."""
        return tuple(
            CheckResult(check, rows, self._counts[check], self._took_ns[check] // _NS_PER_MS)
            for check, rows in self._rows.items()
        )

    def _count_rest(self, check: str, gaps: Sequence[UsageGap | AmountGap]) -> None:
        if gaps:
            self._counts[check] += gaps[0].gaps - len(gaps)


def place(row: NamedTuple, *columns: str) -> str:
    """A row named by some of its columns."""
    values = ((name, getattr(row, name, None)) for name in columns or _PLACES)
    return ", ".join(
        f"{name} {value}{_readable(name, value)}" for name, value in values if value is not None
    )


def _readable(name: str, value: object) -> str:
    """A quarter or a day as people write it."""
    if not isinstance(value, int) or not 0 <= value <= LAST_DAY * (MS_PER_DAY // QUARTER_MS):
        return ""
    if name == "quarter":
        return f" ({to_iso_seconds(value * QUARTER_MS)})"
    if name == "day" and value <= LAST_DAY:
        return f" ({format_day(value)})"
    return ""
