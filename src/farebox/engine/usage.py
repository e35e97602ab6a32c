"""Usage of a window: what the rollups say of it, for limits and reports alike.

Whole days are read from day rollups, the ragged edges from quarter hours; so a month costs a few
rows, and a limit counts what the reports show.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.calendar import QUARTER_MS, Window, day_of_quarter, day_quarters
from farebox.engine.report_zone import ReportZone
from farebox.store.contract import Reader, SqlValue


class Counts(NamedTuple):
    """Requests of each channel, and the micro-credits of all of them."""

    api: int
    portal: int
    credits_micro: int

    def plus(self, other: Counts) -> Counts:
        """The sum of two counts."""
        return Counts(
            self.api + other.api,
            self.portal + other.portal,
            self.credits_micro + other.credits_micro,
        )


class Whose(NamedTuple):
    """Whose requests are counted; `key_ids` is a JSON list, None for the whole workspace."""

    profile_id: int
    key_ids: str | None


def count_window(reader: Reader, whose: Whose, zone: ReportZone, window: Window) -> Counts:
    """What was recorded of a window."""
    first, end = -(-window.start_ms // QUARTER_MS), -(-window.end_ms // QUARTER_MS)
    first_day = day_of_quarter(first, zone.zone)
    if day_quarters(first_day, first_day + 1, zone.zone)[0] < first:
        first_day += 1
    end_day = day_of_quarter(end, zone.zone)
    if first_day >= end_day:
        return _of_quarters(reader, whose, first, end)
    days_begin, days_end = day_quarters(first_day, end_day, zone.zone)
    counts = _counts(
        reader.value(
            "requests_of_days",
            profile_id=whose.profile_id,
            key_ids=whose.key_ids,
            zone_version=zone.zone_version,
            first_day=first_day,
            end_day=end_day,
        )
    )
    counts = counts.plus(_of_quarters(reader, whose, first, days_begin))
    return counts.plus(_of_quarters(reader, whose, days_end, end))


def _of_quarters(reader: Reader, whose: Whose, first: int, end: int) -> Counts:
    if first >= end:
        return Counts(0, 0, 0)
    return _counts(
        reader.value(
            "requests_of_quarters",
            profile_id=whose.profile_id,
            key_ids=whose.key_ids,
            first_quarter=first,
            end_quarter=end,
        )
    )


def _counts(text: SqlValue) -> Counts:
    assert isinstance(text, str)
    return msgspec.json.decode(text, type=Counts)
