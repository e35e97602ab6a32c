"""The one calendar: quarter hours, workspace days, windows and billing periods in any IANA zone.

A quarter is `ms // 900_000`: every offset in use since 2023 is a multiple of 15 minutes, so a
quarter lies in exactly one local day. A request's day is, by definition, the day its quarter
begins in; so days, quarters and log rows can never disagree. A day is counted from 1970-01-01 on
the workspace's own calendar. All ranges are half-open.

A window (hour, day, month) and a billing period are never closed early by a change of zone: the
open one ends as planned, and the next ends at a boundary of the new zone (`bridge`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

QUARTER_MS = 15 * MS_PER_MINUTE
QUARTER_SECONDS = QUARTER_MS // MS_PER_SECOND
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal() - EPOCH_ORDINAL
DAY_EXPECTED = "a date in the form YYYY-MM-DD"
TIMEZONE_EXPECTED = "the name of an IANA timezone, such as Europe/Berlin"
_TZDATA = "tzdata"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

WindowKind = Literal["second", "minute", "hour", "day", "month"]


class Window(NamedTuple):
    """A half-open range of instants, in milliseconds."""

    start_ms: int
    end_ms: int


class ZoneSince(NamedTuple):
    """The timezone that a workspace has from an instant on."""

    from_ms: int
    timezone: str


@lru_cache(maxsize=1024)
def zone_of(timezone: str) -> ZoneInfo:
    """The zone of an IANA name, by the locked tzdata: two machines never count a day differently.

    Raises:
        ValueError: no such zone.
    """
    if timezone not in zone_names():
        raise ValueError(TIMEZONE_EXPECTED)
    path = resources.files(_TZDATA).joinpath("zoneinfo", *timezone.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=timezone)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of all zones."""
    return frozenset(resources.files(_TZDATA).joinpath("zones").read_text("utf-8").split())


def quarter_of(ms: int) -> int:
    """The quarter hour that an instant lies in."""
    return ms // QUARTER_MS


def day_of_quarter(quarter: int, zone: ZoneInfo) -> int:
    """The workspace day that a quarter hour begins in."""
    return _day_of(quarter * QUARTER_SECONDS, zone)


def day_start_ms(day: int, zone: ZoneInfo) -> int:
    """The first instant of a workspace day, also where midnight is skipped or repeated.

    The day after the calendar's last has a start too, so that every day has an end.
    """
    if day > LAST_DAY:
        return day * MS_PER_DAY
    midnight = datetime.fromordinal(day + EPOCH_ORDINAL).replace(tzinfo=zone)
    return int(midnight.timestamp()) * MS_PER_SECOND


