"""Traffic: what a workspace's keys have called in the last days, made up and believable.

It is pure: the same seed, days, end and timezone give the same calls. They follow the habits of
the callers on the wall clock of the timezone, and grow by half over the range. On one weekday,
about two thirds into it, the provider's API is down for three hours: errors and retries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from farebox.core.calendar import QUARTER_MS, day_of_quarter, day_quarters, quarter_of
from farebox.core.instant import MS_PER_SECOND
from farebox.demo.callers import CALLERS, Caller
from farebox.demo.calls import Call, make_call

SEED = 20_240_501
QUARTERS_PER_HOUR = 4
GROWTH_FROM, GROWTH_BY = 0.84, 0.42
INCIDENT_AT = 0.68
INCIDENT_HOURS = range(10, 13)
INCIDENT_RETRIES = 1.6
# 1970-01-01, the calendar's day 0, was a Thursday.
FIRST_WEEKDAY, FRIDAY, DAYS_PER_WEEK = 3, 4, 7


class _Slot(NamedTuple):
    """A quarter hour: its place in the range, from 0 to 1, and its local weekday and hour."""

    start_ms: int
    progress: float
    weekday: int
    hour: int
    is_incident: bool


def make_traffic(seed: int, days: int, end_ms: int, zone: ZoneInfo) -> Iterator[Call]:
    """The calls before `end_ms` of the last `days` local days, the one of the end included.

    By time, ascending.
    """
    dice = Random(seed)  # noqa: S311 - repeatable on purpose, and no secret
    for slot in _slots(days, end_ms, zone):
        calls = [
            make_call(
                dice,
                caller,
                slot.start_ms + dice.randrange(QUARTER_MS),
                is_incident=slot.is_incident,
            )
            for caller in CALLERS
            for _ in range(_poisson(dice, _expected(caller, slot)))
        ]
        yield from sorted(
            (call for call in calls if call.time_ms < end_ms), key=lambda call: call.time_ms
        )


def traffic_start_ms(days: int, end_ms: int, zone: ZoneInfo) -> int:
    """When the first of these days begins."""
    end_day = day_of_quarter(quarter_of(end_ms), zone) + 1
    return day_quarters(end_day - days, end_day, zone)[0] * QUARTER_MS


def incident_day(days: int, end_day: int) -> int:
    """The day of the incident: a weekday about two thirds into the days before `end_day`."""
    day = end_day - days + int(days * INCIDENT_AT)
    return day - max(0, (day + FIRST_WEEKDAY) % DAYS_PER_WEEK - FRIDAY)


def _slots(days: int, end_ms: int, zone: ZoneInfo) -> Iterator[_Slot]:
    last = quarter_of(end_ms)
    end_day = day_of_quarter(last, zone) + 1
    first, end = day_quarters(end_day - days, end_day, zone)
    incident = incident_day(days, end_day)
    for quarter in range(first, last + 1):
        start_ms = quarter * QUARTER_MS
        local = datetime.fromtimestamp(start_ms // MS_PER_SECOND, zone)
        yield _Slot(
            start_ms,
            (quarter - first) / (end - first),
            local.weekday(),
            local.hour,
            local.hour in INCIDENT_HOURS and day_of_quarter(quarter, zone) == incident,
        )


def _expected(caller: Caller, slot: _Slot) -> float:
    """How many calls a quarter hour has on average."""
    of_day = caller.day[slot.hour] / sum(caller.day) / QUARTERS_PER_HOUR
    growth = GROWTH_FROM + GROWTH_BY * slot.progress
    retries = INCIDENT_RETRIES if slot.is_incident else 1
    return caller.weekday_requests * caller.week[slot.weekday] * of_day * growth * retries


def _poisson(dice: Random, expected: float) -> int:
    """How many calls there are where so many are expected (Knuth's way; fine below 700)."""
    floor = math.exp(-expected)
    count, product = 0, dice.random()
    while product > floor:
        count += 1
        product *= dice.random()
    return count
