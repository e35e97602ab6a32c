"""Rollups: sums of requests by quarter hour and by workspace day.

A usage is a commutative sum (requests, credits, latest instant), so order, batching and repetition
of events change nothing. `Tally` is what one batch adds to every rollup table, keyed as the tables
are. The tables: quarters are the base; days repeat them by log type and key; day_log_types and
day_keys are narrower projections, so that a year's report reads a few thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from farebox.core.calendar import QUARTER_MS
from farebox.core.request import MeteredRequest

QuarterKey = tuple[int, int, str, int, str]  # profile_id, quarter, key_id, log_type_id, channel
DayKey = tuple[int, int, int, int, str]  # profile_id, zone_version, day, log_type_id, key_id
DayLogTypeKey = tuple[int, int, int, int]  # profile_id, zone_version, day, log_type_id
DayKeyKey = tuple[int, int, int, str, str]  # profile_id, zone_version, day, key_id, channel

K = TypeVar("K")

# The days that a quarter of a workspace counts to: one, or two while days are being rebuilt.
DaysOf = Callable[[int, int], Iterable[tuple[int, int]]]


class Usage(NamedTuple):
    """Requests, what they cost, and the latest of their instants."""

    requests: int
    credits_micro: int
    last_ms: int

    def plus(self, other: Usage) -> Usage:
        """The sum of two usages."""
        return Usage(
            self.requests + other.requests,
            self.credits_micro + other.credits_micro,
            max(self.last_ms, other.last_ms),
        )


class Tally(NamedTuple):
    """What a batch adds to each rollup table."""

    quarters: dict[QuarterKey, Usage]
    days: dict[DayKey, Usage]
    day_log_types: dict[DayLogTypeKey, Usage]
    day_keys: dict[DayKeyKey, Usage]


def tally_quarters(rows: Iterable[MeteredRequest]) -> dict[QuarterKey, Usage]:
    """The quarter sums of some requests. Plain lists inside: this runs for every request."""
    sums: dict[QuarterKey, list[int]] = {}
    for row in rows:
        time_ms = row[4]
        key = (row[0], time_ms // QUARTER_MS, row[5], row[6], row[7])
        found = sums.get(key)
        if found is None:
            sums[key] = [1, row[8], time_ms]
        else:
            found[0] += 1
            found[1] += row[8]
            if time_ms > found[2]:  # noqa: PLR1730 - a call of max() for every request costs
                found[2] = time_ms
    return {key: Usage(*found) for key, found in sums.items()}


def tally_days(quarters: dict[QuarterKey, Usage], days_of: DaysOf) -> Tally:
    """All that follows from quarter sums; `days_of(profile_id, quarter)` gives (version, day)."""
    tally = Tally(quarters, {}, {}, {})
    for (profile_id, quarter, key_id, log_type_id, channel), usage in quarters.items():
        for version, day in days_of(profile_id, quarter):
            _add(tally.days, (profile_id, version, day, log_type_id, key_id), usage)
            _add(tally.day_log_types, (profile_id, version, day, log_type_id), usage)
            _add(tally.day_keys, (profile_id, version, day, key_id, channel), usage)
    return tally


def _add(sums: dict[K, Usage], key: K, usage: Usage) -> None:
    found = sums.get(key)
    sums[key] = usage if found is None else found.plus(usage)
