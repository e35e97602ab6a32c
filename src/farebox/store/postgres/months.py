"""Partitions of the log: a calendar month each, in UTC, made before the first row that needs one.

A log's rows are named by UUIDv7, so a name tells the month. Rows of any age may come: an import
brings years, and each month is made when it is met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

from farebox.store.contract import ConstraintBrokenError, SqlValue

# The statements that fill a log, whose rows have the id second.
LOG_OF_STATEMENT = {"requests_insert": "requests", "captures_insert": "captures"}
_ID_COLUMN = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first 4 of the 6 bytes of an id's milliseconds: a little more than a minute.
_SLICE_BYTES, _SLICE_BITS = 4, 16


class Month(NamedTuple):
    """A partition: its log, its name and a time that lies in it."""

    log: str
    name: str
    at_ms: int


class Months:
    """The partitions that are there, as far as this connection knows."""

    def __init__(self, names: Iterable[str]) -> None:
        self._known = set(names)
        self._made: set[str] = set()

    def missing(self, statement: str, rows: Sequence[Sequence[SqlValue]]) -> list[Month]:
        """The partitions that rows need and that are to be made now, in the open transaction."""
        log = LOG_OF_STATEMENT[statement]
        slices = {cast("bytes", row[_ID_COLUMN])[:_SLICE_BYTES] for row in rows}
        found = {}
        for part in slices:
            first_ms = int.from_bytes(part) << _SLICE_BITS
            # A month may begin inside.
            for at_ms in (first_ms, first_ms + (1 << _SLICE_BITS) - 1):
                month = _month(log, at_ms)
                if month.name not in self._known:
                    found[month.name] = month
        self._made.update(found)
        self._known.update(found)
        return [found[name] for name in sorted(found)]

    def keep(self) -> None:
        """The transaction was committed: what it made is there."""
        self._made.clear()

    def forget(self) -> None:
        """Some or all of the transaction was undone, and perhaps what it made."""
        self._known -= self._made
        self._made.clear()


def _month(log: str, at_ms: int) -> Month:
    try:
        at = _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError as error:
        message = "a time is beyond the calendar"
        raise ConstraintBrokenError(message) from error
    return Month(log, f"{log}_{at.year:04}_{at.month:02}", at_ms)