def day_quarters(first_day: int, end_day: int, zone: ZoneInfo) -> tuple[int, int]:
    """The half-open range of quarters of a half-open range of days."""
    return (
        -(-day_start_ms(first_day, zone) // QUARTER_MS),
        -(-day_start_ms(end_day, zone) // QUARTER_MS),
    )


def parse_day(text: str) -> int:
    """The day of `YYYY-MM-DD`.

    Raises:
        ValueError: another form, or no day of the calendar.
    """
    if not _DAY.fullmatch(text):
        raise ValueError(DAY_EXPECTED)
    try:
        return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL
    except ValueError as error:
        raise ValueError(DAY_EXPECTED) from error


def format_day(day: int) -> str:
    """`YYYY-MM-DD` of a day."""
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def natural_window(kind: WindowKind, ms: int, zone: ZoneInfo, *, anchor_day: int = 1) -> Window:
    """The window of one zone that an instant lies in; `anchor_day` moves the month's first day."""
    if kind == "second":
        return _aligned(ms, MS_PER_SECOND)
    if kind == "minute":
        return _aligned(ms, MS_PER_MINUTE)
    if kind == "hour":
        return _hour(ms, zone)
    day = _day_of(ms // MS_PER_SECOND, zone)
    if kind == "day":
        return Window(day_start_ms(day, zone), day_start_ms(day + 1, zone))
    local = date.fromordinal(day + EPOCH_ORDINAL)
    month = local.year * 12 + local.month - 1
    if ms < _month_start_ms(month, anchor_day, zone):
        month -= 1
    return Window(
        _month_start_ms(month, anchor_day, zone), _month_start_ms(month + 1, anchor_day, zone)
    )


def bridge(kind: WindowKind, start_ms: int, zone: ZoneInfo, *, anchor_day: int = 1) -> Window:
    """The window that follows one which ended at `start_ms`, after a change to `zone`.

    It ends at a boundary of the new zone, and lasts from half to one and a half of its kind, so
    that no change of zone can squeeze a second allowance into the same time.
    """
    natural = natural_window(kind, start_ms, zone, anchor_day=anchor_day)
    if natural.end_ms - start_ms < start_ms - natural.start_ms:
        natural = natural_window(kind, natural.end_ms, zone, anchor_day=anchor_day)
    return Window(start_ms, natural.end_ms)


def window_at(kind: WindowKind, ms: int, zones: Sequence[ZoneSince]) -> Window:
    """The window of a workspace that an instant lies in, through its changes of zone.

    `zones` is ascending and not empty; its first entry counts for all time before it, too.
    """
    later = [since for since in zones[1:] if since.from_ms <= ms]
    # A zone's last instant is the one before the next zone's first.
    first_until_ms, *untils_ms = [*(since.from_ms - 1 for since in later), ms]
    window = natural_window(kind, first_until_ms, zone_of(zones[0].timezone))
    for since, until_ms in zip(later, untils_ms, strict=True):
        window = _window_after(kind, window, until_ms, zone_of(since.timezone))
    return window


def _window_after(kind: WindowKind, before: Window, ms: int, zone: ZoneInfo) -> Window:
    """The window at `ms` in a zone that was taken while `before` was open."""
    if ms < before.end_ms:
        return before
    bridged = bridge(kind, before.end_ms, zone)
    return bridged if ms < bridged.end_ms else natural_window(kind, ms, zone)


def _day_of(seconds: int, zone: ZoneInfo) -> int:
    """The day of an instant. Days never run back.

    Where a clock that is set back across midnight repeats the end of a day, the repetition counts
    to the next one (Newfoundland until 2011).
    """
    local = datetime.fromtimestamp(seconds, zone)
    day = local.toordinal() - EPOCH_ORDINAL
    if local.fold and seconds * MS_PER_SECOND >= day_start_ms(day + 1, zone):
        return day + 1
    return day


def _aligned(ms: int, length_ms: int) -> Window:
    start_ms = ms - ms % length_ms
    return Window(start_ms, start_ms + length_ms)


def _hour(ms: int, zone: ZoneInfo) -> Window:
    """A pair of UTC offset and local hour: a change of offset inside the hour splits it."""
    offset_ms = _offset_ms(ms, zone)
    start_ms = (ms + offset_ms) // MS_PER_HOUR * MS_PER_HOUR - offset_ms
    end_ms = start_ms + MS_PER_HOUR
    if _offset_ms(start_ms, zone) != offset_ms:
        start_ms = _transition_ms(start_ms, ms, zone)
    if _offset_ms(end_ms - 1, zone) != offset_ms:
        end_ms = _transition_ms(ms, end_ms - 1, zone)
    return Window(start_ms, end_ms)


def _transition_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """The first instant with the offset of `after_ms`, by bisection."""
    offset_ms = _offset_ms(after_ms, zone)
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        if _offset_ms(middle_ms, zone) == offset_ms:
            after_ms = middle_ms
        else:
            before_ms = middle_ms
    return after_ms


def _offset_ms(ms: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(ms // MS_PER_SECOND, zone).utcoffset()
    assert offset is not None  # a ZoneInfo always knows its offset
    return (offset.days * 86_400 + offset.seconds) * MS_PER_SECOND


def _month_start_ms(month: int, anchor_day: int, zone: ZoneInfo) -> int:
    """The start of the period that begins in month `year * 12 + (month - 1)`."""
    year, month_index = divmod(month, 12)
    day = min(anchor_day, monthrange(year, month_index + 1)[1])
    return day_start_ms(date(year, month_index + 1, day).toordinal() - EPOCH_ORDINAL, zone)
