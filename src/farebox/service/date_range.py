"""Date ranges of the reports and the log: inclusive dates at the edge, half-open days inside."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.calendar import format_day, parse_day
from farebox.core.errors import INVALID_DATE, INVERTED_RANGE, RANGE_TOO_LONG, FareboxError

DAYS_MAX = 400


class DateRange(NamedTuple):
    """Days from `first_day` until before `end_day`."""

    first_day: int
    end_day: int

    @property
    def length(self) -> int:
        """How many days."""
        return self.end_day - self.first_day

    @property
    def start_date(self) -> str:
        """The first day, as a date."""
        return format_day(self.first_day)

    @property
    def end_date(self) -> str:
        """The last day, as a date."""
        return format_day(self.end_day - 1)


def date_range(start_date: str, end_date: str) -> DateRange:
    """The days from a date to another, both of them included.

    Raises:
        FareboxError: 400: no date, start after end, or more than 400 days.
    """
    found = DateRange(day_of("start_date", start_date), day_of("end_date", end_date) + 1)
    if found.first_day >= found.end_day:
        raise FareboxError(INVERTED_RANGE)
    if found.length > DAYS_MAX:
        raise FareboxError(RANGE_TOO_LONG, days_max=DAYS_MAX)
    return found


def open_range(start_date: str | None, end_date: str | None) -> tuple[int | None, int | None]:
    """The first day and the day after the last of a range that may lack either end.

    Raises:
        FareboxError: as `date_range`.
    """
    if start_date is not None and end_date is not None:
        return date_range(start_date, end_date)
    return (
        None if start_date is None else day_of("start_date", start_date),
        None if end_date is None else day_of("end_date", end_date) + 1,
    )


def day_of(field: str, date: str) -> int:
    """The day of a date.

    Raises:
        FareboxError: 400, it is none.
    """
    try:
        return parse_day(date)
    except ValueError as error:
        raise FareboxError(INVALID_DATE, field=field) from error
