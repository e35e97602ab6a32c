"""Usage of windows: what the rollups say of them, for limits and reports alike.

Whole days are read from day rollups, the ragged edges from quarter hours; so a month costs a few
rows, and a limit counts what the reports show. Any number of windows takes two queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from farebox.core.calendar import QUARTER_MS, Window, day_of_quarter, day_quarters
from farebox.engine.report_zone import ReportZone
from farebox.store.contract import Reader


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
    """Whose requests are counted: a user's, a family of keys', else the whole workspace's."""

    profile_id: int
    user_id: str | None = None
    family_id: str | None = None


class Wanted(NamedTuple):
    """A window to be counted; `zone` is the version whose days are read."""

    whose: Whose
    zone: ReportZone
    window: Window


class _Span(NamedTuple):
    """Days of a version, or quarter hours."""

    profile_id: int
    user_id: str | None
    family_id: str | None
    zone_version: int | None
    first: int
    end: int


class _Row(NamedTuple):
    answer: str


_decoder = msgspec.json.Decoder(list[tuple[int, tuple[int, int, int]]])


def count_windows(reader: Reader, wanted: Sequence[Wanted]) -> list[Counts]:
    """What was recorded of windows, in their order."""
    days: list[tuple[int, _Span]] = []
    quarters: list[tuple[int, _Span]] = []
    for index, one in enumerate(wanted):
        for span in _spans(one):
            (quarters if span.zone_version is None else days).append((index, span))
    counts = [Counts(0, 0, 0)] * len(wanted)
    asked = [
        (spans, reader.ask(name, _Row, spans=_json(spans)))
        for name, spans in (("counts_of_days", days), ("counts_of_quarters", quarters))
        if spans
    ]
    for spans, pending in asked:
        for place, found in _decoder.decode(pending.rows()[0].answer):
            index = spans[place][0]
            counts[index] = counts[index].plus(Counts(*found))
    return counts


def _json(spans: Sequence[tuple[int, _Span]]) -> str:
    return msgspec.json.encode([span for _, span in spans]).decode()


def _spans(wanted: Wanted) -> list[_Span]:
    whose, zone, window = wanted
    first, end = -(-window.start_ms // QUARTER_MS), -(-window.end_ms // QUARTER_MS)
    first_day = day_of_quarter(first, zone.zone)
    if day_quarters(first_day, first_day + 1, zone.zone)[0] < first:
        first_day += 1
    end_day = day_of_quarter(end, zone.zone)
    if first_day >= end_day:
        return _quarters(whose, first, end)
    days_begin, days_end = day_quarters(first_day, end_day, zone.zone)
    return [
        _Span(*whose, zone.zone_version, first_day, end_day),
        *_quarters(whose, first, days_begin),
        *_quarters(whose, days_end, end),
    ]


def _quarters(whose: Whose, first: int, end: int) -> list[_Span]:
    return [_Span(*whose, None, first, end)] if first < end else []
